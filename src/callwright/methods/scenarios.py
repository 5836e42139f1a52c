"""Scenarios made ready: from what the directory declares to operations that can be carried out.

What has gone from the directory since (an employee who is inactive now, a media file) is left out:
a call that has come in is better off without it than refused.
"""

import itertools
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from callwright.calls import scenario_plan as plan
from callwright.calls.plan import Conversation, Direction, Message, RingGroup, Target
from callwright.directory import scenario as declared
from callwright.directory.lookup import Directory
from callwright.directory.model import (
    Account,
    Employee,
    EmployeeId,
    MediaFile,
    MediaFileId,
    VirtualNumber,
)
from callwright.hooks.answer import NoAnswer
from callwright.hooks.client import HookClient
from callwright.hooks.reply import read_reply
from callwright.methods.api_error import ApiError
from callwright.methods.conversations import Conversations
from callwright.methods.messages import SpeechSynthesis, recorded
from callwright.methods.numbers import Numbers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Occasion:
    """The call a scenario is made ready for."""

    account: Account
    virtual: VirtualNumber
    contact: str
    "The contact's number; empty if it is withheld."
    direction: Direction
    shown: declared.Shown
    "What people are shown where an operation does not say it."

    def caller_id(self, shown: declared.Shown | None) -> str:
        if (shown or self.shown) == "contact" and self.contact:
            return self.contact
        return self.virtual.number


class Scenarios:
    """``beep``: heard before a voicemail. ``now``: UTC, aware."""

    def __init__(
        self,
        directory: Directory,
        numbers: Numbers,
        speech: SpeechSynthesis,
        conversations: Conversations,
        client: HookClient,
        beep: Message,
        now: Callable[[], datetime],
    ) -> None:
        self.directory = directory
        self.numbers = numbers
        self.speech = speech
        self.conversations = conversations
        self.client = client
        self.beep = beep
        self.now = now

    async def ready(
        self, scenario: declared.Scenario, occasion: Occasion, waiting_music: Message
    ) -> plan.PreparedScenario:
        """Return the scenario's operations, with everything they name found."""
        finding = Finding(self, occasion, waiting_music)
        branches = {}
        for label, operations in scenario.branches.items():
            found = [await finding.operation(operation) for operation in operations]
            branches[label] = [operation for operation in found if operation is not None]
        return plan.PreparedScenario(branches)


class Finding:
    """Finds what the operations of one scenario name, for one call."""

    def __init__(self, scenarios: Scenarios, occasion: Occasion, music: Message) -> None:
        self._scenarios = scenarios
        self._directory = scenarios.directory
        self._numbers = scenarios.numbers
        self._occasion = occasion
        self._music = music
        self._beside = (occasion.contact,)

    async def operation(self, operation: declared.Operation) -> plan.Operation | None:
        """Return an operation that can be carried out; None if there is nothing left of it."""
        match operation:
            case declared.PlayOperation():
                message = await self._message(operation.message)
                return plan.Play(message) if message else None
            case declared.MenuOperation():
                return plan.Menu(
                    await self._message(operation.message),
                    operation.keys,
                    operation.timeout,
                    operation.repeats,
                    operation.otherwise,
                )
            case declared.RingOperation():
                if queue := await self._queue_of_group(operation):
                    return await self.operation(queue)
                in_turn = operation.strategy == "in_order"
                people = await self._people(operation, in_turn=in_turn)
                return plan.Ring(
                    _groups(people, at_once=not in_turn),
                    await self._message(operation.message),
                    operation.then,
                )
            case declared.QueueOperation():
                return plan.Queue(
                    name=operation.name,
                    people=await self._people(operation),
                    places=operation.places,
                    at_most=operation.at_most,
                    rest=operation.pause,
                    music=await self._message(operation.music) or self._music,
                    announcement=self._announcement(operation),
                    message=await self._message(operation.message),
                    then=operation.then,
                )
            case declared.AskOperation():
                return plan.Ask(
                    CustomersUrl(self, operation),
                    await self._message(operation.message),
                    operation.digits,
                    operation.returned,
                    operation.otherwise,
                    operation.then,
                )
            case declared.VoicemailOperation():
                return plan.Voicemail(
                    await self._message(operation.message),
                    self._scenarios.beep if operation.beep else None,
                    operation.at_most,
                )
            case declared.ScheduleOperation():
                return plan.Schedule(
                    await self._schedule(operation.schedule),
                    operation.during,
                    operation.otherwise,
                )
            case declared.HangUpOperation():
                return plan.HangUp()
            case _:
                assert_never(operation)

    async def route(self, operation: declared.AskOperation, question: plan.Question) -> plan.Route:
        """Ask a customer's URL. Raises `NoAnswer`."""
        facts: Mapping[str, str | int] = {
            "call_session_id": question.session,
            "cdr_id": question.session,
            "start_time": question.start_time.isoformat(timespec="seconds"),
            "input_result": question.keys,
            "numa": question.contact,
            "numb": question.virtual_number,
        }
        answer = await self._scenarios.client.ask(
            operation.url, operation.method, facts, within=operation.timeout
        )
        reply = read_reply(answer)
        people = [await self._number(number, operation) for number in reply.phones]
        phones = [phone for phone in people if phone]
        if reply.phones and not phones:
            raise NoAnswer("none of the phones it names can be rung")
        return plan.Route(
            codes=reply.codes,
            groups=[RingGroup(phones)] if phones else (),
            message=await self._named(reply.message_name, reply.text),
            operator_message=await self._named(reply.operator_media, reply.operator_text),
        )

    async def _queue_of_group(
        self, operation: declared.RingOperation
    ) -> declared.QueueOperation | None:
        """What rings a group alone that has a queue."""
        if operation.group is None or operation.employees or operation.numbers:
            return None
        group = await self._directory.group(self._occasion.account.id, operation.group)
        if group is None or not group.queue:
            return None
        return declared.QueueOperation(
            name=f"group {group.id}",
            group=group.name,
            dial_time=operation.dial_time,
            shown=operation.shown,
            message=operation.message,
            then=operation.then,
        )

    async def _people(
        self,
        operation: declared.RingOperation | declared.QueueOperation,
        *,
        in_turn: bool = False,
    ) -> list[plan.Member]:
        """Whoever can be rung: employees and the group's with all their phones, and numbers.

        ``in_turn``: the phones of a group's member may be in several places, as its order says.
        """
        # Somebody who is named twice is rung once.
        employees = dict.fromkeys(map(EmployeeId, operation.employees))
        members = [await self._phones(one, operation) for one in employees]
        if operation.group is not None:
            members += await self._of_group(
                operation.group, operation, without=employees, in_turn=in_turn
            )
        phones = [await self._number(number, operation) for number in operation.numbers]
        members += [[phone] for phone in phones if phone]
        return [member for member in members if member]

    async def _of_group(
        self,
        name: str,
        operation: declared.RingOperation | declared.QueueOperation,
        *,
        without: Collection[EmployeeId],
        in_turn: bool,
    ) -> Sequence[plan.Member]:
        group = await self._directory.group(self._occasion.account.id, name)
        if group is None:
            return ()
        found = await self._numbers.of_group(
            self._occasion.account,
            group,
            self._occasion.virtual,
            shown=self._occasion.caller_id(operation.shown),
            beside=self._beside,
            without=without,
        )
        owners = {owner.id: owner for owner, _ in found}
        talks = {id: await self._conversation(owner) for id, owner in owners.items()}
        phones = [
            replace(_rung_for(phone, operation.dial_time), conversation=talks[owner.id])
            for owner, phone in found
        ]
        if in_turn:
            return [[phone] for phone in phones]
        owned: dict[EmployeeId, list[Target]] = {}
        for (owner, _), phone in zip(found, phones, strict=True):
            owned.setdefault(owner.id, []).append(phone)
        return [*owned.values()]

    async def _phones(
        self, employee: EmployeeId, operation: declared.RingOperation | declared.QueueOperation
    ) -> Sequence[Target]:
        found = await self._directory.employee(self._occasion.account.id, employee)
        if found is None or not found.status.is_rung:
            return ()
        shown = self._occasion.caller_id(operation.shown)
        try:
            phones = await self._numbers.phones(
                self._occasion.account,
                found,
                None,
                self._occasion.virtual,
                shown=shown,
                beside=self._beside,
            )
        except ApiError as fault:
            log.warning("employee %d of a scenario cannot be rung: %s", employee, fault.mnemonic)
            return ()
        conversation = await self._conversation(found)
        return [
            replace(_rung_for(phone, operation.dial_time), conversation=conversation)
            for phone in phones
        ]

    async def _conversation(self, employee: Employee) -> Conversation:
        """What holds when this employee talks: recorded or not, with which coach."""
        occasion = self._occasion
        return await self._scenarios.conversations.of(
            occasion.account, occasion.direction, occasion.virtual, self._music, employee
        )

    async def _number(
        self,
        number: str,
        operation: declared.RingOperation | declared.QueueOperation | declared.AskOperation,
    ) -> Target | None:
        occasion = self._occasion
        try:
            phone = await self._numbers.anyone(
                occasion.account,
                "numbers",
                number,
                occasion.virtual,
                shown=occasion.caller_id(operation.shown),
                beside=self._beside,
            )
        except ApiError as fault:
            log.warning("a number of a scenario cannot be rung: %s", fault.mnemonic)
            return None
        phone = _rung_for(phone, operation.dial_time)
        if phone.employee is None:
            return phone
        employee = EmployeeId(phone.employee.id)
        found = await self._directory.employee(occasion.account.id, employee)
        return replace(phone, conversation=await self._conversation(found)) if found else phone

    async def _schedule(self, id: int) -> Callable[[], bool]:
        """Whether it is active when that is asked; one that has gone never is."""
        account, now = self._occasion.account, self._scenarios.now
        found = await self._directory.schedule(account.id, id)
        if found is None:
            log.warning("schedule %d of a scenario is missing", id)
            return lambda: False
        return lambda: found.is_active(now(), account.timezone)

    def _announcement(self, queue: declared.QueueOperation) -> plan.Announcement | None:
        text = queue.announcement
        if text is None:
            return None
        prepare = self._scenarios.speech.prepare
        return plan.Announcement(
            queue.announce_every,
            lambda position: prepare(text.replace(declared.POSITION, str(position))),
        )

    async def _message(self, said: int | str | None) -> Message | None:
        match said:
            case None:
                return None
            case str():
                return self._scenarios.speech.prepare(said)
        account = self._occasion.account.id
        file = await self._directory.media_file(account, MediaFileId(said))
        if file is None:
            log.warning("media file %d of a scenario is missing", said)
        return _recorded(file)

    async def _named(self, name: str | None, text: str | None) -> Message | None:
        """A media file by its name, else a text; the customer's URL has given either."""
        if name is not None:
            file = await self._directory.media_file_by_name(self._occasion.account.id, name)
            if file:
                return recorded(file)
            log.warning("a media file that a customer's URL names is missing")
        return self._scenarios.speech.prepare(text) if text else None


@dataclass(frozen=True, slots=True)
class CustomersUrl:
    """`callwright.calls.scenario_plan.Router` for one operation of one call."""

    finding: Finding
    operation: declared.AskOperation

    async def route(self, question: plan.Question) -> plan.Route:
        try:
            return await self.finding.route(self.operation, question)
        except NoAnswer as fault:
            raise plan.NoRoute(str(fault)) from fault


def _recorded(file: MediaFile | None) -> Message | None:
    return recorded(file) if file else None


def _rung_for(phone: Target, seconds: float | None) -> Target:
    return phone if seconds is None else replace(phone, within=seconds)


def _groups(people: Sequence[plan.Member], *, at_once: bool) -> Sequence[RingGroup]:
    """One after another; or all at once, by their first phones, which are followed by the others.

    A phone that fails leaves its line to the next phone that has not been rung.
    """
    if not people:
        return ()
    if not at_once:
        return [RingGroup(list(itertools.chain.from_iterable(people)))]
    rounds = itertools.zip_longest(*people)
    phones = [phone for turn in rounds for phone in turn if phone is not None]
    return [RingGroup(phones, lines_start=len(people), lines_limit=len(people))]
