"""``sandbox.*``: what the API of a sandbox has beside that of every service."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import anyio
from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from callwright.calls import events
from callwright.calls.events import SessionEvent
from callwright.calls.manager import CallManager
from callwright.engines.port import LegId
from callwright.methods.errors import (
    InvalidParametersCombination,
    InvalidParameterValue,
    VirtualPhoneNumberNotFound,
)
from callwright.methods.live import SUCCESS, Success
from callwright.methods.method import (
    Caller,
    Declaration,
    Method,
    Params,
    PhoneNumber,
    described,
)
from callwright.sandbox.behaviour import Phones, PhoneStep, TooManyNumbers, far_end
from callwright.sandbox.engine import SandboxEngine
from callwright.sandbox.event_buffer import EventBuffer

if TYPE_CHECKING:
    from callwright.calls.plan import SessionId

WEEK = 7 * 86_400
NOTICES_AT_MOST = 10_000
STEPS_AT_MOST = 100


class Advance(Params):
    """Let time go by."""

    seconds: Annotated[float, Field(ge=0, le=WEEK)]
    "Seconds of the sandbox's clock, at most a week. 0: what is due at this moment is done."


class Script(Params):
    """Tell a phone what to do."""

    number: PhoneNumber
    "The phone's number: a contact's, or an employee's."
    steps: Annotated[list[PhoneStep], Field(max_length=STEPS_AT_MOST)]
    "What it does, one step after another. None at all: again what its number says."
    times: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    "For how many calls; then comes the next script, or what its number says. Without it: for all."


class CallIn(Params):
    """Let a contact call a virtual number."""

    contact: PhoneNumber
    "Who calls. What the number does holds from our answer on."
    virtual_phone_number: PhoneNumber
    "The number that is called."


class EventsParams(Params):
    """Look at what was told."""

    after: Annotated[int, Field(ge=0, lt=1 << 53)] = 0
    "Leave out so many: `last` of the answer before."
    limit: Annotated[int, Field(ge=1, le=NOTICES_AT_MOST)] = 1000
    "How many are given at most."


class Nothing(Params):
    """No parameters."""


@described
class Happened(TypedDict):
    time: str
    "The sandbox's time: ISO 8601, UTC."
    last: int
    "Number of the last notice given; `sandbox.events` with it as `after` gives what follows."
    notices: list[dict[str, JsonValue]]
    "What was told, in order, as in docs/events.md."


@described
class CalledIn(TypedDict):
    call_session_id: int


@described
class SandboxState(TypedDict):
    time: str
    "The sandbox's time: ISO 8601, UTC."
    clock: Literal["real", "fast", "stepped"]
    live_calls: int


ADVANCE = Declaration(
    "sandbox.advance",
    Advance,
    component=None,
    free=True,
    summary="Let time go by, and tell what happened since the advance before; all of it has been "
    "delivered.",
    result=Happened,
)
SCRIPT = Declaration(
    "sandbox.script",
    Script,
    component=None,
    free=True,
    summary="Say what the phone of a number does, in place of what its number says.",
    errors=("invalid_parameters_combination",),
    result=Success,
)
CALL_IN = Declaration(
    "sandbox.call_in",
    CallIn,
    component=None,
    free=True,
    summary="Let a contact call one of the account's virtual numbers.",
    errors=("virtual_phone_number_not_found",),
    result=CalledIn,
)
EVENTS = Declaration(
    "sandbox.events",
    EventsParams,
    component=None,
    free=True,
    summary="What was told since the beginning, or since the last reset.",
    result=Happened,
)
STATE = Declaration(
    "sandbox.state",
    Nothing,
    component=None,
    free=True,
    summary="What time it is, and how many calls are live.",
    result=SandboxState,
)
RESET = Declaration(
    "sandbox.reset",
    Nothing,
    component=None,
    free=True,
    summary="Begin anew: no calls, no scripts, no history, and the directory as at the start.",
    result=Success,
)
DECLARATIONS: tuple[Declaration[Any], ...] = (ADVANCE, SCRIPT, CALL_IN, EVENTS, STATE, RESET)


class Time(Protocol):
    """The sandbox's time, and its beginning."""

    @property
    def clock(self) -> Literal["real", "fast", "stepped"]: ...
    def now(self) -> str: ...
    async def advance(self, seconds: float) -> None: ...
    async def settle(self) -> None: ...
    async def begin_anew(self) -> None: ...


class SandboxMethods:
    def __init__(
        self,
        time: Time,
        engine: SandboxEngine,
        phones: Phones,
        told: EventBuffer,
        manager: CallManager,
    ) -> None:
        self._time = time
        self._engine = engine
        self._phones = phones
        self._told = told
        self._manager = manager
        self._given = 0
        "The last notice that an advance has given."
        self._waiting: dict[LegId, _Caller] = {}
        manager.listeners.append(self._hear)
        engine.when_ended = self._ended

    def methods(self) -> Sequence[Method[Any]]:
        return (
            ADVANCE.served_by(self.advance),
            SCRIPT.served_by(self.script),
            CALL_IN.served_by(self.call_in),
            EVENTS.served_by(self.events),
            STATE.served_by(self.state),
            RESET.served_by(self.reset),
        )

    async def advance(self, caller: Caller, params: Advance) -> Happened:
        await self._time.advance(params.seconds)
        happened = self._happened(self._given, NOTICES_AT_MOST)
        self._given = happened["last"]
        return happened

    async def script(self, caller: Caller, params: Script) -> Success:
        if not params.steps:
            if params.times is not None:
                raise InvalidParametersCombination(field="times")
            self._phones.forget(params.number)
            return SUCCESS
        try:
            self._phones.script(params.number, far_end(params.steps, "steps"), params.times)
        except TooManyNumbers:
            raise InvalidParameterValue(field="number", value=params.number) from None
        return SUCCESS

    async def call_in(self, caller: Caller, params: CallIn) -> CalledIn:
        leg = self._engine.call_in(caller=params.contact, called=params.virtual_phone_number)
        waiting = self._waiting[leg] = _Caller()
        try:
            await waiting.decided.wait()
        finally:
            del self._waiting[leg]
        if waiting.session is None:
            raise VirtualPhoneNumberNotFound(
                field="virtual_phone_number",
                value=params.virtual_phone_number,
                virtual_phone_number=params.virtual_phone_number,
            )
        # Its scenario asks the database, and whatever is started next must not come in between.
        await self._time.settle()
        return CalledIn(call_session_id=waiting.session)

    async def events(self, caller: Caller, params: EventsParams) -> Happened:
        await self._time.settle()
        return self._happened(params.after, params.limit)

    async def state(self, caller: Caller, params: Nothing) -> SandboxState:
        await self._time.settle()
        return SandboxState(
            time=self._time.now(),
            clock=self._time.clock,
            live_calls=len(self._manager.live(caller.account.id)),
        )

    async def reset(self, caller: Caller, params: Nothing) -> Success:
        await self._time.begin_anew()
        return SUCCESS

    def _happened(self, after: int, at_most: int) -> Happened:
        found = self._told.after(after, at_most)
        # What is kept no more was left out at the beginning.
        first = max(after, self._told.gone)
        return Happened(
            time=self._time.now(),
            last=min(first, self._told.count) + len(found),
            notices=[notice.as_json() for notice in found],
        )

    def _hear(self, event: SessionEvent) -> None:
        if isinstance(event, events.LegStarted) and event.leg in self._waiting:
            self._waiting[event.leg].session = event.session
            self._waiting[event.leg].decided.set()

    def _ended(self, leg: LegId) -> None:
        if leg in self._waiting:
            self._waiting[leg].decided.set()


class _Caller:
    """One who has called in, until it is known whether a session has the call."""

    def __init__(self) -> None:
        self.decided = anyio.Event()
        self.session: SessionId | None = None
