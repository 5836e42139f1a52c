"""Phones: what a demonstration or a test may ask of one, whichever program it is."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Detail = str | int | float


class PhoneFault(Exception):
    """The phone's program cannot be started, has ended, or was asked what it cannot do."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a phone does with every call. Times in seconds; what is None never happens."""

    answers_after: float | None = 0.0
    "From the INVITE."
    busy: bool = False
    "Rejects the call with 486 after ``answers_after``, in place of answering."
    early_tone: int | None = None
    "Sends 183 and this tone (Hz) where it would send 180."
    says: int | Path | None = None
    "A tone (Hz), or a WAV of 8000 Hz, mono, 16 bit; None is silence."
    codec: str | None = None
    "``PCMA``, ``PCMU``, ``G722`` or ``opus`` only; None: the first two."
    srtp: bool = False
    "Takes and makes calls over SRTP only."
    keys: Sequence[tuple[float, str]] = ()
    "Seconds from the answer, and the key."
    hangs_up_after: float | None = None
    "From the answer."


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened on the phone.

    ``listening``, ``invite``, ``calling``, ``ringing``, ``early``, ``answered``, ``first_rtp``,
    ``key``, ``key_ended``, ``key_sent``, ``rejected``, ``cancelled``, ``bye``, ``recorded``,
    ``ended``, ``registered``, and what should not happen: ``refused``, ``not_registered``.
    """

    name: str
    at: float
    "CLOCK_MONOTONIC, that is `time.monotonic`, in seconds: one clock for all programs."
    wall: float
    "UNIX time in seconds."
    details: dict[str, Detail] = field(default_factory=dict)

    @classmethod
    def now(cls, name: str, **details: Detail) -> "Fact":
        return cls(name, time.monotonic(), time.time(), details)


@dataclass(frozen=True, slots=True)
class Recording:
    """What the phone heard in one call."""

    path: Path
    "WAV, mono, 16 bit, 8000 Hz; or the rate of the codec, if that is wideband."
    at: float
    "When its first sample was heard, `time.monotonic`."
    wall: float
    "The same as UNIX time."


@dataclass(frozen=True, slots=True)
class Key:
    """A key the far end pressed, when it began."""

    key: str
    at: float


class Events:
    """Facts in the order they happened, and a way to wait for one."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._news = asyncio.Event()
        self._fault: str | None = None

    def tell(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._stir()

    def close(self, fault: str) -> None:
        """There will be no more facts: who waits is told why."""
        self._fault = fault
        self._stir()

    def all(self, name: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.name == name]

    async def wait(self, name: str, *, within: float, number: int = 1) -> Fact:
        """Return the first (or ``number``-th) fact of that name, waiting for it if need be.

        Raises `TimeoutError` with what has happened instead, `PhoneFault` if the phone has ended.
        """
        try:
            async with asyncio.timeout(within):
                while len(self.all(name)) < number:
                    if self._fault:
                        raise PhoneFault(self._fault)
                    await self._news.wait()
        except TimeoutError:
            seen = ", ".join(fact.name for fact in self.facts) or "nothing"
            raise TimeoutError(f"no {name} within {within} s; there was: {seen}") from None
        return self.all(name)[number - 1]

    def _stir(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Phone(Protocol):
    """A SIP phone on 127.0.0.1, a program of its own, which takes one call at a time."""

    @property
    def program(self) -> str:
        """For reports: ``baresip 1.0.0``."""

    @property
    def uri(self) -> str:
        """Where it is called, known once it has started."""

    @property
    def events(self) -> Events: ...

    @property
    def keys(self) -> Sequence[Key]:
        """Keys it has heard, of all calls."""

    @property
    def heard(self) -> Recording | None:
        """The recording of the last call that was answered and is over."""

    async def start(self) -> None:
        """Start the program; return when it can be called. Raises `PhoneFault`."""

    async def call(self, uri: str) -> None:
        """Call ``uri``; what comes of it is told by events."""

    async def press(self, key: str) -> None:
        """Press one key in the call that is up."""

    async def hang_up(self) -> None:
        """End or refuse the call, if there is one; ``ended`` tells that it is over."""

    async def stop(self) -> None:
        """End the program, hanging up before; bounded, and never raises for a phone that died."""


def heard(events: Events) -> Recording | None:
    recorded = events.all("recorded")
    if not recorded:
        return None
    last = recorded[-1]
    return Recording(Path(str(last.details["path"])), last.at, last.wall)


def keys(events: Events) -> Sequence[Key]:
    return [Key(str(fact.details["key"]), fact.at) for fact in events.all("key")]
