"""Groups of contacts: get.group_contacts, and create, update and delete of them."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from callwright.directory.contacts import ContactGroupsEditor
from callwright.directory.entries import Text
from callwright.methods.data.entity_method import (
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
from callwright.methods.data.list_fields import Always, Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Id, Method, Params, described

MEMBERS_AT_MOST = 10_000
"Whom one request may put into a group; contacts may be put into one by their own methods, too."


class MemberParams(Params):
    contact_id: Id
    "One of `get.contacts`."
    contact_full_name: str | None = None
    "Ignored: it is that of the contact."


Members = Annotated[tuple[Id | MemberParams, ...], Field(max_length=MEMBERS_AT_MOST)]


class CreateContactGroup(Params):
    name: Text
    "Unique in the account."
    members: Members | None = None
    "Contacts, by their ids or as they are shown."


class UpdateContactGroup(OfEntity):
    name: Text | None = None
    "Unique in the account; left out, it stays."
    members: Members | None = None
    "All contacts of the group from now on; left out, they stay."


class MemberContact(TypedDict):
    contact_id: Annotated[int, Stored("id")]
    contact_full_name: Annotated[str, Stored("full_name")]


@described
class ShownContactGroup(TypedDict):
    id: int
    name: str
    is_system: Annotated[bool, Always(False)]
    "Always false."
    members: list[MemberContact]


GET_GROUP_CONTACTS = list_declaration(
    "get.group_contacts",
    ShownContactGroup,
    table="contact_groups",
    params=ListRequest,
    summary="List the groups of the account's contacts.",
)
CREATE_GROUP_CONTACTS = entity_declaration(
    "create.group_contacts",
    CreateContactGroup,
    summary="Create a group of contacts.",
    errors=(NOT_FOUND, DUPLICATE),
    result=Made,
)
UPDATE_GROUP_CONTACTS = entity_declaration(
    "update.group_contacts",
    UpdateContactGroup,
    summary="Change what is sent of a group of contacts.",
    errors=(NOT_FOUND, DUPLICATE),
)
DELETE_GROUP_CONTACTS = deletion(
    "delete.group_contacts", summary="Delete a group of contacts; its members stay."
)
DECLARATIONS = (
    GET_GROUP_CONTACTS,
    CREATE_GROUP_CONTACTS,
    UPDATE_GROUP_CONTACTS,
    DELETE_GROUP_CONTACTS,
)


class ContactGroups:
    def __init__(self, editor: ContactGroupsEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_GROUP_CONTACTS.served_by(self.create),
            UPDATE_GROUP_CONTACTS.served_by(self.update),
            DELETE_GROUP_CONTACTS.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: CreateContactGroup) -> Made:
        with answering():
            group = await self._editor.add_group(
                caller.account.id, params.name, _ids(params.members)
            )
        return {"id": group}

    async def update(self, caller: Caller, params: UpdateContactGroup) -> Done:
        with answering():
            await self._editor.change_group(
                caller.account.id, params.id, params.name, _ids(params.members)
            )
        return DONE

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_group(caller.account.id, params.id)
        return DONE


def _ids(members: Sequence[int | MemberParams] | None) -> list[int] | None:
    if members is None:
        return None
    return [one if isinstance(one, int) else one.contact_id for one in members]
