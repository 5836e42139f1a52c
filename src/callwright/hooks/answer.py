"""Responses of outbound HTTP: what came back from a URL of a customer's, or why nothing did."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

Headers = Sequence[tuple[bytes, bytes]]


class NoAnswer(Exception):
    """The URL has not answered as it should; the text says in a few words what was wrong."""


class HttpFault(StrEnum):
    """Why there was no answer at all."""

    PRIVATE_NETWORK = "private_network"
    UNREACHABLE = "unreachable"
    PROTOCOL = "protocol"
    TIMEOUT = "timeout"


class NotReached(NoAnswer):
    def __init__(self, fault: HttpFault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class Rest(StrEnum):
    """What has become of an answer's body."""

    READ = "read"
    TOO_LONG = "too long"
    LATE = "late"
    "It had not come to its end when the time was over."
    BROKEN = "broken"
    "The connection ended before it did."


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Any answer there is, whatever it says."""

    status: int
    headers: Headers
    body: bytes
    "As much of it as was read."
    rest: Rest


def late(within: float) -> NotReached:
    """Say that no answer came in time. ``within``: seconds."""
    return NotReached(HttpFault.TIMEOUT, f"it did not answer within {within:g} s")
