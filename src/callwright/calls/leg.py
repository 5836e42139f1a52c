"""One leg as its session sees it: which phone, in what state."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from callwright.calls.plan import Role, Target
from callwright.calls.waiting import Signal
from callwright.engines.port import Cause, LegGone, LegId

if TYPE_CHECKING:
    from callwright.calls.party import Party


@dataclass(slots=True, eq=False)
class Leg:
    id: LegId
    party: "Party"
    target: Target
    offered: bool = False
    "It came in."
    answered: float | None = None
    "Times are the event loop's clock, in seconds."
    ended: float | None = None
    cause: Cause | None = None
    "Why it ended; set before that if it is we who give up."
    holds: bool = False
    "Its phone has put us on hold."
    finish_reason: str | None = None
    "In the API's words, where it is known before the leg ends."
    keys_wanted_by: int = 0
    "How many wait for keys it presses."
    settled: Signal = field(default_factory=Signal)
    "Set once the leg is answered or has ended."

    @property
    def role(self) -> Role:
        return self.party.role

    @property
    def is_up(self) -> bool:
        return self.answered is not None and self.ended is None

    @contextmanager
    def listened_to(self) -> Iterator[None]:
        """In the block its keys count also if its phone can do no more than sound them."""
        self.keys_wanted_by += 1
        if self.keys_wanted_by == 1:
            self._listen(wanted=True)
        try:
            yield
        finally:
            self.keys_wanted_by -= 1
            if not self.keys_wanted_by:
                self._listen(wanted=False)

    def _listen(self, *, wanted: bool) -> None:
        with suppress(LegGone):  # ``present`` around whoever wants the keys will say so.
            self.party.session.engine.listen_for_keys(self.id, wanted=wanted)
