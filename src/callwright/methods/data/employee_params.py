"""An employee as it is sent: what may be said of one, and what becomes of the employee by it."""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from callwright.directory.editing import PHONES_AT_MOST, EmployeeDraft, PhoneDraft
from callwright.directory.entries import Text
from callwright.directory.model import EmployeeId, PhoneKind, Recorded, composed_name
from callwright.methods import errors
from callwright.methods.data.employee_status import with_status
from callwright.methods.data.number_check import check_number
from callwright.methods.method import Id, Params, phone_digits
from callwright.numbering import E164

Direction = Literal["in", "out"]
CallType = Literal["internal", "external"]
Status = Literal[
    "available",
    "break",
    "do_not_disturb",
    "not_at_workplace",
    "not_at_work",
    "auto_out_call",
    "unknown",
]


def _phone(number: str, info: ValidationInfo) -> str:
    # A SIP number with a letter in it; "74955140578...2345" is none.
    if re.fullmatch(r"(?=.*[A-Za-z])[0-9A-Za-z][0-9A-Za-z_.-]{0,31}", number):
        return number
    return phone_digits(number, info)


T = TypeVar("T")


def _both(words: tuple[T, ...]) -> tuple[T, ...]:
    if len({*words}) != 2:
        raise ValueError("what an employee may not do, this service does not know")
    return words


Directions = Annotated[tuple[Direction, ...], AfterValidator(_both)] | None
CallTypes = Annotated[tuple[CallType, ...], AfterValidator(_both)] | None


def _null_for_empty(value: object) -> object:
    # As it is shown: who reads, changes and writes sends it back.
    return None if value == {} else value


CHANNELS_AT_MOST = 150
"Of one phone, as requests may say it."

Channels = Annotated[
    int,
    Field(
        ge=1,
        description=f"Calls it may be in at once, at most {CHANNELS_AT_MOST}, or as the directory "
        "file has it; in one more it is busy.",
    ),
]
DialTime = Annotated[float, Field(ge=1, le=100, description="Seconds it is rung.")]


def check_channels(field: str, channels: int, held: Collection[int]) -> None:
    """``held``: what there is already; who sends back what is shown changes nothing."""
    if channels > max(CHANNELS_AT_MOST, *held, 0):
        raise errors.InvalidParameterValue(field=field, value=channels)


class PhoneParams(Params):
    phone_id: Id | None = None
    "A phone the employee has, where it is to get another number."
    phone_number: Annotated[str, AfterValidator(_phone)]
    "E.164 digits without +, or a SIP number; one employee's only."
    channels_count: Channels = 1
    dial_time: DialTime = 60.0
    status: Literal["active", "inactive"] = "active"
    "Only active ones are rung."


class ExtensionParams(Params):
    extension_phone_number: Annotated[str, Field(pattern=r"^[0-9]{1,5}$")]
    "One employee's only. It is rung where it has registered, or else through a trunk."
    extension_voice_mail_enabled: Literal[False] = False
    "There is no voicemail of extensions; see scenarios."
    extension_queue_enabled: Literal[False] = False
    "There is no queue of extensions; see scenarios."


class CoachParams(Params):
    coach_id: Id
    "The employee who coaches this one, where `add.coach` names nobody."
    coach_full_name: str | None = None
    "Ignored: it is that of the employee."
    coach_always_enabled: Literal[False] = False
    "A coach comes by `add.coach`."


class EmployeeGroupParams(Params):
    group_id: Id
    "One of the groups of the directory file."
    group_name: str | None = None
    "Ignored: it is that of the group."


class EmployeeParams(Params):
    last_name: Text | None = None
    "Required, unless `full_name` is sent instead of all three."
    first_name: Text | None = None
    "Beside `last_name`."
    patronymic: Text | None = None
    "Beside `last_name`."
    full_name: Text | None = None
    "Counts where none of its parts is sent; else it is last name, first name and patronymic."
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    "Kept and shown; nothing is sent there."
    phone_numbers: Annotated[tuple[PhoneParams, ...], Field(max_length=PHONES_AT_MOST)] = ()
    "All phones but the extension, in the order they are rung; with it, ten at most."
    extension: Annotated[ExtensionParams | None, BeforeValidator(_null_for_empty)] = None
    "The number colleagues dial; rung after the phones. Null or `{}`: there is none."
    coach: Annotated[CoachParams | None, BeforeValidator(_null_for_empty)] = None
    "Who coaches the employee; null or `{}`: nobody."
    call_recording: Literal["all", "in", "out", "off"] = "all"
    "Which talks are always recorded, by the session's direction."
    groups: Annotated[tuple[Id | EmployeeGroupParams, ...], Field(max_length=100)] = ()
    "All groups the employee is in, by their ids or as they are shown."
    status: Status | None = None
    """Groups and scenarios ring who is `available` or `unknown`; in every status an employee is
    rung who is named by a request or by a number. As it is shown, or null: it stays."""
    status_id: int | None = None
    "The same, by the id that `get.statuses` shows."
    calls_available: bool | None = None
    """False: the employee is not found by any method that starts calls, unless a status that is not
    rung is sent beside it. True: found again, and available. As it is shown, or null: it stays."""
    allowed_in_call_types: CallTypes = None
    "Both, here and in the next: the older words for what follows."
    allowed_out_call_types: CallTypes = None
    "Both."
    in_external_allowed_call_directions: Directions = None
    "Both, here and in the next three: what an employee may not do is not kept here."
    in_internal_allowed_call_directions: Directions = None
    "Both."
    out_external_allowed_call_directions: Directions = None
    "Both."
    out_internal_allowed_call_directions: Directions = None
    "Both."
    login: None = None
    "Null: employees have no logins."
    schedule_id: Id | None = None
    "The employee's schedule, kept and shown; null: none. Whom a scenario rings, it says itself."
    schedule_name: str | None = None
    "Ignored: it is that of the schedule."
    operator: Annotated[None, BeforeValidator(_null_for_empty)] = None
    "Null or `{}`: there are no chats."


def changed(draft: EmployeeDraft, params: EmployeeParams, *, is_new: bool = False) -> EmployeeDraft:
    """What an employee becomes by what was sent. Raises `ApiError`."""
    sent = params.model_fields_set
    draft = _named(draft, params)
    if "email" in sent:
        draft = replace(draft, email=params.email)
    if "coach" in sent:
        coach = None if params.coach is None else EmployeeId(params.coach.coach_id)
        draft = replace(draft, coach=coach)
    if "schedule_id" in sent:
        draft = replace(draft, schedule=params.schedule_id)
    if "call_recording" in sent:
        draft = replace(draft, recorded=Recorded(params.call_recording))
    if "groups" in sent:
        draft = replace(draft, groups=tuple(map(_group, params.groups)))
    if "phone_numbers" in sent or "extension" in sent:
        draft = replace(draft, phones=_phones(draft, params))
    return with_status(
        draft, params.status, params.status_id, params.calls_available, is_new=is_new
    )


def _group(sent: int | EmployeeGroupParams) -> int:
    return sent if isinstance(sent, int) else sent.group_id


def _named(draft: EmployeeDraft, params: EmployeeParams) -> EmployeeDraft:
    names = ("last_name", "first_name", "patronymic")
    sent = {name: getattr(params, name) for name in names if name in params.model_fields_set}
    # Nobody is without one: to take it away is not what null can mean.
    if params.last_name is None:
        sent.pop("last_name", None)
    if params.full_name is not None and not any(sent.values()):
        if params.full_name == draft.full_name:
            return draft
        return replace(
            draft, full_name=params.full_name, last_name=None, first_name=None, patronymic=None
        )
    if not sent or not (draft.last_name or any(sent.values())):
        # Parts that are not known are shown as null, and sent back so.
        return draft
    held: dict[str, str | None] = {}
    if draft.last_name:
        held = {name: getattr(draft, name) for name in names}
    parts = {**held, **sent}
    last_name, first_name = parts.get("last_name"), parts.get("first_name")
    if last_name is None:
        raise errors.RequiredParameterMissed(field="last_name")
    patronymic = parts.get("patronymic")
    return replace(
        draft,
        full_name=composed_name(last_name, first_name, patronymic),
        last_name=last_name,
        first_name=first_name,
        patronymic=patronymic,
    )


def _phones(draft: EmployeeDraft, params: EmployeeParams) -> tuple[PhoneDraft, ...]:
    extension = next((phone for phone in draft.phones if phone.kind is PhoneKind.EXTENSION), None)
    phones = [phone for phone in draft.phones if phone is not extension]
    if "phone_numbers" in params.model_fields_set:
        phones = [
            _phone_draft(at, phone, draft.phones) for at, phone in enumerate(params.phone_numbers)
        ]
    if "extension" in params.model_fields_set:
        extension = None if params.extension is None else _extension_draft(params.extension)
    if len(phones) + (extension is not None) > PHONES_AT_MOST:
        raise errors.InvalidParameterValue(field="phone_numbers")
    return (*phones, extension) if extension else tuple(phones)


def _phone_draft(at: int, phone: PhoneParams, held: Collection[PhoneDraft]) -> PhoneDraft:
    """``held``: the employee's phones; their numbers are taken whatever those look like."""
    place, number = f"phone_numbers.{at}", phone.phone_number
    field = f"{place}.phone_number"
    if number not in {one.number for one in held}:
        check_number(field, number)
    check_channels(f"{place}.channels_count", phone.channels_count, [one.channels for one in held])
    return PhoneDraft(
        number=number,
        kind=PhoneKind.E164 if E164.fullmatch(number) else PhoneKind.SIP,
        dial_time=phone.dial_time,
        active=phone.status == "active",
        channels=phone.channels_count,
        id=phone.phone_id,
        field=field,
    )


def _extension_draft(extension: ExtensionParams) -> PhoneDraft:
    return PhoneDraft(
        number=extension.extension_phone_number,
        kind=PhoneKind.EXTENSION,
        dial_time=60.0,
        active=True,
        field="extension.extension_phone_number",
    )
