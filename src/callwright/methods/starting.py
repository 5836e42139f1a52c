"""Starting a call: what all methods that create one find out, and how the call is begun."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from callwright.calls.dtmf import timed_keys
from callwright.calls.inbound_gate import Draining
from callwright.calls.journal import JournalUnavailable
from callwright.calls.manager import CallManager
from callwright.calls.plan import (
    Caption,
    Direction,
    EmployeeCall,
    EmployeeRef,
    Message,
    Plan,
    RingGroup,
    Role,
    Target,
    TimedKey,
)
from callwright.calls.scenario_plan import ScenarioPlan
from callwright.config import ApiSettings
from callwright.directory.model import Account, Employee, VirtualNumber
from callwright.methods import errors
from callwright.methods.conversations import Conversations
from callwright.methods.dialling import may_call_from
from callwright.methods.messages import Found, MessageParams, Messages, ready
from callwright.methods.method import Caller
from callwright.methods.numbers import Numbers
from callwright.methods.own_numbers import OwnNumbers
from callwright.methods.start_params import (
    CallStarted,
    FromNumber,
    Switching,
    ToContact,
    TwoPartyParams,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sides:
    """From which number whom is called."""

    virtual: VirtualNumber
    "What the contact is shown and the session bears."
    contact: Target
    shown: str
    "What the employee or operator is shown."


@dataclass(frozen=True, slots=True)
class Heard:
    """What the parties are to hear, found but not yet spoken."""

    waiting_music: Message
    to_contact: Found | None
    to_operator: Found | None


@dataclass(frozen=True, slots=True)
class TwoParties:
    """A request to ring two parties."""

    method: str
    caller: Caller
    params: TwoPartyParams


class Starting:
    def __init__(
        self,
        numbers: Numbers,
        own_numbers: OwnNumbers,
        messages: Messages,
        conversations: Conversations,
        manager: CallManager,
        api: ApiSettings,
    ) -> None:
        self.numbers = numbers
        self.messages = messages
        self.conversations = conversations
        self._own_numbers = own_numbers
        self._manager = manager
        self._default_direction = api.default_direction

    def check(self, params: TwoPartyParams, field: str, message: MessageParams | None) -> None:
        """Refuse what is wrong by itself; ``message``, in ``field``, is for the operator."""
        check_switching(params)
        self.messages.check("contact_message", params.contact_message)
        self.messages.check(field, message)

    async def sides(self, account: Account, params: TwoPartyParams) -> Sides:
        """Find the number to call from, and the contact. Raises what `Numbers` does."""
        virtual, contact = await self.contact(account, params, params)
        return Sides(
            virtual,
            contact,
            shown=virtual.number if params.show_virtual_phone_number else params.contact,
        )

    async def contact(
        self, account: Account, source: FromNumber, to: ToContact
    ) -> tuple[VirtualNumber, Target]:
        """Find the number to call from, and the contact. Raises what `Numbers` does."""
        named = await self.numbers.virtual(account, source.virtual_phone_number)
        owner = await self.numbers.check_contact(account, to.contact)
        phone = owner[1] if owner else None
        # What is chosen is what is called from: it must be one from which the call may go.
        chosen = await self._own_numbers.choose(
            account,
            source.virtual_phone_usage_rule,
            named,
            to.contact,
            lambda home: may_call_from(account, to.contact, phone, home),
        )
        return chosen, await self.numbers.contact(account, to.contact, owner, chosen)

    async def calling_as(
        self, account: Account, sides: Sides, contact: str, field: str, number: str
    ) -> Sides:
        """Let the contact be shown, and called by the trunk of, another of the account's numbers.

        ``field``: what names the number. Raises what `Numbers` does.
        """
        caller = await self.numbers.virtual(account, number, field)
        owner = await self.numbers.check_contact(account, contact)
        target = await self.numbers.contact(account, contact, owner, caller)
        return replace(sides, contact=target)

    async def heard(
        self,
        account: Account,
        params: TwoPartyParams,
        field: str,
        message: MessageParams | None,
    ) -> Heard:
        """Find music and messages. Raises `MediaFileNotFound`."""
        return Heard(
            await self.messages.waiting_music(account, params.media_file_id),
            await self.messages.find(account, "contact_message", params.contact_message),
            await self.messages.find(account, field, message),
        )

    async def join(
        self,
        asked: TwoParties,
        sides: Sides,
        groups: Sequence[RingGroup],
        heard: Heard,
        employee: Employee | None = None,
    ) -> CallStarted:
        """Begin a call in which the contact comes to talk with whoever of ``groups`` takes it."""
        params, account = asked.params, asked.caller.account
        plan = EmployeeCall(
            caption=self.caption(asked.method, account, params, sides.virtual, employee),
            first=Role.CONTACT if params.first_call == "contact" else Role.EMPLOYEE,
            contact=sides.contact,
            employee=groups,
            switch_at_once=params.switch_at_once,
            early_switching=params.early_switching,
            contact_message=ready(heard.to_contact),
            employee_message=ready(heard.to_operator),
            keys=keys_of(params),
            conversation=await self.conversations.of(
                account, self._direction(params), sides.virtual, heard.waiting_music, employee
            ),
        )
        return await self.begin(asked.caller, plan)

    def caption(
        self,
        method: str,
        account: Account,
        params: ToContact,
        virtual: VirtualNumber,
        employee: Employee | None = None,
    ) -> Caption:
        return Caption(
            account=account.id,
            method=method,
            direction=self._direction(params),
            virtual_number=virtual.number,
            contact_number=params.contact,
            external_id=params.external_id,
            dtmf_string=params.dtmf_string or "",
            employee=EmployeeRef(employee.id, employee.full_name) if employee else None,
        )

    async def begin(self, caller: Caller, plan: Plan | ScenarioPlan) -> CallStarted:
        """Put the call on record; it rings only after that."""
        try:
            session = await self._manager.start(plan, caller.once)
        except (JournalUnavailable, Draining) as reason:
            log.error("no call was started: %s", reason or type(reason).__name__)
            raise errors.InternalError from reason
        return CallStarted(call_session_id=session)

    def _direction(self, params: ToContact) -> Direction:
        return Direction(params.direction or self._default_direction)


def check_switching(params: Switching) -> None:
    """Raises `InvalidParametersCombination`: early media needs somebody who hears it, and no wait.

    ``early_switching`` goes with the employee or operator rung first and ``switch_at_once``.
    """
    if params.early_switching and (params.first_call == "contact" or not params.switch_at_once):
        raise errors.InvalidParametersCombination(field="early_switching", value=True)


def keys_of(params: ToContact) -> Sequence[TimedKey]:
    return timed_keys(params.dtmf_string) if params.dtmf_string else ()
