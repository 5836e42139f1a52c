"""The manager of calls: gives each plan a session, runs its script, and knows the live ones."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import anyio

from callwright.calls.ending import LOOPED, SHUT_DOWN, TOO_MANY_CALLS, Ending
from callwright.calls.events import LegStarted, Listener, SessionEvent
from callwright.calls.inbound_gate import Draining, InboundGate
from callwright.calls.journal import Journal, Once
from callwright.calls.loops import (
    RETURNS_AT_MOST,
    WITHHELD_AT_MOST,
    LoopGuard,
    returns_of,
    withheld_to,
)
from callwright.calls.phone_call import phone_call
from callwright.calls.phone_channels import PhoneChannels
from callwright.calls.phone_transfers import PhoneTransfers
from callwright.calls.plan import Plan, Role, SessionId
from callwright.calls.queues import Queues, Who, who
from callwright.calls.record import LegState
from callwright.calls.recording import RecordingFiles
from callwright.calls.renamed_legs import RenamedLegs
from callwright.calls.scenario import inbound_call, refused_call, scenario_call
from callwright.calls.scenario_plan import (
    InboundCall,
    PhoneCall,
    RefusedCall,
    ScenarioCall,
    ScenarioPlan,
)
from callwright.calls.scripts import script_of
from callwright.calls.session import Script, Session
from callwright.clock import utc_now
from callwright.engines.port import (
    Cause,
    Engine,
    EngineEvent,
    LegId,
    LegOffered,
    LegReleased,
    TransferAsked,
)
from callwright.figures import Figure

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

log = logging.getLogger(__name__)


class CallManager:
    """Live sessions. ``deliver`` takes the engine's events; `start` is what requests call.

    ``next_id`` gives the ids of sessions, legs, playbacks and bridges, each used once.
    ``parallel_at_most``: live sessions per account; one more ends at once, with `no_resources`.
    ``recordings``: where they are put; ``now``: the time of day (UTC, aware).
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        *,
        next_id: Callable[[], int],
        parallel_at_most: int,
        recordings: RecordingFiles,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.draining = False
        self.listeners: list[Listener] = []
        "Told of every event, the first of a session included, once it is with the journal."
        self._engine = legs = RenamedLegs(engine)
        self._journal = journal
        self._next_id = next_id
        self._parallel_at_most = parallel_at_most
        self._recordings = recordings
        self._now = now
        self._sessions: dict[SessionId, Session] = {}
        self._by_leg: dict[LegId, Session] = {}
        self.door = InboundGate(engine, self.start)
        self.transfers = PhoneTransfers(
            legs, self._by_leg.get, lambda: LegId(next_id()), self._let_in
        )
        self._loops = LoopGuard()
        self._queues = Queues(self._on_the_phone)
        self._channels = PhoneChannels()
        self._tasks: TaskGroup | None = None
        self._became_idle = anyio.Event()

    async def run(self, *, started: Callable[[], None]) -> None:
        """Serve until cancelled; live sessions then end, each with its verdict."""
        try:
            async with anyio.create_task_group() as self._tasks:
                started()
                await anyio.sleep_forever()
        finally:
            self._tasks = None

    async def start(self, plan: Plan | ScenarioPlan, once: Once | None = None) -> SessionId:
        """Begin a call; returns as soon as it is on record, before anything has rung.

        ``once``: by what a repeat of the request is to be known.

        Raises `Draining` and `callwright.calls.journal.JournalUnavailable`; then nothing rings.
        """
        if self.draining or self._tasks is None:
            raise Draining
        too_many = len(self.live(plan.caption.account)) >= self._parallel_at_most
        session = Session(
            SessionId(self._next_id()),
            plan.caption,
            self._engine,
            self._next_id,
            self._tell,
            self._recordings,
            self._queues,
            self._channels,
            self._now,
        )
        self._follow(session, plan)
        with self._kept_if_begun(session):
            await self._journal.begin(session.started, once)
            # No wait between the record and the run: what is on record will get its verdict.
            for listener in self.listeners:
                listener(session.started)
            script = self._script(session, plan, too_many=too_many)
            self._tasks.start_soon(self._run, session, script)
        return session.id

    def _script(self, session: Session, plan: Plan | ScenarioPlan, *, too_many: bool) -> Script:
        match plan:
            case PhoneCall():
                employee = session.take_in(plan.leg, plan.employee, Role.EMPLOYEE)
                self._let_in(session, plan.leg)
                if too_many:
                    return partial(refused_call, employee, TOO_MANY_CALLS, Cause.NO_RESOURCES)
                return partial(phone_call, session, plan, employee)
            case InboundCall() | RefusedCall():
                contact = session.take_in(plan.leg, plan.contact)
                self._let_in(session, plan.leg)
                if isinstance(plan, RefusedCall):
                    return partial(refused_call, contact, plan.ending, plan.cause)
                if self._has_come_back(session, plan):
                    log.warning("%d: a call of ours has come back to us", session.id)
                    return partial(refused_call, contact, LOOPED, Cause.LOOP)
                if too_many:
                    return partial(refused_call, contact, TOO_MANY_CALLS, Cause.NO_RESOURCES)
                return partial(inbound_call, session, plan, contact)
            case _ if too_many:
                return _refuse
            case ScenarioCall():
                return partial(scenario_call, session, plan)
            case _:
                return script_of(session, plan)

    def _follow(self, session: Session, plan: Plan | ScenarioPlan) -> None:
        """Let what the session rings bear what its call has come through."""
        account = session.caption.account
        if not isinstance(plan, InboundCall | PhoneCall):
            session.trail = self._loops.begin(account)
            return
        # A phone may divert a call of ours, so that its mark is no loop yet; but it is borne on.
        session.trail = self._loops.onwards(account, plan.trail)
        if isinstance(plan, InboundCall) and plan.contact.address.trunk is not None:
            caller = plan.contact.address.number
            session.returns = returns_of(caller, self._sessions.values()) if caller else 0

    def _has_come_back(self, session: Session, plan: InboundCall) -> bool:
        if session.returns > RETURNS_AT_MOST:
            return True
        caller = plan.contact.address
        if caller.trunk is not None and not caller.number:
            number = plan.caption.virtual_number
            if withheld_to(number, self._sessions.values()) > WITHHELD_AT_MOST:
                return True
        return self._loops.has_come_back(session.caption.account, plan.trail)

    def _let_in(self, session: Session, leg: LegId) -> None:
        if ended := self.door.take(leg):
            self._deliver(session, ended)

    def live(self, account: int) -> list[Session]:
        """The account's live sessions, oldest first."""
        return [one for one in self._sessions.values() if one.caption.account == account]

    def find(self, account: int, session: SessionId) -> Session | None:
        """A live session of this account's."""
        found = self._sessions.get(session)
        return found if found and found.caption.account == account else None

    def deliver(self, event: EngineEvent) -> None:
        """Take the next event of the engine's."""
        event = self._engine.named(event)
        if isinstance(event, LegOffered):
            if self._tasks is None:
                self.door.turn_away(event, Cause.NO_RESOURCES)
            elif self.door.offered(event):
                begin = None if event.replaces is None else self.transfers.takes_place
                self._tasks.start_soon(self.door.receive, event, begin)
        elif session := self._by_leg.get(event.leg):
            self._deliver(session, event)
        elif not self.door.deliver(event):
            log.warning("an event of a leg that no session has: %s", event)

    def _deliver(self, session: Session, event: EngineEvent) -> None:
        if isinstance(event, TransferAsked):
            if self._tasks is not None:
                self._tasks.start_soon(self.transfers.asked, session, event)
            return
        session.deliver(event)
        if isinstance(event, LegReleased):
            del self._by_leg[event.leg]
            self._queues.look_again()

    async def drain(self, *, within: float) -> None:
        """Take no new calls, let live ones go on for ``within`` seconds, then end the rest."""
        self.draining = True
        with anyio.move_on_after(within):
            await self._idle()
        for session in tuple(self._sessions.values()):
            session.end(SHUT_DOWN)
        await self._idle()

    def _on_the_phone(self, account: int) -> set[Who]:
        """Everybody of an account who is on a phone, or being rung."""
        return {
            who(leg.target)
            for session in self.live(account)
            for leg in session.legs.values()
            if leg.ended is None
        }

    def figures(self) -> Iterator[Figure]:
        """Live sessions and legs; see `callwright.figures.Measured`."""
        yield Figure("callwright_sessions", "Live sessions.", len(self._sessions))
        legs = Counter(
            leg.state for session in self._sessions.values() for leg in session.record.legs.values()
        )
        for state in LegState:
            if state is not LegState.ENDED:
                yield Figure(
                    "callwright_legs", "Legs that are up.", legs[state], {"state": state.value}
                )

    async def _idle(self) -> None:
        while self._sessions:
            await self._became_idle.wait()

    @contextmanager
    def _kept_if_begun(self, session: Session) -> Iterator[None]:
        self._sessions[session.id] = session
        try:
            yield
        except BaseException:
            self._forget(session)
            raise

    def _forget(self, session: Session) -> None:
        del self._sessions[session.id]
        if not self._sessions:
            self._became_idle.set()
            self._became_idle = anyio.Event()

    async def _run(self, session: Session, script: Script) -> None:
        try:
            await session.run(script)
        finally:
            self._forget(session)
            for leg in session.legs:
                self._by_leg.pop(leg, None)

    def _tell(self, event: SessionEvent) -> None:
        if isinstance(event, LegStarted):
            self._by_leg[event.leg] = self._sessions[event.session]
        self._journal.hear(event)
        for listener in self.listeners:
            listener(event)


async def _refuse() -> Ending:
    return TOO_MANY_CALLS
