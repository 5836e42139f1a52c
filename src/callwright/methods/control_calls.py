"""Methods that change a live call: hold, consult, transfer, record, keys, release."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from callwright.calls import commands
from callwright.calls.commands import ALLOWED, CommandRefused, Moving
from callwright.calls.ending import RELEASED
from callwright.calls.immediate_commands import carry_out
from callwright.calls.plan import Target
from callwright.calls.session import Session
from callwright.calls.state import LIVE, State
from callwright.config import ApiSettings
from callwright.directory.model import Component
from callwright.engines.port import CoachMode, LegId
from callwright.methods import errors
from callwright.methods.live import SUCCESS, LiveCalls, OfSession, Success, refused
from callwright.methods.messages import MessageParams, Messages, ready
from callwright.methods.method import (
    Caller,
    Declaration,
    Id,
    Method,
    Params,
    PhoneNumber,
)
from callwright.methods.numbers import Numbers

Mode = Literal["whisper", "listen", "barge"]


class HoldCallParams(OfSession):
    contact_message: MessageParams
    "Heard by the contact once; then it hears the waiting music."


class LenientHoldCallParams(OfSession):
    contact_message: MessageParams | None = None
    "Heard by the contact once; then, or at once without it, it hears the waiting music."


class MakeCallParams(OfSession):
    to: PhoneNumber
    "Whom to ring: an extension, a SIP number, an employee's number, or any other."
    to_message: MessageParams | None = None
    "Played to the one who answers before the employee is joined."


class TransferCallParams(OfSession):
    to: PhoneNumber
    "Who takes over: an extension, a SIP number, an employee's number, or any other."


class AddCoachParams(OfSession):
    phone_number: PhoneNumber | None = None
    "The coach's number; without it the coach that is set for the employee."
    mode: Mode = "whisper"
    "`whisper`: the employee hears the coach; `listen`: nobody does; `barge`: both do."


class SetCoachModeParams(OfSession):
    mode: Mode
    "As in add.coach."


class RecordCallParams(OfSession):
    action: Literal["on", "off"]
    "Whether to record."


class OfLegParams(OfSession):
    leg_id: Id
    "The leg, as list.calls shows it."


class SendDtmfParams(OfSession):
    dtmf_string: Annotated[str, Field(pattern=r"^[0-9*#]$")]
    "Exactly one key: `0-9 * #`. The contact gets it."


_SOMEBODY_ERRORS = (
    "no_active_phone_number",
    "direction_not_allowed",
    "own_virtual_phone_number_not_allowed",
    "contact_in_blacklist",
)
"Of a number that is to be called in the middle of a call."
_MESSAGE_ERRORS = ("media_file_not_found", "tts_text_exceeded", "character_encoding_not_allowed")


def _declare(
    name: str,
    params: type[Params],
    summary: str,
    *errors: str,
    states: frozenset[State],
    never_refused: bool = False,
) -> Declaration[Any]:
    return Declaration(
        name,
        params,
        component=Component.MANAGEMENT,
        summary=summary,
        errors=("call_session_not_found", "invalid_state", *errors),
        result=Success,
        states=states,
        never_refused=never_refused,
    )


HOLD_CALL = _declare(
    "hold.call",
    HoldCallParams,
    "Put the contact on hold: it hears a message and music, the employee hears nothing.",
    *_MESSAGE_ERRORS,
    states=ALLOWED[commands.Hold],
)
UNHOLD_CALL = _declare(
    "unhold.call", OfSession, "Join contact and employee again.", states=ALLOWED[commands.Unhold]
)
MAKE_CALL = _declare(
    "make.call",
    MakeCallParams,
    "Ring a third party for the employee, while the contact is on hold.",
    *_SOMEBODY_ERRORS,
    *_MESSAGE_ERRORS,
    states=ALLOWED[commands.MakeCall],
)
TRANSFER_TALK = _declare(
    "transfer.talk",
    OfSession,
    "Hand the contact over to the third party, even while it still rings.",
    states=ALLOWED[commands.TransferTalk],
)
RESTORE_TALK = _declare(
    "restore.talk",
    OfSession,
    "Drop the third party and join contact and employee again.",
    states=ALLOWED[commands.RestoreTalk],
)
TRANSFER_CALL = _declare(
    "transfer.call",
    TransferCallParams,
    "Blind transfer: the employee leaves at once, the contact waits until the other answers.",
    *_SOMEBODY_ERRORS,
    states=ALLOWED[commands.TransferCall],
)
ADD_COACH = _declare(
    "add.coach",
    AddCoachParams,
    "Ring a coach, who listens to the talk and helps the employee.",
    "coach_not_found",
    *_SOMEBODY_ERRORS,
    states=ALLOWED[commands.AddCoach],
)
SET_COACH_MODE = _declare(
    "set.coach_mode",
    SetCoachModeParams,
    "Change who hears the coaches.",
    "coach_not_found",
    states=ALLOWED[commands.SetCoachMode],
)
RECORD_CALL = _declare(
    "record.call",
    RecordCallParams,
    "Begin or end the recording of the talk.",
    "forbidden",
    "record_already_started",
    "record_already_stopped",
    states=ALLOWED[commands.RecordTalk],
)
MUTE_LEG = _declare(
    "mute.leg",
    OfLegParams,
    "Let nobody hear one leg; it goes on hearing the others.",
    "leg_not_found",
    states=ALLOWED[commands.Mute],
)
UNMUTE_LEG = _declare(
    "unmute.leg",
    OfLegParams,
    "Let a muted leg be heard again.",
    "leg_not_found",
    states=ALLOWED[commands.Mute],
)
SEND_DTMF = _declare(
    "send.dtmf", SendDtmfParams, "Send one key to the contact.", states=ALLOWED[commands.SendKey]
)
DISCONNECT_LEG = _declare(
    "disconnect.leg",
    OfLegParams,
    "Hang up one leg; with the contact's, or that of whoever talks with it, the session ends.",
    "leg_not_found",
    states=ALLOWED[commands.DisconnectLeg],
    never_refused=True,
)
RELEASE_CALL = Declaration(
    "release.call",
    OfSession,
    component=Component.BASIC,
    summary="End a live session: everybody in it is hung up.",
    errors=("call_session_not_found",),
    result=Success,
    states=LIVE,
    never_refused=True,
)

DECLARATIONS = (
    HOLD_CALL,
    UNHOLD_CALL,
    MAKE_CALL,
    TRANSFER_TALK,
    RESTORE_TALK,
    TRANSFER_CALL,
    ADD_COACH,
    SET_COACH_MODE,
    RECORD_CALL,
    MUTE_LEG,
    UNMUTE_LEG,
    SEND_DTMF,
    DISCONNECT_LEG,
    RELEASE_CALL,
)


class ControlCalls:
    """Each method answers once the call has begun to do what was asked; none waits for a phone."""

    def __init__(
        self,
        live: LiveCalls,
        numbers: Numbers,
        messages: Messages,
        api: ApiSettings,
    ) -> None:
        self._live = live
        self._numbers = numbers
        self._messages = messages
        self._lenient = api.lenient

    def methods(self) -> Sequence[Method[Any]]:
        hold = _declare(
            HOLD_CALL.name,
            LenientHoldCallParams,
            HOLD_CALL.summary,
            *_MESSAGE_ERRORS,
            states=ALLOWED[commands.Hold],
        )
        return (
            (hold if self._lenient else HOLD_CALL).served_by(self.hold),
            UNHOLD_CALL.served_by(self.unhold),
            MAKE_CALL.served_by(self.make_call),
            TRANSFER_TALK.served_by(self.transfer_talk),
            RESTORE_TALK.served_by(self.restore_talk),
            TRANSFER_CALL.served_by(self.transfer_call),
            ADD_COACH.served_by(self.add_coach),
            SET_COACH_MODE.served_by(self.set_coach_mode),
            RECORD_CALL.served_by(self.record),
            MUTE_LEG.served_by(self.mute),
            UNMUTE_LEG.served_by(self.unmute),
            SEND_DTMF.served_by(self.send_dtmf),
            DISCONNECT_LEG.served_by(self.disconnect_leg),
            RELEASE_CALL.served_by(self.release),
        )

    async def hold(self, caller: Caller, params: HoldCallParams | LenientHoldCallParams) -> Success:
        self._messages.check("contact_message", params.contact_message)
        session = self._live.session(caller, params)
        found = await self._messages.find(caller.account, "contact_message", params.contact_message)
        return await self._move(session, commands.Hold(ready(found)))

    async def unhold(self, caller: Caller, params: OfSession) -> Success:
        return await self._move(self._live.session(caller, params), commands.Unhold())

    async def make_call(self, caller: Caller, params: MakeCallParams) -> Success:
        self._messages.check("to_message", params.to_message)
        session = self._live.session(caller, params)
        third = await self._somebody(caller, session, commands.MakeCall, "to", params.to)
        found = await self._messages.find(caller.account, "to_message", params.to_message)
        return await self._move(session, commands.MakeCall(third, ready(found)))

    async def transfer_talk(self, caller: Caller, params: OfSession) -> Success:
        return await self._move(self._live.session(caller, params), commands.TransferTalk())

    async def restore_talk(self, caller: Caller, params: OfSession) -> Success:
        return await self._move(self._live.session(caller, params), commands.RestoreTalk())

    async def transfer_call(self, caller: Caller, params: TransferCallParams) -> Success:
        session = self._live.session(caller, params)
        third = await self._somebody(caller, session, commands.TransferCall, "to", params.to)
        return await self._move(session, commands.TransferCall(third))

    async def add_coach(self, caller: Caller, params: AddCoachParams) -> Success:
        session = self._live.session(caller, params)
        if params.phone_number is None:
            coach = await self._coach_in_settings(caller, session)
        else:
            named = params.phone_number
            coach = await self._somebody(caller, session, commands.AddCoach, "phone_number", named)
        return self._do(session, commands.AddCoach(coach, CoachMode(params.mode)))

    async def set_coach_mode(self, caller: Caller, params: SetCoachModeParams) -> Success:
        command = commands.SetCoachMode(CoachMode(params.mode))
        return self._do(self._live.session(caller, params), command)

    async def record(self, caller: Caller, params: RecordCallParams) -> Success:
        command = commands.RecordTalk(on=params.action == "on")
        return self._do(self._live.session(caller, params), command)

    async def mute(self, caller: Caller, params: OfLegParams) -> Success:
        return self._to_leg(caller, params, commands.Mute(LegId(params.leg_id), muted=True))

    async def unmute(self, caller: Caller, params: OfLegParams) -> Success:
        return self._to_leg(caller, params, commands.Mute(LegId(params.leg_id), muted=False))

    async def send_dtmf(self, caller: Caller, params: SendDtmfParams) -> Success:
        return self._do(self._live.session(caller, params), commands.SendKey(params.dtmf_string))

    async def disconnect_leg(self, caller: Caller, params: OfLegParams) -> Success:
        return self._to_leg(caller, params, commands.DisconnectLeg(LegId(params.leg_id)))

    async def release(self, caller: Caller, params: OfSession) -> Success:
        self._live.session(caller, params).end(RELEASED)
        return SUCCESS

    async def _coach_in_settings(self, caller: Caller, session: Session) -> Sequence[Target]:
        """The phones of the coach set for the employee the session is about."""
        reference = session.caption.employee
        shown = session.caption.virtual_number
        virtual = await self._numbers.virtual(caller.account, shown)
        found = reference and await self._numbers.coach(
            caller.account, reference.id, virtual, shown=shown
        )
        if not found:
            raise errors.CoachNotFound()
        return found

    async def _somebody(
        self,
        caller: Caller,
        session: Session,
        wanted_by: type[Moving | commands.Staying],
        field: str,
        number: str,
    ) -> Sequence[Target]:
        # Who is on the line is told of the call as it is: not before its state allows the command.
        allowed = session.record.state in ALLOWED[wanted_by]
        beside = session.engaged_numbers if allowed else ()
        shown = session.caption.virtual_number
        virtual = await self._numbers.virtual(caller.account, shown)
        return await self._numbers.everybody(
            caller.account, field, number, virtual, shown=shown, beside=beside
        )

    async def _move(self, session: Session, command: Moving) -> Success:
        try:
            await session.inbox.ask(command)
        except CommandRefused as refusal:
            raise refused(refusal) from None
        return SUCCESS

    def _to_leg(self, caller: Caller, params: OfLegParams, command: commands.Staying) -> Success:
        try:
            carry_out(self._live.session(caller, params), command)
        except commands.LegUnknown as refusal:
            raise refused(refusal, field="leg_id", value=params.leg_id) from None
        except CommandRefused as refusal:
            raise refused(refusal) from None
        return SUCCESS

    def _do(self, session: Session, command: commands.Staying) -> Success:
        try:
            carry_out(session, command)
        except CommandRefused as refusal:
            raise refused(refusal) from None
        return SUCCESS
