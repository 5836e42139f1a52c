"""A session: who takes part in one call, on which legs, and what has happened so far."""

import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio

from callwright.calls import events
from callwright.calls.bridges import Bridges
from callwright.calls.coaching import Coaches
from callwright.calls.ending import (
    BROKEN,
    HANDED_OVER,
    SHUT_DOWN,
    TRANSFERRED,
    Ending,
    ending_when_left,
    leg_finish_reason,
)
from callwright.calls.events import Listener, SessionEvent
from callwright.calls.inbox import Inbox
from callwright.calls.keys import Keys
from callwright.calls.leg import Leg
from callwright.calls.party import Party, PartyLeft
from callwright.calls.plan import Caption, Message, Role, SessionId, Target
from callwright.calls.record import CallRecord
from callwright.calls.recording import RecordingFiles, SessionRecorder
from callwright.calls.renamed_legs import RenamedLegs
from callwright.calls.state import TRANSITIONS, State
from callwright.clock import utc_now
from callwright.engines import port
from callwright.engines.port import Cause, LegGone, LegId, PlaybackId
from callwright.engines.trail import FRESH

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from callwright.calls.options import Options
    from callwright.calls.phone_channels import PhoneChannels
    from callwright.calls.queues import Queues

log = logging.getLogger(__name__)

Script = Callable[[], Coroutine[Any, Any, Ending]]

GOODBYE_WITHIN = 2.0
"Seconds the session waits for its legs to end after it has hung them up."


class Session:
    """One call. Its script works with parties; the engine's events come in by `deliver`.

    ``next_id`` gives ids for legs, playbacks and bridges that are used nowhere else;
    ``recordings`` says where they are put; ``now`` gives the time of day (UTC, aware).
    """

    def __init__(
        self,
        session: SessionId,
        caption: Caption,
        engine: RenamedLegs,
        next_id: Callable[[], int],
        listener: Listener,
        recordings: RecordingFiles,
        queues: "Queues",
        channels: "PhoneChannels",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.id = session
        self.caption = caption
        self.engine = engine
        self.next_id = next_id
        self.queues = queues
        self._channels = channels
        self.legs: dict[LegId, Leg] = {}
        self.trail = FRESH
        "Of what is rung here."
        self.returns = 0
        "How many calls seem to have come back from its caller, with this one; 0: this has not."
        self.playing: dict[PlaybackId, Callable[[], None]] = {}
        "What to call when a playback has been played to its end."
        self.waiting_music: Message | None = None
        "What is heard while a text is still being made into speech."
        self.bridges = Bridges(self)
        self.operator: Party | None = None
        "Who talks with the contact, or has put it on hold."
        self.contact_leg: Leg | None = None
        "The contact's leg, once it has answered."
        self.inbox = Inbox(lambda: self.record.state)
        self.phone_held = anyio.Event()
        "Set, and renewed, when a phone puts us on hold or takes us back."
        self.options: Options = {}
        "Talk options of the conversation."
        self.keys = Keys(self)
        self.recorder = SessionRecorder(self, recordings)
        self.coaches = Coaches(self)
        self._listener = listener
        self._begun = anyio.current_time()
        self._begun_at = now()
        self._sequence = 1
        self._tasks: TaskGroup | None = None
        self._scope = anyio.CancelScope()
        self._asked_to_end: Ending | None = None
        self._ending: Ending | None = None
        self._all_over = anyio.Event()
        self.started = events.SessionStarted(
            session=session, sequence=1, time=self._begun_at, offset=0.0, caption=caption
        )
        self.record = CallRecord.begin(self.started)

    # What scripts and parties use.

    def enter(self, state: State) -> None:
        """Go on to another public state."""
        if state is not self.record.state:
            assert state in TRANSITIONS[self.record.state], (self.record.state, state)
            self.tell(events.StateEntered, state=state)

    @property
    def engaged_numbers(self) -> set[str]:
        """Numbers of whoever is on the line, or being rung."""
        return {
            leg.target.address.number
            for leg in self.legs.values()
            if leg.ended is None and leg.cause is None
        }

    def ring(self, party: Party, target: Target) -> Leg:
        """Begin to ring one phone for a party.

        One that is in this call already, or whose channels are taken, is busy at once; for a call
        that has come too far none is rung.
        """
        beside, refusal = tuple(self.legs), self._refusal(target)
        leg = self._add(LegId(self.next_id()), party, target, offered=False)
        if refusal:
            self.deliver(port.LegReleased(leg.id, *refusal))
            return leg
        self.engine.ring(
            leg.id, target.address, caller_id=target.caller_id, beside=beside, trail=self.trail
        )
        return leg

    def _refusal(self, target: Target) -> tuple[Cause, str] | None:
        if self.trail.hops_left <= 0:
            return Cause.LOOP, "483 Too Many Hops"
        if target.address.number in self.engaged_numbers:
            return Cause.BUSY, "in this call already"
        if self._channels.are_taken(self.caption.account, target):
            return Cause.CHANNELS_BUSY, ""
        return None

    def take_in(self, offered: LegId, caller: Target, role: Role = Role.CONTACT) -> Party:
        """Make whoever has called a party; `Party.is_answered` then answers the call.

        ``caller``: its number, and, as its caller id, the number it has called.
        """
        party = Party(self, role)
        party.leg = self._add(offered, party, caller, offered=True)
        return party

    def _add(self, leg_id: LegId, party: Party, target: Target, *, offered: bool) -> Leg:
        leg = self.legs[leg_id] = Leg(leg_id, party, target, offered)
        self._channels.take(self.caption.account, leg)
        phone, other = target.address.number, target.caller_id
        employee = target.employee
        self.tell(
            events.LegStarted,
            leg=leg_id,
            role=party.role,
            calling_number=phone if offered else other,
            called_number=other if offered else phone,
            employee_id=employee.id if employee else None,
            employee_full_name=employee.full_name if employee else None,
            offered=offered,
        )
        return leg

    def give_up(self, leg: Leg, cause: Cause) -> None:
        """Hang up a leg that has not answered, for a cause of ours."""
        leg.cause = cause
        self.engine.hang_up(leg.id)

    def dismiss(self, party: Party, finish_reason: str | None = None) -> None:
        """Hang up a party that is not needed any more, if it is there, or rung."""
        if party.leg and party.leg.ended is None:
            party.leg.finish_reason = finish_reason
            self.give_up(party.leg, Cause.RELEASED)

    def begin_anew_with(self, contact: Party) -> None:
        """Hang up everybody but the contact, who goes on alone; no command waits for them."""
        for leg in self.legs.values():
            if leg.ended is None and leg.cause is None and leg.party is not contact:
                self.give_up(leg, Cause.RELEASED)
        self.inbox.refuse_all()
        self.enter(State.SESSION)

    def give_away(self, leg: Leg) -> None:
        """Let another session have an answered leg; this one is over by that."""
        leg.finish_reason = TRANSFERRED
        self.end(HANDED_OVER)
        self.deliver(port.LegReleased(leg.id, Cause.RELEASED))

    def adopt(self, leg: Leg, new: LegId) -> Party:
        """Make the leg that another session has given away a third party, under a new id."""
        party = Party(self, Role.THIRD)
        party.leg = adopted = self._add(new, party, leg.target, offered=False)
        adopted.holds = leg.holds
        self.deliver(port.LegConnected(new))
        return party

    def report_transfer(self, party: Party, failed: Cause | None) -> None:
        """Tell a party's phone what has become of the transfer it has asked for; None: all is well.

        Without effect if it has asked for none, or has left.
        """
        if party.leg:
            with suppress(LegGone):
                self.engine.report_transfer(party.leg.id, failed)

    def transferred(self, leaving: Party, to: Party) -> None:
        """Note that one operator has handed the contact over to another."""
        assert leaving.leg
        assert to.leg
        self.tell(events.TransferFinished, leg=leaving.leg.id, to=to.leg.id)

    def start_soon(self, helper: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """Run a helper beside the script until it is done or the script has ended."""
        assert self._tasks, "the session is not running"
        self._tasks.start_soon(helper, *args)

    def tell(self, kind: type[SessionEvent], **facts: Any) -> None:
        """Make the next event of the session and give it to whoever listens.

        ``facts``: its fields but for those every event has, and for the durations it bears.
        """
        self._tell_at(self._offset(), kind, **facts)

    def _tell_at(self, offset: float, kind: type[SessionEvent], **facts: Any) -> None:
        self._sequence += 1
        event = kind(
            session=self.id,
            sequence=self._sequence,
            time=self._begun_at + timedelta(seconds=offset),
            offset=offset,
            **self.record.durations.measured(kind, offset, facts),
        )
        self.record.take(event)
        self._listener(event)

    def _offset(self) -> float:
        return round(anyio.current_time() - self._begun, 3)

    # What the manager uses.

    async def run(self, script: Script) -> None:
        """Carry out the script; then hang up whoever is left and tell the verdict, once."""
        ending = SHUT_DOWN
        try:
            with self._scope:
                ending = await self._carry_out(script)
        finally:
            self._ending = ending = self._asked_to_end or ending
            await self._hang_up_all()
            for leg in self.legs.values():
                self._channels.free(self.caption.account, leg)
            self._finish(ending)

    def end(self, ending: Ending) -> None:
        """Break the script off, wherever it is. The first reason given counts."""
        if self._ending is None:
            self._asked_to_end = self._asked_to_end or ending
            self._scope.cancel()

    def deliver(self, event: port.EngineEvent) -> None:
        """Take one event of the engine's about one of this session's legs."""
        leg = self.legs[event.leg]
        match event:
            case port.LegReleased():
                self._leg_ended(leg, event)
            case port.RecordingFinished():
                self.recorder.finished(event)
                self._look_whether_all_is_over()
            case _ if leg.cause is not None:
                pass  # We have given this leg up; whatever it still says came too late.
            case port.LegRinging():
                self.tell(events.LegRang, leg=leg.id)
            case port.EarlyMediaStarted():
                self.tell(events.EarlyMediaHeard, leg=leg.id)
                if leg.party.when_early and leg.party.leg is leg:
                    leg.party.when_early(leg)
            case port.LegConnected():
                leg.answered = anyio.current_time()
                if leg.role is Role.CONTACT:
                    self.contact_leg = leg
                self.tell(events.LegAnswered, leg=leg.id)
                leg.settled.set()
            case port.LegHeld() | port.LegResumed():
                leg.holds = isinstance(event, port.LegHeld)
                self.phone_held.set()
                self.phone_held = anyio.Event()
            case port.DtmfSent(key=key):
                self.keys.sent(leg, key)
            case port.DtmfFailed(key=key, reason=reason):
                self.keys.failed(leg, key, reason)
            case port.DtmfReceived(key=key):
                self.keys.received(leg, key)
            case port.PlaybackFinished(playback=playback):
                if finished := self.playing.pop(playback, None):
                    finished()

    async def _carry_out(self, script: Script) -> Ending:
        try:
            async with anyio.create_task_group() as self._tasks:
                # Caught in here: a PartyLeft must not cross the task group.
                try:
                    ending = await script()
                except PartyLeft as left:
                    ending = ending_when_left(left.party.role, left.cause)
                self._tasks.cancel_scope.cancel()
            return ending
        except Exception:
            # A fault of ours ends this call, with a verdict and everybody hung up; not the others.
            log.exception("%d: the script broke", self.id, extra={"session": self.id})
            return BROKEN

    async def _hang_up_all(self) -> None:
        self.inbox.close()
        live = [leg for leg in self.legs.values() if leg.ended is None]
        for leg in live:
            if leg.cause is None:
                leg.cause = Cause.RELEASED
            self.engine.hang_up(leg.id)
        if live or self.recorder.unfinished:
            with anyio.move_on_after(GOODBYE_WITHIN, shield=True):
                await self._all_over.wait()

    def _leg_ended(self, leg: Leg, event: port.LegReleased) -> None:
        leg.ended = anyio.current_time()
        self._channels.free(self.caption.account, leg)
        self.keys.leave(leg)
        leg.cause = cause = leg.cause or event.cause
        self.tell(
            events.LegEnded,
            leg=leg.id,
            finish_reason=leg.finish_reason
            or leg_finish_reason(leg.role, cause, self._certain_ending()),
            cause=cause.value,
            raw=event.raw,
            quality=event.quality,
        )
        leg.settled.set()
        if leg.answered is not None and leg.party.leg is leg:
            leg.party.leave(cause)
        self._look_whether_all_is_over()

    def _certain_ending(self) -> Ending | None:
        """The verdict, as soon as nothing can change it: also before the script has ended."""
        contact = self.contact_leg
        if self._ending or self._asked_to_end or contact is None or contact.ended is None:
            return self._ending or self._asked_to_end
        return ending_when_left(contact.role, contact.cause or Cause.HUNG_UP)

    def _look_whether_all_is_over(self) -> None:
        legs_are_gone = all(leg.ended is not None for leg in self.legs.values())
        if self._ending and legs_are_gone and not self.recorder.unfinished:
            self._all_over.set()

    def _finish(self, ending: Ending) -> None:
        now = self._offset()
        if self.record.durations.is_lost and not ending.nobody_missed:
            self._tell_at(now, events.CallLost, finish_reason=ending.finish_reason)
        self._tell_at(
            now,
            events.SessionFinished,
            finish_reason=ending.finish_reason,
            ended_by=ending.ended_by,
            fault=ending.fault,
            detail=ending.detail,
        )
