"""Groups of employees: their list, and the methods that create, change, order and delete them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from callwright.directory.editing import GroupDraft, GroupsEditor
from callwright.directory.entries import Text
from callwright.directory.group import CHANNELS_AT_MOST, PhoneOrder
from callwright.directory.model import EmployeeId
from callwright.methods import errors
from callwright.methods.data.entity_method import (
    DEPENDENCY,
    DONE,
    DUPLICATE,
    NOT_FOUND,
    Done,
    Made,
    OfEntity,
    answering,
    deletion,
    entity_declaration,
)
from callwright.methods.data.list_fields import ON_REQUEST, Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Id, Method, Params, described

MEMBERS_AT_MOST = 50


class GroupMemberParams(Params):
    employee_id: Id
    "An employee of the account's."
    employee_full_name: str | None = None
    "Ignored: it is that of the employee."


class GroupParams(Params):
    name: Text | None = None
    "Unique in the account; what scenarios call the group."
    members: Annotated[tuple[Id | GroupMemberParams, ...], Field(max_length=MEMBERS_AT_MOST)] = ()
    "Its employees, by their ids or as they are shown; in this order they are rung, 50 at most."
    group_phone_number: Annotated[str, Field(pattern=r"^[0-9]{1,5}$")] | None = None
    "The number colleagues dial for the group; no employee's, and no other group's."
    queue_enabled: bool = False
    "Whom a scenario puts through to the group alone waits in a queue until somebody is free."
    channels_count: Annotated[int, Field(ge=1, le=CHANNELS_AT_MOST)] = CHANNELS_AT_MOST
    "Calls the group may be in at once; in one more it is busy."


class UpdateGroup(GroupParams):
    id: Id
    "Which one. What is left out stays; members are replaced as a whole; null clears."


class OrderedPhoneParams(Params):
    employee_phone_number_id: Id
    "Of a phone of one of the members."
    available: bool
    "False: the group does not ring it."
    employee_phone_number: str | None = None
    "Ignored, as the next two: they are those of the phone."
    employee_id: Id | None = None
    "Ignored."
    employee_full_name: str | None = None
    "Ignored."


class OrderGroup(OfEntity):
    phone_numbers: Annotated[tuple[OrderedPhoneParams, ...], Field(max_length=1000)]
    "All phones of the group, in the order they are to be rung."


@described
class ShownMember(TypedDict):
    employee_id: Annotated[int, Stored("id")]
    employee_full_name: Annotated[str, Stored("full_name")]


@described
class ShownGroupPhone(TypedDict):
    employee_phone_number: Annotated[str, Stored("number")]
    employee_phone_number_id: Annotated[int, Stored("id")]
    employee_id: int
    employee_full_name: Annotated[str, Stored("full_name")]
    available: bool
    "Whether the group rings it."


@described
class ShownEmployeeGroup(TypedDict):
    id: int
    name: str
    members: list[ShownMember]
    phone_numbers: Annotated[list[ShownGroupPhone], Stored("phones")]
    "In the order they are rung."
    group_phone_number: Annotated[str | None, Stored("number")]
    queue_enabled: Annotated[bool, Stored("queue")]
    channels_count: Annotated[int, Stored("channels")]
    "Calls the group may be in at once."
    phone_number: Annotated[list[ShownGroupPhone], Stored("phones"), ON_REQUEST]
    "`phone_numbers`, by the name that comagic-data-api-sdk asks for them by."


GET_GROUP_EMPLOYEES = list_declaration(
    "get.group_employees",
    ShownEmployeeGroup,
    table="employee_groups",
    params=ListRequest,
    summary="List the account's groups of employees.",
)
CREATE_GROUP_EMPLOYEES = entity_declaration(
    "create.group_employees",
    GroupParams,
    summary="Create a group of employees.",
    errors=(NOT_FOUND, DUPLICATE),
    result=Made,
)
UPDATE_GROUP_EMPLOYEES = entity_declaration(
    "update.group_employees",
    UpdateGroup,
    summary="Change what is sent of a group; scenarios that ring it know it by its new name.",
    errors=(NOT_FOUND, DUPLICATE),
)
UPDATE_GROUP_EMPLOYEES_NUMBERS = entity_declaration(
    "update.group_employees_numbers",
    OrderGroup,
    summary="Say in which order a group's phones are rung, and which of them are not.",
    errors=(NOT_FOUND,),
)
DELETE_GROUP_EMPLOYEES = deletion(
    "delete.group_employees",
    summary="Delete a group that no scenario rings; its employees stay.",
    errors=(DEPENDENCY,),
)
DECLARATIONS = (
    GET_GROUP_EMPLOYEES,
    CREATE_GROUP_EMPLOYEES,
    UPDATE_GROUP_EMPLOYEES,
    UPDATE_GROUP_EMPLOYEES_NUMBERS,
    DELETE_GROUP_EMPLOYEES,
)


class EmployeeGroups:
    def __init__(self, editor: GroupsEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_GROUP_EMPLOYEES.served_by(self.create),
            UPDATE_GROUP_EMPLOYEES.served_by(self.update),
            UPDATE_GROUP_EMPLOYEES_NUMBERS.served_by(self.order),
            DELETE_GROUP_EMPLOYEES.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: GroupParams) -> Made:
        if params.name is None:
            raise errors.RequiredParameterMissed(field="name")
        draft = _changed(GroupDraft(params.name), params)
        with answering():
            return {"id": await self._editor.add_group(caller.account.id, draft)}

    async def update(self, caller: Caller, params: UpdateGroup) -> Done:
        with answering():
            await self._editor.change_group(
                caller.account.id, params.id, lambda draft: _changed(draft, params)
            )
        return DONE

    async def order(self, caller: Caller, params: OrderGroup) -> Done:
        def ordered(there: Sequence[tuple[int, str]]) -> PhoneOrder:
            numbers = dict(there)
            sent = [phone.employee_phone_number_id for phone in params.phone_numbers]
            # Whoever leaves one out does not know of it, and would have it moved unseen.
            if sorted(sent) != sorted(numbers):
                raise errors.InvalidParameterValue(field="phone_numbers")
            return [
                (numbers[phone.employee_phone_number_id], phone.available)
                for phone in params.phone_numbers
            ]

        with answering():
            await self._editor.order_group(caller.account.id, params.id, ordered)
        return DONE

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_group(caller.account.id, params.id)
        return DONE


def _changed(draft: GroupDraft, params: GroupParams) -> GroupDraft:
    sent = params.model_fields_set
    if params.name is not None:
        draft = replace(draft, name=params.name)
    if "members" in sent:
        ids = [one if isinstance(one, int) else one.employee_id for one in params.members]
        draft = replace(draft, employees=tuple(map(EmployeeId, dict.fromkeys(ids))))
    if "group_phone_number" in sent:
        draft = replace(draft, number=params.group_phone_number)
    if "queue_enabled" in sent:
        draft = replace(draft, queue=params.queue_enabled)
    if "channels_count" in sent:
        draft = replace(draft, channels=params.channels_count)
    return draft
