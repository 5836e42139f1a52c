"""Keys of a session: those that go out to a phone, and those that phones press."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from callwright.calls import events
from callwright.calls.dtmf import pending

if TYPE_CHECKING:
    from collections.abc import Callable

    from callwright.calls.leg import Leg
    from callwright.calls.session import Session

NOTED_AT_MOST = 500
"Keys received per session that are told as events; a phone that sends more is not believed."


GONE = "its leg has ended"


@dataclass(frozen=True, slots=True)
class GoingOut:
    """A key on its way."""

    leg: "Leg"
    key: str
    planned: bool
    "It is of the request's dtmf_string."


class Keys:
    def __init__(self, session: "Session") -> None:
        self.when_operator_presses: Callable[[str], None] | None = None
        "Called for every key that the operator presses in a talk."
        self._session = session
        self._noted = 0
        self._going_out: list[GoingOut] = []
        "Given to the engine and not told as sent."
        self.planned_for: Leg | None = None
        "Who gets the keys of the dtmf_string."
        self._done_with = 0
        "Of those: sent, or told as failed."

    def send(self, leg: "Leg", key: str, *, planned: bool) -> None:
        """Send a key; ``planned`` ones are of the request's dtmf_string. Raises `LegGone`."""
        self._session.engine.send_key(leg.id, key)
        self._going_out.append(GoingOut(leg, key, planned))

    def sent(self, leg: "Leg", key: str) -> None:
        """Take the fact that a key has begun to go out."""
        self._take(leg, key)
        self._session.tell(events.KeySent, leg=leg.id, key=key, pending=self._pending())

    def failed(self, leg: "Leg", key: str, reason: str) -> None:
        """Take the fact that a key has not reached the phone; it may have been told as sent."""
        self._take(leg, key)
        self._session.tell(events.KeysFailed, leg=leg.id, keys=key, reason=reason)

    def leave(self, leg: "Leg") -> None:
        """Take the fact that a phone is gone: what it was still to get has not been sent."""
        lost = "".join(key.key for key in self._going_out if key.leg is leg and not key.planned)
        self._going_out = [key for key in self._going_out if key.leg is not leg]
        if leg is self.planned_for:
            lost += self._pending()
            self.planned_for = None
        if lost:
            self._session.tell(events.KeysFailed, leg=leg.id, keys=lost, reason=GONE)

    def _take(self, leg: "Leg", key: str) -> None:
        for out in self._going_out:
            if out.leg is leg and out.key == key:
                self._done_with += out.planned
                self._going_out.remove(out)
                return

    def _pending(self) -> str:
        return pending(self._session.caption.dtmf_string, self._done_with)

    def received(self, leg: "Leg", key: str) -> None:
        """Take the fact that a phone has pressed a key."""
        self._noted += 1
        if self._noted > NOTED_AT_MOST:
            return
        self._session.tell(events.KeyReceived, leg=leg.id, key=key)
        if leg.party.leg is leg:
            for keypad in tuple(leg.party.keypads):
                keypad.take(key)
        talkers = self._session.bridges.talkers
        if talkers and leg is talkers[1].leg and self.when_operator_presses:
            self.when_operator_presses(key)
