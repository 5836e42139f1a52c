"""SIP lines, which are phones of employees that register with us."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import TypedDict

from callwright.directory.editing import AlreadyThere, SipLineDraft, SipLinesEditor
from callwright.directory.model import AccountId, EmployeeId
from callwright.directory.tokens import new_password
from callwright.methods import errors
from callwright.methods.data.employee_params import Channels, DialTime, check_channels
from callwright.methods.data.entity_method import (
    DONE,
    DUPLICATE,
    NOT_FOUND,
    UNUSABLE,
    Done,
    OfEntity,
    answering,
    deletion,
    entity_declaration,
)
from callwright.methods.data.list_fields import (
    COMPUTED,
    Always,
    MadeOf,
    Makers,
    Moment,
    Stored,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Id, Method, Params, PhoneNumber, described

COMBINATION = errors.InvalidParametersCombination.mnemonic

ATTEMPTS = 5
"To find a number that is free."


def _printable(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("a password that every phone can take is needed")
    return text


Password = Annotated[str, Field(min_length=8, max_length=128), AfterValidator(_printable)]


class SipLineParams(Params):
    channels_count: Channels = 1
    dial_time: DialTime = 60.0
    status: Literal["active", "inactive"] = "active"
    "Only active lines can register, and are rung."
    billing_state: Literal["active", "manual_lock"] = "active"
    "The same in other words: `manual_lock` is inactive."
    virtual_phone_number: PhoneNumber | None = None
    """One of the account's: calls that the phone makes bear it, and a number outside is shown it.
    Null, or a number not in use: the account's first."""
    srtp: bool = False
    "Its audio goes over SRTP, both ways, or not at all."

    @model_validator(mode="after")
    def _one_state(self) -> Self:
        sent = {"status", "billing_state"} <= self.model_fields_set
        if sent and (self.status == "active") is not (self.billing_state == "active"):
            raise errors.InvalidParametersCombination(
                field="billing_state", value=self.billing_state
            )
        return self

    @property
    def active(self) -> bool | None:
        """Whether the line is to be in use; None: nothing was sent of it."""
        if "status" in self.model_fields_set:
            return self.status == "active"
        return self.billing_state == "active" if "billing_state" in self.model_fields_set else None


class CreateSipLine(SipLineParams):
    employee_id: Id
    "Whose phone it is; it is rung after the others."
    phone_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z_.-]{0,31}$")] | None = None
    "User it registers as, unique over all accounts; left out: a number that is free."
    password: Password | None = None
    "Left out: one is made."


class UpdateSipLine(SipLineParams):
    id: Id
    "Which one. What is left out stays."
    employee_id: Id | None = None
    "Whose phone it becomes."


class UpdateSipLinePassword(OfEntity):
    password: Password | None = None
    "Left out: one is made."


@described
class SipLineAccess(TypedDict):
    id: int
    phone_number: str
    "User it registers as."
    password: str
    "Shown here only."
    server: str
    "Where it registers: host, and port where it is not 5060."


@described
class RegisteredFrom(TypedDict):
    date_time: Moment
    "When it last did."
    ip: str


@described
class ShownSipLine(TypedDict):
    id: int
    phone_number: Annotated[str, Stored("number")]
    "User it registers as."
    employee_id: int
    employee_full_name: Annotated[str, COMPUTED]
    type: Annotated[Literal["in_out"], Always("in_out")]
    channels_count: Annotated[int, Stored("channels")]
    "Calls it may be in at once."
    virtual_phone_number: Annotated[str | None, Stored("virtual_number")]
    "The account's number that belongs to it."
    dial_time: int
    "Seconds."
    status: Annotated[
        Literal["active", "inactive"], Stored("active", {True: "active", False: "inactive"})
    ]
    billing_state: Annotated[
        Literal["active", "manual_lock"], Stored("active", {True: "active", False: "manual_lock"})
    ]
    "The same as `status`, in other words."
    physical_state: Annotated[Literal["Зарегистрирован", "Не зарегистрирован"], MadeOf("number")]
    "Whether a phone has registered."
    ip_addresses: Annotated[list[RegisteredFrom], MadeOf("number")]
    "From where."
    srtp: bool


GET_SIP_LINES = list_declaration(
    "get.sip_lines",
    ShownSipLine,
    table="employee_phones",
    params=ListRequest,
    summary="List the phones that may register, and where they have.",
)
CREATE_SIP_LINES = entity_declaration(
    "create.sip_lines",
    CreateSipLine,
    summary="Give an employee a phone that registers with us.",
    errors=(NOT_FOUND, DUPLICATE, UNUSABLE, COMBINATION),
    result=SipLineAccess,
)
UPDATE_SIP_LINES = entity_declaration(
    "update.sip_lines",
    UpdateSipLine,
    summary="Change what is sent of a SIP line.",
    errors=(NOT_FOUND, UNUSABLE, COMBINATION),
)
DELETE_SIP_LINES = deletion(
    "delete.sip_lines",
    summary="Delete a SIP line; its phone is not registered any more.",
)
UPDATE_SIP_LINE_PASSWORD = entity_declaration(
    "update.sip_line_password",
    UpdateSipLinePassword,
    summary="Give a SIP line another password; its phone must register anew.",
    errors=(NOT_FOUND,),
    result=SipLineAccess,
)
DECLARATIONS = (
    GET_SIP_LINES,
    CREATE_SIP_LINES,
    UPDATE_SIP_LINES,
    DELETE_SIP_LINES,
    UPDATE_SIP_LINE_PASSWORD,
)


def registrations(registered: Callable[[str], Sequence[tuple[datetime, str]]]) -> Makers:
    """``registered``: when and from which addresses the phone of a number has registered."""
    return {
        "physical_state": lambda number: (
            "Зарегистрирован" if registered(number) else "Не зарегистрирован"
        ),
        "ip_addresses": lambda number: [
            {"date_time": time, "ip": address} for time, address in registered(number)
        ],
    }


class SipLines:
    """``server``: where phones register."""

    def __init__(self, editor: SipLinesEditor, server: str) -> None:
        self._editor = editor
        self._server = server

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_SIP_LINES.served_by(self.create),
            UPDATE_SIP_LINES.served_by(self.update),
            DELETE_SIP_LINES.served_by(self.delete),
            UPDATE_SIP_LINE_PASSWORD.served_by(self.set_password),
        )

    async def create(self, caller: Caller, params: CreateSipLine) -> SipLineAccess:
        check_channels("channels_count", params.channels_count, ())
        draft = SipLineDraft(
            number=params.phone_number or "",
            employee=EmployeeId(params.employee_id),
            password=params.password or new_password(),
            dial_time=params.dial_time,
            active=params.active is not False,
            srtp=params.srtp,
            channels=params.channels_count,
            virtual_number=params.virtual_phone_number,
        )
        with answering():
            if params.phone_number is None:
                line, draft = await self._add_under_free_number(caller.account.id, draft)
            else:
                line = await self._editor.add_sip_line(caller.account.id, draft)
        return self._access(line, draft)

    async def update(self, caller: Caller, params: UpdateSipLine) -> Done:
        sent = params.model_fields_set

        def change(draft: SipLineDraft) -> SipLineDraft:
            if params.employee_id is not None:
                draft = replace(draft, employee=EmployeeId(params.employee_id))
            if "dial_time" in sent:
                draft = replace(draft, dial_time=params.dial_time)
            if "channels_count" in sent:
                check_channels("channels_count", params.channels_count, [draft.channels])
                draft = replace(draft, channels=params.channels_count)
            if params.active is not None:
                draft = replace(draft, active=params.active)
            if "virtual_phone_number" in sent:
                draft = replace(draft, virtual_number=params.virtual_phone_number)
            return replace(draft, srtp=params.srtp) if "srtp" in sent else draft

        with answering():
            await self._editor.change_sip_line(caller.account.id, params.id, change)
        return DONE

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_sip_line(caller.account.id, params.id)
        return DONE

    async def set_password(self, caller: Caller, params: UpdateSipLinePassword) -> SipLineAccess:
        password = params.password or new_password()
        with answering():
            line = await self._editor.change_sip_line(
                caller.account.id, params.id, lambda draft: replace(draft, password=password)
            )
        return self._access(params.id, line)

    async def _add_under_free_number(
        self, account: AccountId, draft: SipLineDraft
    ) -> tuple[int, SipLineDraft]:
        for attempt in range(1, ATTEMPTS + 1):
            # A leading zero: no number of the telephone network's is meant by it.
            tried = replace(draft, number=f"0{secrets.randbelow(10**7):07}")
            try:
                return await self._editor.add_sip_line(account, tried), tried
            except AlreadyThere:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _access(self, line: int, draft: SipLineDraft) -> SipLineAccess:
        return {
            "id": line,
            "phone_number": draft.number,
            "password": draft.password,
            "server": self._server,
        }
