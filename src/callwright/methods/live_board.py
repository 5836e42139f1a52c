"""Live board: an account's live calls as people watch them, and word of which have changed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from callwright.calls import commands, events
from callwright.calls.commands import ALLOWED
from callwright.calls.events import SessionEvent
from callwright.calls.manager import CallManager
from callwright.calls.plan import SessionId
from callwright.calls.record import CallRecord, LegRecord, LegState
from callwright.calls.state import LIVE, State
from callwright.directory.model import AccountId
from callwright.engines.port import LegId
from callwright.methods.control_calls import HOLD_CALL, MUTE_LEG, RELEASE_CALL, UNHOLD_CALL

Changed = Callable[[SessionId], None]
"Told of a session of which something has been written."


@dataclass(frozen=True, slots=True)
class BoardLeg:
    """A leg that is up, or rings."""

    id: LegId
    role: str
    number: str
    name: str
    "Of the employee or the contact; empty: nobody knows it."
    employee: int | None
    state: LegState
    muted: bool


@dataclass(frozen=True, slots=True)
class BoardCall:
    session: SessionId
    direction: str
    virtual_number: str
    contact_number: str
    "Empty: it is withheld."
    contact_name: str
    started: datetime
    state: State
    since: datetime
    "When it has come into the state."
    legs: tuple[BoardLeg, ...]
    tags: tuple[str, ...]
    recorded: bool
    queue: str
    "In which the contact waits; empty: in none."
    allowed: frozenset[str]
    "Methods that the state allows; of those a board has buttons for."


@dataclass(slots=True)
class _Fold:
    """What the record of a call does not keep of its events."""

    since: datetime
    own_numbers: dict[LegId, str] = field(default_factory=dict)
    "Of the phones."
    muted: set[LegId] = field(default_factory=set)
    queue: str = ""

    def take(self, event: SessionEvent) -> None:
        match event:
            case events.LegStarted(leg=leg, offered=called_in):
                number = event.calling_number if called_in else event.called_number
                self.own_numbers[leg] = number
            case events.StateEntered(time=time):
                self.since = time
            case events.LegMuted(leg=leg, muted=True):
                self.muted.add(leg)
            case events.LegMuted(leg=leg):
                self.muted.discard(leg)
            case events.QueueEntered(queue=queue, position=position) if position:
                self.queue = queue
            case events.QueueLeft():
                self.queue = ""
            case _:
                pass


class LiveBoard:
    """The live calls of all accounts; `hear` is what the journal tells when it has written."""

    def __init__(self, manager: CallManager) -> None:
        self.listeners: list[Changed] = []
        "Nothing is done for a board at which nobody looks."
        self._manager = manager

    def hear(self, written: Iterable[SessionEvent]) -> None:
        if self.listeners:
            for session in {event.session for event in written}:
                for listener in self.listeners:
                    listener(session)

    def calls(self, account: AccountId) -> list[BoardCall]:
        """Oldest first."""
        live = (session.record for session in self._manager.live(account))
        return [_shown(record) for record in live if record.verdict is None]

    def call(self, account: AccountId, session: SessionId) -> BoardCall | None:
        """A live call of this account's; None: it is over, or somebody else's."""
        found = self._manager.find(account, session)
        if found is None or found.record.verdict is not None:
            return None
        return _shown(found.record)


def _shown(record: CallRecord) -> BoardCall:
    caption, fold = record.caption, _Fold(record.start_time)
    for event in record.timeline:
        fold.take(event)
    return BoardCall(
        session=record.session,
        direction=caption.direction.value,
        virtual_number=caption.virtual_number,
        contact_number=caption.contact_number,
        contact_name=caption.contact.full_name if caption.contact else "",
        started=record.start_time,
        state=record.state,
        since=fold.since,
        legs=tuple(
            _leg(leg, record, fold)
            for leg in record.legs.values()
            if leg.state is not LegState.ENDED
        ),
        tags=tuple(record.tags.values()),
        recorded=record.recording is not None,
        queue=fold.queue,
        allowed=frozenset(_allowed(record.state)),
    )


def _leg(leg: LegRecord, record: CallRecord, fold: _Fold) -> BoardLeg:
    number = fold.own_numbers.get(leg.id, "")
    name = leg.employee_full_name or record.caption.name_of(number)
    muted = leg.id in fold.muted
    return BoardLeg(leg.id, leg.role.value, number, name, leg.employee_id, leg.state, muted)


def _allowed(state: State) -> Iterable[str]:
    for command, method in (
        (commands.Hold, HOLD_CALL),
        (commands.Unhold, UNHOLD_CALL),
        (commands.Mute, MUTE_LEG),
    ):
        if state in ALLOWED[command]:
            yield method.name
    if state in LIVE:
        yield RELEASE_CALL.name
