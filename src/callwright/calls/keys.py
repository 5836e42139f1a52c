"""Keys of a session: those that go out to a phone, and those that phones press."""

from collections import deque
from typing import TYPE_CHECKING

from callwright.calls import events
from callwright.calls.dtmf import pending

if TYPE_CHECKING:
    from collections.abc import Callable

    from callwright.calls.leg import Leg
    from callwright.calls.session import Session

NOTED_AT_MOST = 500
"Keys received per session that are told as events; a phone that sends more is not believed."


class Keys:
    def __init__(self, session: "Session") -> None:
        self.when_operator_presses: Callable[[str], None] | None = None
        "Called for every key that the operator presses in a talk."
        self._session = session
        self._noted = 0
        self._going_out: deque[bool] = deque()
        "Keys given to the engine and not told as sent: whether they are of the dtmf_string."
        self._sent = 0

    def send(self, leg: "Leg", key: str, *, planned: bool) -> None:
        """Send a key; ``planned`` ones are of the request's dtmf_string. Raises `LegGone`."""
        self._session.engine.send_key(leg.id, key)
        self._going_out.append(planned)

    def sent(self, leg: "Leg", key: str) -> None:
        """Take the fact that a key has begun to go out."""
        self._sent += self._going_out.popleft()
        left = pending(self._session.caption.dtmf_string, self._sent)
        self._session.tell(events.KeySent, leg=leg.id, key=key, pending=left)

    def received(self, leg: "Leg", key: str) -> None:
        """Take the fact that a phone has pressed a key."""
        self._noted += 1
        if self._noted > NOTED_AT_MOST:
            return
        self._session.tell(events.KeyReceived, leg=leg.id, key=key)
        if leg.party.leg is leg:
            for keypad in tuple(leg.party.keypads):
                keypad.take(key)
        talkers = self._session.talkers
        if talkers and leg is talkers[1].leg and self.when_operator_presses:
            self.when_operator_presses(key)
