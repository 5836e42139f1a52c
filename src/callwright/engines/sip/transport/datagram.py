"""Datagrams: bytes on their way out, and whoever is to hear that they got lost."""

from dataclasses import dataclass
from typing import Protocol

from callwright.engines.sip.wire.hop import Hop


class DatagramSender(Protocol):
    """A transaction, as far as transports must know of it."""

    @property
    def is_client(self) -> bool:
        """Whether it sends a request of ours."""

    @property
    def unheard(self) -> bool:
        """Whether that request has had no response at all."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """Bytes on their way out."""

    data: bytes
    hop: Hop
    sender: DatagramSender | None = None
    again: bool = False
    "It has been sent before, over a connection that was closed under it."
