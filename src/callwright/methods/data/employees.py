"""Employees: get.employees, create.employees, update.employees, delete.employees."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from typing_extensions import TypedDict

from callwright.directory.editing import EmployeeDraft, EmployeesEditor
from callwright.directory.model import EmployeeId
from callwright.methods import errors
from callwright.methods.data.employee_params import (
    CallType,
    Direction,
    EmployeeParams,
    Status,
    changed,
)
from callwright.methods.data.entity_method import (
    DEPENDENCY,
    DONE,
    DUPLICATE,
    NOT_FOUND,
    UNUSABLE,
    Done,
    Made,
    OfEntity,
    answering,
    deletion,
    entity_declaration,
)
from callwright.methods.data.list_fields import (
    UNKNOWN,
    Always,
    Stored,
    UnknownText,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Id, Method, described


class UpdateEmployee(EmployeeParams):
    id: Id
    "Which one. What is left out stays; arrays are replaced as a whole; null clears."


BOTH_TYPES, BOTH_WAYS = Always(["internal", "external"]), Always(["in", "out"])


@described
class ShownPhone(TypedDict):
    phone_id: Annotated[int, Stored("id")]
    phone_number: Annotated[str, Stored("number")]
    channels_count: Annotated[int, Stored("channels")]
    "Calls it may be in at once."
    dial_time: int
    "Seconds."
    status: Annotated[
        Literal["active", "inactive"], Stored("active", {True: "active", False: "inactive"})
    ]


class ShownExtension(TypedDict, total=False):
    extension_phone_number: Annotated[str, Stored("number")]
    extension_voice_mail_enabled: Annotated[bool, Always(False)]
    extension_queue_enabled: Annotated[bool, Always(False)]


class ShownCoach(TypedDict, total=False):
    coach_id: Annotated[int, Stored("id")]
    coach_full_name: Annotated[str | None, Stored("full_name")]
    coach_always_enabled: Annotated[bool, Always(False)]


class ShownGroup(TypedDict):
    group_id: Annotated[int, Stored("id")]
    group_name: Annotated[str, Stored("name")]


@described
class ShownEmployee(TypedDict):
    id: int
    login: UnknownText
    last_name: str | None
    "Null, as its two neighbours, where only the full name is known."
    first_name: str | None
    patronymic: str | None
    full_name: str
    status: Status
    status_id: int
    "Of `get.statuses`."
    calls_available: bool
    "Whether groups and scenarios ring the employee."
    email: str | None
    call_recording: Literal["all", "in", "out", "off"]
    schedule_id: Annotated[int | None, Stored("schedule")]
    schedule_name: str | None
    "Of `get.schedules`."
    coach: ShownCoach
    "Empty: there is none."
    groups: list[ShownGroup]
    phone_numbers: Annotated[list[ShownPhone], Stored("phones")]
    "In the order they are rung."
    extension: ShownExtension
    "Empty: there is none."
    operator: Annotated[dict[str, object], UNKNOWN]
    "Empty: nobody chats here."
    allowed_in_call_types: Annotated[list[CallType], BOTH_TYPES]
    "Both, in the older words; as are the next four."
    allowed_out_call_types: Annotated[list[CallType], BOTH_TYPES]
    "Both."
    in_external_allowed_call_directions: Annotated[list[Direction], BOTH_WAYS]
    in_internal_allowed_call_directions: Annotated[list[Direction], BOTH_WAYS]
    out_external_allowed_call_directions: Annotated[list[Direction], BOTH_WAYS]
    out_internal_allowed_call_directions: Annotated[list[Direction], BOTH_WAYS]


GET_EMPLOYEES = list_declaration(
    "get.employees",
    ShownEmployee,
    table="employees",
    params=ListRequest,
    summary="List the account's employees.",
)
CREATE_EMPLOYEES = entity_declaration(
    "create.employees",
    EmployeeParams,
    summary="Create an employee.",
    errors=(NOT_FOUND, DUPLICATE),
    result=Made,
)
UPDATE_EMPLOYEES = entity_declaration(
    "update.employees",
    UpdateEmployee,
    summary="Change what is sent of an employee.",
    errors=(NOT_FOUND, DUPLICATE, DEPENDENCY, UNUSABLE),
)
DELETE_EMPLOYEES = deletion(
    "delete.employees",
    summary="Delete an employee with their phones and SIP lines.",
    errors=(DEPENDENCY,),
)
# What a published client, comagic-data-api-sdk, asks for.
DELETE_EMPLOYEE = replace(
    DELETE_EMPLOYEES, name="delete.employee", summary="The same as `delete.employees`."
)
DECLARATIONS = (
    GET_EMPLOYEES,
    CREATE_EMPLOYEES,
    UPDATE_EMPLOYEES,
    DELETE_EMPLOYEES,
    DELETE_EMPLOYEE,
)


class Employees:
    def __init__(self, editor: EmployeesEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_EMPLOYEES.served_by(self.create),
            UPDATE_EMPLOYEES.served_by(self.update),
            DELETE_EMPLOYEES.served_by(self.delete),
            DELETE_EMPLOYEE.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: EmployeeParams) -> Made:
        if not (params.full_name or params.last_name):
            raise errors.RequiredParameterMissed(field="last_name")
        draft = changed(EmployeeDraft(full_name=""), params, is_new=True)
        with answering():
            return {"id": await self._editor.add_employee(caller.account.id, draft)}

    async def update(self, caller: Caller, params: UpdateEmployee) -> Done:
        with answering():
            await self._editor.change_employee(
                caller.account.id,
                EmployeeId(params.id),
                lambda draft: changed(draft, params),
            )
        return DONE

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_employee(caller.account.id, EmployeeId(params.id))
        return DONE
