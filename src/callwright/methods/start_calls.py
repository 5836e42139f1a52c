"""start.employee_call: from parameters to a plan that is carried out."""

import logging
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field
from typing_extensions import TypedDict

from callwright.calls.dtmf import DTMF_STRING, timed_keys
from callwright.calls.journal import JournalUnavailable
from callwright.calls.manager import CallManager, Draining
from callwright.calls.plan import (
    Caption,
    Direction,
    EmployeeCall,
    EmployeeRef,
    Message,
    RecordedMessage,
    Role,
    Target,
)
from callwright.config import ApiSettings, CallSettings
from callwright.directory.lookup import Directory
from callwright.directory.model import (
    DIALING_MUSIC,
    Account,
    Component,
    Employee,
    EmployeeId,
    MediaFile,
    MediaFileId,
    Phone,
    VirtualNumber,
)
from callwright.engines.port import Address, Media
from callwright.methods import errors
from callwright.methods.method import (
    Caller,
    Declaration,
    Id,
    Method,
    Params,
    PhoneNumber,
    described,
)

log = logging.getLogger(__name__)

E164 = re.compile(r"[1-9][0-9]{6,14}")


class MessageParams(Params):
    """Something to be played to one party."""

    type: Literal["media", "tts"]
    "`media`: a media file; `tts`: a text to be spoken."
    value: str
    "Id of the media file, as a string; or the text."


class EmployeeParams(Params):
    """The employee to be rung."""

    id: Id
    "The employee's id."
    phone_number: PhoneNumber | None = None
    "One of the employee's active numbers; without it all of them are rung, one after another."


class StartEmployeeCall(Params):
    first_call: Literal["contact", "employee"]
    "Who is rung first."
    switch_at_once: bool = False
    "Join the two as soon as both have answered, cutting messages; has no power over tts."
    early_switching: bool = False
    "Let the employee hear the contact's early media instead of the waiting music."
    media_file_id: Id | None = None
    "Media file with the waiting music; without it the system file `dialing_music`."
    virtual_phone_number: PhoneNumber
    "One of the account's own numbers; always what the contact is shown."
    virtual_phone_usage_rule: Literal[
        "fixed", "fixed_for_numa", "random", "regional_random", "regional_fixed_for_numa"
    ] = "fixed"
    "How the number shown is chosen; where no rule fits it is `virtual_phone_number`."
    show_virtual_phone_number: bool = True
    "Whether the employee is shown the virtual number; else the contact's."
    contact: PhoneNumber
    "The contact's number, E.164 without +, or the SIP number of an employee."
    external_id: Annotated[str, Field(max_length=255)] | None = None
    "The client's own id for the call; need not be unique."
    dtmf_string: Annotated[str, Field(pattern=f"^{DTMF_STRING.pattern}$")] | None = None
    "Keys sent to the contact from its answer on: `0-9 * #`; a `.` waits one second."
    direction: Literal["in", "out"] | None = None
    "How the session is marked; without it the setting `api.default_direction`."
    contact_message: MessageParams | None = None
    "Played to the contact."
    employee_message: MessageParams | None = None
    "Played to the employee."
    employee: EmployeeParams
    "Whom to ring."


class Speech(Protocol):
    """Turns text into a message; the synthesis starts with the call of `prepare`."""

    def prepare(self, text: str) -> Message: ...


@described
class CallStarted(TypedDict):
    call_session_id: int
    "The session; its fate is told by events and by list.calls."


START_EMPLOYEE_CALL = Declaration(
    "start.employee_call",
    StartEmployeeCall,
    component=Component.BASIC,
    summary="Ring an employee and a contact, speak to each, and join them.",
    errors=(
        "tts_text_exceeded",
        "media_file_not_found",
        "virtual_phone_number_not_found",
        "employee_not_found",
        "no_active_phone_number",
        "own_virtual_phone_number_not_allowed",
        "contact_in_blacklist",
        "character_encoding_not_allowed",
        "invalid_parameters_combination",
    ),
    result=CallStarted,
)


class StartCalls:
    """The methods that create calls. Each returns as soon as the call is on record."""

    def __init__(
        self,
        directory: Directory,
        manager: CallManager,
        speech: Speech,
        api: ApiSettings,
        calls: CallSettings,
    ) -> None:
        self._directory = directory
        self._manager = manager
        self._speech = speech
        self._api = api
        self._calls = calls

    def methods(self) -> Sequence[Method[Any]]:
        return (START_EMPLOYEE_CALL.served_by(self.employee_call),)

    async def employee_call(self, caller: Caller, params: StartEmployeeCall) -> CallStarted:
        if params.early_switching and not (
            params.first_call == "employee" and params.switch_at_once
        ):
            raise errors.InvalidParametersCombination(field="early_switching", value=True)
        messages = {
            "contact_message": params.contact_message,
            "employee_message": params.employee_message,
        }
        for field, message in messages.items():
            self._check_message(field, message)

        account = caller.account
        virtual = await self._virtual_number(account, params.virtual_phone_number)
        contact_address = await self._contact(account, params.contact, virtual)
        employee = await self._employee(account, params.employee.id)
        phones = _phones(employee, params.employee.phone_number)
        waiting_music = await self._waiting_music(account, params.media_file_id)
        contact_file = await self._message_file(account, "contact_message", params.contact_message)
        employee_file = await self._message_file(
            account, "employee_message", params.employee_message
        )

        shown = virtual.number if params.show_virtual_phone_number else params.contact
        plan = EmployeeCall(
            caption=Caption(
                account=account.id,
                method="start.employee_call",
                direction=Direction(params.direction or self._api.default_direction),
                virtual_number=virtual.number,
                contact_number=params.contact,
                external_id=params.external_id,
                dtmf_string=params.dtmf_string or "",
                employee=EmployeeRef(employee.id, employee.full_name),
            ),
            first=Role(params.first_call),
            contact=Target(contact_address, virtual.number, self._calls.dial_time),
            employee=[
                Target(await self._address(phone, virtual), shown, phone.dial_time)
                for phone in phones
            ],
            switch_at_once=params.switch_at_once,
            early_switching=params.early_switching,
            waiting_music=waiting_music,
            contact_message=self._message(params.contact_message, contact_file),
            employee_message=self._message(params.employee_message, employee_file),
            keys=timed_keys(params.dtmf_string) if params.dtmf_string else (),
            talk_at_most=self._calls.talk_at_most,
        )
        return {"call_session_id": await self._start(plan)}

    async def _start(self, plan: EmployeeCall) -> int:
        try:
            return await self._manager.start(plan)
        except (JournalUnavailable, Draining) as reason:
            log.error("no call was started: %s", reason or type(reason).__name__)
            raise errors.InternalError from reason

    def _check_message(self, field: str, message: MessageParams | None) -> None:
        """Refuse what needs no look at the directory."""
        if message is None:
            return
        value = message.value
        if message.type == "media":
            if not (value.isascii() and value.isdigit() and len(value) <= 16):
                raise errors.InvalidParameterValue(field=f"{field}.value", value=value)
            return
        if len(value) > self._api.tts_length_limit:
            raise errors.TtsTextExceeded(
                field=f"{field}.value",
                value=value,
                tts_message_max_length=self._api.tts_length_limit,
                sent_tts_message_length=len(value),
            )
        if not value.strip():
            raise errors.InvalidParameterValue(field=f"{field}.value", value=value)

    async def _virtual_number(self, account: Account, number: str) -> VirtualNumber:
        if found := await self._directory.virtual_number(account.id, number):
            return found
        raise errors.VirtualPhoneNumberNotFound(
            field="virtual_phone_number", value=number, virtual_phone_number=number
        )

    async def _contact(self, account: Account, number: str, virtual: VirtualNumber) -> Address:
        if await self._directory.virtual_number(account.id, number):
            raise errors.OwnVirtualPhoneNumberNotAllowed(field="contact", value=number)
        if await self._directory.blacklisted(account.id, number):
            raise errors.ContactInBlacklist(field="contact", value=number, contact=number)
        if colleague := await self._directory.employee_by_number(account.id, number):
            phone = next(phone for phone in colleague.phones if phone.number == number)
            return await self._address(phone, virtual)
        if not E164.fullmatch(number):  # an extension, or nothing that can be dialled
            raise errors.InvalidParameterValue(field="contact", value=number)
        return await self._through_trunk(number, virtual)

    async def _employee(self, account: Account, employee: int) -> Employee:
        if found := await self._directory.employee(account.id, EmployeeId(employee)):
            return found
        raise errors.EmployeeNotFound(field="employee.id", value=employee, employee_id=employee)

    async def _address(self, phone: Phone, virtual: VirtualNumber) -> Address:
        """Where a phone is: at its own contact, else behind the trunk (a carrier or a PBX)."""
        if phone.contact:
            return Address(phone.number, phone=phone.contact)
        return await self._through_trunk(phone.number, virtual)

    async def _through_trunk(self, number: str, virtual: VirtualNumber) -> Address:
        trunk = virtual.trunk
        if trunk is None:
            trunk = next((trunk.name for trunk in await self._directory.trunks()), None)
        return Address(number, trunk=trunk)

    async def _waiting_music(self, account: Account, file_id: int | None) -> Message:
        if file_id is None:
            file = await self._directory.system_media_file(DIALING_MUSIC)
            if file is None:
                log.error("the system media file %s is missing: run callwright init", DIALING_MUSIC)
                raise errors.InternalError
            return _recorded(file)
        return _recorded(await self._media_file(account, "media_file_id", file_id, file_id))

    async def _message_file(
        self, account: Account, field: str, message: MessageParams | None
    ) -> MediaFile | None:
        if message is None or message.type == "tts":
            return None
        return await self._media_file(account, f"{field}.value", int(message.value), message.value)

    async def _media_file(
        self, account: Account, field: str, file_id: int, value: object
    ) -> MediaFile:
        if file_id < 1 << 53 and (
            found := await self._directory.media_file(account.id, MediaFileId(file_id))
        ):
            return found
        raise errors.MediaFileNotFound(field=field, value=value, media_file_id=file_id)

    def _message(self, message: MessageParams | None, file: MediaFile | None) -> Message | None:
        if message is None:
            return None
        return _recorded(file) if file else self._speech.prepare(message.value)


def _recorded(file: MediaFile) -> RecordedMessage:
    return RecordedMessage(Media(file.path), f"media {file.id}")


def _phones(employee: Employee, number: str | None) -> Sequence[Phone]:
    """The employee's phones to ring. Raises `NoActivePhoneNumber` if there is none."""
    phones = [phone for phone in employee.phones if phone.active and number in (None, phone.number)]
    if not phones:
        if number is None:
            raise errors.NoActivePhoneNumber(field="employee.id", value=employee.id)
        raise errors.NoActivePhoneNumber(field="employee.phone_number", value=number)
    return phones
