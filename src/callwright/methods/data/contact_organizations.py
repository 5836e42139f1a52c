"""Organisations of contacts: get.contact_organizations, and create, update and delete of them."""

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from callwright.directory.contacts import OrganizationsEditor
from callwright.directory.entries import Text
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
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Method, Params, described


class CreateOrganization(Params):
    name: Text
    "Unique in the account."


class UpdateOrganization(OfEntity):
    name: Text
    "Unique in the account."


@described
class ShownOrganization(TypedDict):
    id: int
    name: str


GET_CONTACT_ORGANIZATIONS = list_declaration(
    "get.contact_organizations",
    ShownOrganization,
    table="contact_organizations",
    params=ListRequest,
    summary="List the organisations that contacts belong to.",
)
CREATE_CONTACT_ORGANIZATIONS = entity_declaration(
    "create.contact_organizations",
    CreateOrganization,
    summary="Create an organisation.",
    errors=(DUPLICATE,),
    result=Made,
)
UPDATE_CONTACT_ORGANIZATIONS = entity_declaration(
    "update.contact_organizations",
    UpdateOrganization,
    summary="Rename an organisation.",
    errors=(NOT_FOUND, DUPLICATE),
)
DELETE_CONTACT_ORGANIZATIONS = deletion(
    "delete.contact_organizations",
    summary="Delete an organisation that no contact belongs to.",
    errors=(DEPENDENCY,),
)
DECLARATIONS = (
    GET_CONTACT_ORGANIZATIONS,
    CREATE_CONTACT_ORGANIZATIONS,
    UPDATE_CONTACT_ORGANIZATIONS,
    DELETE_CONTACT_ORGANIZATIONS,
)


class ContactOrganizations:
    def __init__(self, editor: OrganizationsEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_CONTACT_ORGANIZATIONS.served_by(self.create),
            UPDATE_CONTACT_ORGANIZATIONS.served_by(self.update),
            DELETE_CONTACT_ORGANIZATIONS.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: CreateOrganization) -> Made:
        with answering():
            return {"id": await self._editor.add_organization(caller.account.id, params.name)}

    async def update(self, caller: Caller, params: UpdateOrganization) -> Done:
        with answering():
            await self._editor.rename_organization(caller.account.id, params.id, params.name)
        return DONE

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_organization(caller.account.id, params.id)
        return DONE
