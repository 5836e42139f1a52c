"""Packet clock: when each leg's 20 ms packet is due, and how late it went out.

Legs are spread over four slots of 5 ms, so that two hundred packets do not fall due at once. Slots
are counted from a fixed origin and never drift; a clock that was called late makes up for it, but
only so far: what is older than `CATCH_UP` is left out, as a gap in every stream.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from callwright.figures import Figure

SLOT = 0.005
"Seconds."
SLOTS = 4
CATCH_UP = 12
"Slots (60 ms, three packets a leg) that are made up for at most."
SLACK = 8
"Legs by which a slot may be fuller than the emptiest one (half a millisecond of sending)."
LATE = 0.005
"Seconds after its time from which a packet counts as late."


class Ticking(Protocol):
    def tick(self, due: float) -> bool:
        """Send what is due; return whether anything was sent."""


class SendLateness:
    """How late packets went out after their slot's time, in bins of 0.1 ms up to 100 ms."""

    __slots__ = ("_bins", "late", "sent")

    PER_SECOND = 10_000
    BINS = 1000

    def __init__(self) -> None:
        self._bins = [0] * (self.BINS + 1)
        self.sent = 0
        self.late = 0

    def note(self, seconds: float) -> None:
        self.sent += 1
        if seconds > LATE:
            self.late += 1
        index = int(seconds * self.PER_SECOND)
        self._bins[index if index < self.BINS else self.BINS] += 1

    def quantile(self, share: float) -> float:
        """Return the lateness in seconds that ``share`` (0 to 1) of all packets stayed under."""
        wanted = share * self.sent
        below = 0
        for index, count in enumerate(self._bins):
            below += count
            if count and below >= wanted:
                return (index + 1) / self.PER_SECOND
        return 0.0


def of_sending(sent: int, late: int) -> Iterator[Figure]:
    """What is shown of all clocks together."""
    yield Figure(
        "callwright_media_packets_sent_total",
        "RTP packets of our own, sent in their slots; those that are relayed go as they come.",
        sent,
    )
    yield Figure(
        "callwright_media_packets_late_total", "Of those, more than 5 ms after their time.", late
    )


class SlotClock:
    """Calls what is due; whoever owns it calls `advance` at the times it says."""

    def __init__(self, now: float) -> None:
        self.lateness = SendLateness()
        self._origin = now
        self._slot = 0
        "The next one."
        self._wheel: list[dict[Ticking, None]] = [{} for _ in range(SLOTS)]

    def __len__(self) -> int:
        return sum(map(len, self._wheel))

    def add(self, ticking: Ticking, now: float) -> None:
        """Give it a place in the next slot, or in the next one that is not crowded.

        Soon, so that it need send nothing ahead of its slot: a first packet beside the beat of
        the others is jitter at the far end.
        """
        following = int((now - self._origin) / SLOT) + 1
        if not len(self):  # the clock has stood still: that is nothing to make up for
            self._slot = max(self._slot, following)
        while self._slot < following and not self._here:  # nobody was called in them
            self._slot += 1
        fullest = min(map(len, self._wheel)) + SLACK
        near = (self._wheel[(following + turn) % SLOTS] for turn in range(SLOTS))
        next(slot for slot in near if len(slot) <= fullest)[ticking] = None

    def remove(self, ticking: Ticking) -> None:
        for slot in self._wheel:
            slot.pop(ticking, None)

    @property
    def due(self) -> float:
        """When to call `advance` next: in the next slot in which there is anybody to call.

        It may become sooner by an `add`.
        """
        turns = (turn for turn in range(SLOTS) if self._wheel[(self._slot + turn) % SLOTS])
        return self._origin + (self._slot + next(turns, 0)) * SLOT

    @property
    def _here(self) -> dict[Ticking, None]:
        """Who is called in the next slot."""
        return self._wheel[self._slot % SLOTS]

    def advance(self, clock: Callable[[], float]) -> None:
        """Call all that has fallen due by ``clock``. What one of them raises comes at the end."""
        fault: Exception | None = None
        now = clock()
        newest = int((now - self._origin) / SLOT)
        self._slot = max(self._slot, newest - CATCH_UP + 1)
        while (due := self._origin + self._slot * SLOT) <= now:
            slot = self._here
            self._slot += 1
            for ticking in tuple(slot):
                try:
                    if ticking.tick(due):
                        self.lateness.note(clock() - due)
                except Exception as error:  # a leg that fails must not silence the others
                    fault = error
            now = clock()
        if fault:
            raise fault
