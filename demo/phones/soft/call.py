"""A call of the softphone: its dialog, its timers and its audio."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from demo.phones.soft import sip
from demo.phones.soft.facts import Facts
from demo.phones.soft.media import Media, Sound
from demo.phones.soft.recorder import Recorder
from demo.phones.soft.sip import Message

# RFC 3261 17.1.1.1.
T1, T2 = 0.5, 4.0
TIMEOUT = 64 * T1


class Agent(Protocol):
    """What a call needs of the phone it belongs to."""

    def via(self) -> tuple[str, str]: ...

    def send(self, message: Message, to: tuple[str, int]) -> None: ...

    def hang_up(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Manners:
    """What the phone does with a call. Times in seconds; those after None never come."""

    rings_after: float
    "From the INVITE to 180."
    answers_after: float | None
    "From the INVITE to 200."
    rejects: int | None
    "Status to answer with instead, after ``answers_after``, or at once."
    early: Sound | None
    "What is heard before the answer, by 183 in place of 180."
    sound: Sound
    codecs: tuple[str, ...]
    takes_keys: bool
    "Offers and accepts telephone-events."
    keys: tuple[tuple[float, str], ...]
    "Seconds from the answer, and the key."
    hangs_up_after: float | None
    "From the answer."


class Call:
    """One call, in or out, with its dialog (RFC 3261 12) and its audio."""

    def __init__(
        self, agent: Agent, invite: Message, media: Media, *, source: tuple[str, int] | None
    ) -> None:
        self.agent = agent
        self.invite = invite
        self.media = media
        self.source = source
        "Where an incoming INVITE came from; None: the call goes out."
        self.tag = sip.new_tag()
        self.provisional = False
        self.answered: float | None = None
        self.ended = False
        self.body = ""
        "Our SDP."
        self.local, self.remote = invite.one("from"), invite.one("to")
        self.target = invite.uri
        self.routes: list[str] = []
        self.sequence = 1
        self.recorder: Recorder | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._repeating: asyncio.TimerHandle | None = None

    def later(self, after: float, act: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(after, act))

    def repeat(
        self,
        message: Message,
        to: tuple[str, int],
        gave_up: Callable[[], None],
        *,
        sent: bool = False,
    ) -> None:
        """Send, and again after T1, 2 T1, … until `settle`; call ``gave_up`` after 64 T1.

        ``sent``: it has been sent the first time.
        """
        self.settle()
        if not sent:
            self.agent.send(message, to)
        self._wait(message, to, gave_up, T1, time.monotonic() + TIMEOUT)

    def _wait(
        self,
        message: Message,
        to: tuple[str, int],
        gave_up: Callable[[], None],
        pause: float,
        until: float,
    ) -> None:
        def again() -> None:
            self._repeating = None
            if time.monotonic() >= until:
                gave_up()
                return
            self.agent.send(message, to)
            self._wait(message, to, gave_up, min(2 * pause, T2), until)

        self._repeating = asyncio.get_running_loop().call_later(pause, again)

    def settle(self) -> None:
        if self._repeating:
            self._repeating.cancel()
            self._repeating = None

    @property
    def unsettled(self) -> bool:
        """Something is being sent again and again."""
        return self._repeating is not None

    def forget_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def request(
        self, method: str, *, sequence: int | None = None
    ) -> tuple[Message, tuple[str, int]]:
        """Make a request within the dialog (RFC 3261 12.2.1.1), and say where it goes."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        message = Message(
            method=method,
            uri=self.target,
            headers=[
                self.agent.via(),
                ("max-forwards", "70"),
                ("from", self.local),
                ("to", self.remote),
                ("call-id", self.invite.call_id),
                ("cseq", f"{sequence} {method}"),
                *(("route", route) for route in self.routes),
            ],
        )
        first = sip.uri_of(self.routes[0]) if self.routes else self.target
        return message, sip.address_of(first)

    def begin(self, manners: Manners, facts: Facts) -> float:
        """The call is answered: record, press keys, hang up in time. Return when that was."""
        self.answered = time.monotonic()
        self.recorder = Recorder(
            self.answered, jumped=lambda by: facts.tell("timestamps_jumped", seconds=by)
        )
        self.media.record(self.recorder)
        for after, key in manners.keys:
            self.later(after, partial(self.media.press, key))
        if manners.hangs_up_after is not None:
            self.later(manners.hangs_up_after, self.agent.hang_up)
        return self.answered
