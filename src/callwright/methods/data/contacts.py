"""Contacts: get.contacts, create.contacts, update.contacts, delete.contacts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from callwright.directory.contacts import (
    EMAILS_AT_MOST,
    GROUPS_AT_MOST,
    NUMBERS_AT_MOST,
    ContactDraft,
    ContactsEditor,
    Email,
)
from callwright.directory.entries import Text
from callwright.directory.model import EmployeeId
from callwright.methods import errors
from callwright.methods.data.entity_method import (
    DONE,
    NOT_FOUND,
    Done,
    Made,
    answering,
    entity_declaration,
)
from callwright.methods.data.list_fields import SEARCHED, Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.data.number_check import check_number
from callwright.methods.method import Caller, Id, Method, Params, PhoneNumber, described

REMOVED_AT_MOST = 1000
"Contacts, by one request."


class ContactGroupParams(Params):
    group_id: Id
    "One of `get.group_contacts`."
    group_name: str | None = None
    "Ignored: it is that of the group."


Emails = Annotated[tuple[Email, ...], Field(max_length=EMAILS_AT_MOST)]
Numbers = Annotated[tuple[PhoneNumber, ...], Field(max_length=NUMBERS_AT_MOST)]
Groups = Annotated[tuple[Id | ContactGroupParams, ...], Field(max_length=GROUPS_AT_MOST)]


class ContactParams(Params):
    first_name: Text | None = None
    "The middle of the full name; null: none."
    last_name: Text | None = None
    "The full name is last name, first name and patronymic."
    patronymic: Text | None = None
    "The end of the full name; null: none."
    emails: Emails | None = None
    "All of them, 10 at most; kept and shown, nothing is sent there."
    phone_numbers: Numbers | None = None
    "All of them, 10 at most, E.164 digits without +: calls with them show the contact's name."
    personal_manager_id: Id | None = None
    "The employee who looks after the contact; null: nobody."
    organization_id: Id | None = None
    "One of `get.contact_organizations`; null: none."
    groups: Groups | None = None
    "All groups the contact is in, by their ids or as they are shown."


class CreateContact(ContactParams):
    last_name: Text
    "The full name is last name, first name and patronymic."
    phone_numbers: Numbers
    "Ten at most, E.164 digits without +: calls with them show the contact's name."


class UpdateContact(ContactParams):
    id: Id
    "Which one. What is left out stays; arrays are replaced as a whole; null clears."


class DeleteContacts(Params):
    id: Id | None = None
    "Which one."
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=REMOVED_AT_MOST)] | None = None
    "Several at once, all of them or none, in place of `id`."


class GroupOfContact(TypedDict):
    group_id: Annotated[int, Stored("id")]
    group_name: Annotated[str, Stored("name")]


@described
class ShownContact(TypedDict):
    id: int
    first_name: str | None
    last_name: str
    patronymic: str | None
    full_name: str
    "What calls and reports show."
    emails: Annotated[list[str], SEARCHED]
    phone_numbers: Annotated[list[str], SEARCHED]
    personal_manager_id: Annotated[int | None, Stored("personal_manager")]
    "The employee who looks after the contact."
    personal_manager_full_name: Annotated[str | None, Stored("manager_full_name")]
    organization_id: Annotated[int | None, Stored("organization")]
    organization_name: str | None
    groups: Annotated[list[GroupOfContact], SEARCHED]


GET_CONTACTS = list_declaration(
    "get.contacts",
    ShownContact,
    table="contacts",
    params=ListRequest,
    summary="List the account's contacts: people outside whom it knows by name.",
)
CREATE_CONTACTS = entity_declaration(
    "create.contacts",
    CreateContact,
    summary="Create a contact.",
    errors=(NOT_FOUND,),
    result=Made,
)
UPDATE_CONTACTS = entity_declaration(
    "update.contacts",
    UpdateContact,
    summary="Change what is sent of a contact; past calls keep its name.",
    errors=(NOT_FOUND,),
)
DELETE_CONTACTS = entity_declaration(
    "delete.contacts",
    DeleteContacts,
    summary="Delete contacts; past calls keep their names.",
    errors=(NOT_FOUND, "invalid_parameters_combination"),
)
DECLARATIONS = (GET_CONTACTS, CREATE_CONTACTS, UPDATE_CONTACTS, DELETE_CONTACTS)


class Contacts:
    def __init__(self, editor: ContactsEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_CONTACTS.served_by(self.create),
            UPDATE_CONTACTS.served_by(self.update),
            DELETE_CONTACTS.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: CreateContact) -> Made:
        draft = _changed(ContactDraft(params.last_name), params)
        with answering():
            return {"id": await self._editor.add_contact(caller.account.id, draft)}

    async def update(self, caller: Caller, params: UpdateContact) -> Done:
        with answering():
            await self._editor.change_contact(
                caller.account.id, params.id, lambda draft: _changed(draft, params)
            )
        return DONE

    async def delete(self, caller: Caller, params: DeleteContacts) -> Done:
        if params.id is not None and params.ids is not None:
            raise errors.InvalidParametersCombination(field="ids")
        asked = (params.id,) if params.id is not None else params.ids
        if asked is None:
            raise errors.RequiredParameterMissed(field="id")
        with answering():
            await self._editor.remove_contacts(caller.account.id, asked)
        return DONE


def _changed(draft: ContactDraft, params: ContactParams) -> ContactDraft:
    """What a contact becomes by what was sent. Raises `InvalidParameterValue`."""
    sent = params.model_fields_set
    # Nobody is without one: to take it away is not what null can mean.
    if params.last_name is not None:
        draft = replace(draft, last_name=params.last_name)
    if "first_name" in sent:
        draft = replace(draft, first_name=params.first_name)
    if "patronymic" in sent:
        draft = replace(draft, patronymic=params.patronymic)
    if "emails" in sent:
        draft = replace(draft, emails=params.emails or ())
    if "phone_numbers" in sent:
        draft = replace(draft, numbers=_numbers(draft, params.phone_numbers or ()))
    if "personal_manager_id" in sent:
        manager = params.personal_manager_id
        draft = replace(draft, manager=None if manager is None else EmployeeId(manager))
    if "organization_id" in sent:
        draft = replace(draft, organization=params.organization_id)
    if "groups" in sent:
        groups = (one if isinstance(one, int) else one.group_id for one in params.groups or ())
        draft = replace(draft, groups=tuple(groups))
    return draft


def _numbers(draft: ContactDraft, numbers: Sequence[str]) -> tuple[str, ...]:
    for at, number in enumerate(numbers):
        if number not in draft.numbers:
            check_number(f"phone_numbers.{at}", number)
    return tuple(numbers)
