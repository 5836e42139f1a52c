"""The script of a scenario: one operation after another, until the call ends."""

from collections import deque
from collections.abc import Sequence
from typing import assert_never

import anyio

from callwright.calls import events
from callwright.calls.commands import RunScenario
from callwright.calls.conversation import converse
from callwright.calls.ending import Ending, ending_when_left
from callwright.calls.party import Party, PartyLeft, present
from callwright.calls.plan import Conversation, EmployeeCall, Message, RingGroup, Role
from callwright.calls.queueing import taken_from_queue
from callwright.calls.ring_group import first_to_take
from callwright.calls.scenario_plan import (
    START,
    Ask,
    HangUp,
    Label,
    Menu,
    NoRoute,
    Operation,
    Play,
    PreparedScenario,
    Question,
    Queue,
    Ring,
    Route,
    Schedule,
    Voicemail,
)
from callwright.calls.session import Session

TRANSITIONS_AT_MOST = 100
"Branches one contact can be led into; a scenario that goes in circles ends there."

DIGITS_WITHIN = 5.0
"Seconds between two keys of those an `Ask` collects."

HUNG_UP = Ending("scenario_disconnects", "service", detail="the scenario hung up")
NOTHING_LEFT = Ending("no_operation", "service", detail="the scenario has no further operation")
NOT_TAKEN = Ending("call_enqueued", "service", detail="nobody took the call from its queue")
IN_CIRCLES = Ending(
    "max_transition_count_exceeded",
    "service",
    "service",
    f"the scenario led into more than {TRANSITIONS_AT_MOST} branches",
)


class TooManyTransitions(Exception):
    """The scenario goes in circles."""


class Path:
    """Where in its operations a scenario is."""

    def __init__(self, scenario: PreparedScenario) -> None:
        self.branch: Label = START
        self.number = 0
        "Of the operation last given, in its branch, from 1."
        self._branches = scenario.branches
        self._later: deque[Label] = deque()
        self._transitions = 0

    def next(self) -> Operation | None:
        """Give the next operation; None if there is none. Raises `TooManyTransitions`."""
        while self.number >= len(self._branches[self.branch]):
            if not self._later:
                return None
            self._enter(self._later.popleft())
        self.number += 1
        return self._branches[self.branch][self.number - 1]

    def go(self, *labels: Label) -> None:
        """Go on with these branches, one after another, in place of what was to come."""
        self._later = deque(labels[1:])
        self._enter(labels[0])

    def _enter(self, branch: Label) -> None:
        self._transitions += 1
        if self._transitions > TRANSITIONS_AT_MOST:
            raise TooManyTransitions
        self.branch, self.number = branch, 0


class ScenarioScript:
    """Leads a contact, who has answered, through a scenario.

    ``asked``: what a request says beside the scenario; None for a call that has come in.
    """

    def __init__(
        self,
        call: Session,
        contact: Party,
        scenario: PreparedScenario,
        conversation: Conversation,
        asked: EmployeeCall | None = None,
    ) -> None:
        self._call = call
        self._contact = contact
        self._conversation = conversation
        self._path = Path(scenario)
        self._greeting = asked.contact_message if asked else None
        "The request's message, until the contact hears it."
        self._briefing = asked.employee_message if asked else None
        self._joins_on_answer = asked is not None and asked.joins_on_answer
        self._verdict = NOTHING_LEFT
        "What becomes of the call if no operation follows."

    async def run(self) -> Ending:
        """Carry out the operations. Raises `PartyLeft` when somebody's leaving ends the call."""
        try:
            while operation := self._path.next():
                self._call.tell(
                    events.OperationStarted,
                    operation=type(operation).__name__.lower(),
                    branch=self._path.branch,
                    number=self._path.number,
                )
                if ending := await self._carry_out(operation):
                    return ending
        except TooManyTransitions:
            return IN_CIRCLES
        return self._verdict

    async def _carry_out(self, operation: Operation) -> Ending | None:
        """Do one operation; return the call's ending if it has come."""
        if not isinstance(operation, Ring):  # who is rung while the greeting is heard
            greeting, self._greeting = self._greeting, None
            await self._contact.hears_out(greeting)
        match operation:
            case Play(message=message):
                await self._contact.hears_out(message)
            case Menu(otherwise=otherwise):
                self._go(await choice(self._contact, operation) or otherwise)
            case Ring():
                operator = await self._reach(operation.groups, operation.message)
                return await self._let_talk(operator, operation.then)
            case Queue():
                operator = await taken_from_queue(self._call, self._contact, operation)
                self._verdict = NOT_TAKEN
                return await self._let_talk(operator, operation.then)
            case Ask():
                return await self._follow(operation, await self._ask(operation))
            case Voicemail():
                await leave_message(self._call, self._contact, operation)
                self._verdict = NOTHING_LEFT
            case Schedule(during=during, otherwise=otherwise):
                self._go(during if operation.is_active() else otherwise)
            case HangUp():
                return HUNG_UP
            case _:
                assert_never(operation)
        return None

    def _go(self, label: Label | None) -> None:
        if label is not None:
            self._path.go(label)

    async def _reach(self, groups: Sequence[RingGroup], message: Message | None) -> Party | None:
        """Ring people and speak to the one who answers; None if that comes to nothing."""
        contact, operator = self._contact, Party(self._call, Role.EMPLOYEE)
        music = self._conversation.waiting_music
        greeting, self._greeting = self._greeting, None
        try:
            with present(contact), contact.hears(greeting, then=music) as greeted:
                await first_to_take(operator, groups)
                if self._joins_on_answer:
                    return operator
                briefing = self._briefing or message
                with present(operator), operator.hears(briefing, then=music) as briefed:
                    await greeted.finished.wait()
                    await briefed.finished.wait()
        except PartyLeft as left:
            if left.party is contact:
                raise
            self._verdict = ending_when_left(left.party.role, left.cause)
            return None
        return operator

    async def _let_talk(self, operator: Party | None, then: Label | None) -> Ending | None:
        """Let the two talk; None if a scenario goes on, at once or after the operator left."""
        if operator is None:
            return None
        try:
            assert operator.leg
            conversation = operator.leg.target.conversation or self._conversation
            come_to = await converse(self._call, conversation, self._contact, operator)
        except PartyLeft as left:
            if left.party is self._contact or then is None:
                raise
        else:
            if isinstance(come_to, Ending):
                return come_to
            self._begin_another(come_to)
            return None
        self._call.begin_anew_with(self._contact)
        self._verdict = NOTHING_LEFT
        self._path.go(then)
        return None

    def _begin_another(self, command: RunScenario) -> None:
        """Go on in a scenario that an operator has left the contact to."""
        self._path = Path(command.scenario)
        self._conversation = command.conversation
        self._briefing = None
        self._joins_on_answer = False
        self._verdict = NOTHING_LEFT

    async def _ask(self, operation: Ask) -> Route:
        """Ask the customer's URL, which knows what the contact has typed; no route: no answer."""
        contact, caption = self._contact, self._call.caption
        typed = await digits(contact, operation.message, at_most=operation.digits)
        question = Question(
            session=self._call.id,
            start_time=self._call.started.time,
            keys=typed,
            contact=caption.contact_number,
            virtual_number=caption.virtual_number,
        )
        with present(contact), contact.hears(None, then=self._conversation.waiting_music):
            try:
                route = await operation.router.route(question)
            except NoRoute as reason:
                self._call.tell(events.RouteFailed, reason=str(reason))
                return Route()
        if unknown := [code for code in route.codes if code not in operation.returned]:
            self._call.tell(events.RouteFailed, reason=f"no branch for {', '.join(unknown)}")
            return Route()
        self._call.tell(
            events.RouteAnswered,
            codes=tuple(route.codes),
            phones=sum(len(group.targets) for group in route.groups),
        )
        return route

    async def _follow(self, operation: Ask, route: Route) -> Ending | None:
        await self._contact.hears_out(route.message)
        if route.codes:
            self._path.go(*(operation.returned[code] for code in route.codes))
        elif route.groups:
            operator = await self._reach(route.groups, route.operator_message)
            return await self._let_talk(operator, operation.then)
        elif route.message is None:
            self._go(operation.otherwise)
        return None


async def talk_and_go_on(
    call: Session, conversation: Conversation, contact: Party, operator: Party
) -> Ending:
    """Let two talk; then, if the operator says so, a scenario leads the contact on."""
    come_to = await converse(call, conversation, contact, operator)
    if isinstance(come_to, Ending):
        return come_to
    return await ScenarioScript(call, contact, come_to.scenario, come_to.conversation).run()


async def choice(contact: Party, menu: Menu) -> Label | None:
    """Play a menu until a key of it is pressed; None if none is, as often as it is repeated."""
    with contact.presses() as keypad:
        for _ in range(1 + menu.repeats):
            with present(contact), contact.hears(menu.message) as prompt:
                key = await keypad.next_unless(prompt.finished)
                if key is None:
                    key = await keypad.next_within(menu.within)
            if key is not None and key in menu.keys:
                return menu.keys[key]
    return None


async def digits(contact: Party, prompt: Message | None, *, at_most: int) -> str:
    """Play a prompt and collect keys, up to a ``#`` or a pause; the first key cuts the prompt."""
    if not at_most:
        await contact.hears_out(prompt)
        return ""
    typed = ""
    with present(contact), contact.presses() as keypad:
        with contact.hears(prompt) as prompted:
            key = await keypad.next_unless(prompted.finished)
        key = key or await keypad.next_within(DIGITS_WITHIN)
        while key is not None and key != "#":
            typed += key
            if len(typed) == at_most:
                break
            key = await keypad.next_within(DIGITS_WITHIN)
    return typed


async def leave_message(call: Session, contact: Party, voicemail: Voicemail) -> None:
    """Record what the contact says until it presses ``#``, or the time is over."""
    await contact.hears_out(voicemail.message)
    await contact.hears_out(voicemail.beep)
    assert contact.leg
    with present(contact), contact.presses() as keypad, call.recorder.of_one(contact.leg.id):
        with anyio.move_on_after(voicemail.at_most):
            await keypad.next_of("#")
