"""Entries of contacts: what the directory file may say of people outside."""

from typing import Annotated

from pydantic import Field

from callwright.directory.contacts import EMAILS_AT_MOST, GROUPS_AT_MOST, NUMBERS_AT_MOST, Email
from callwright.directory.entry import E164, FileEntry, Id, Text
from callwright.directory.model import composed_name


class ContactGroupEntry(FileEntry):
    id: Id
    "Number clients name the group by."
    name: Text
    "Unique in the account."


class ContactOrganizationEntry(FileEntry):
    id: Id
    "Number clients name the organisation by."
    name: Text
    "Unique in the account."


class ContactEntry(FileEntry):
    id: Id
    "Number clients name the contact by."
    last_name: Text
    first_name: Text | None = None
    patronymic: Text | None = None
    phone_numbers: Annotated[list[E164], Field(max_length=NUMBERS_AT_MOST)] = []
    "Whoever calls from one of them, or is called at it, is this contact; digits without +."
    emails: Annotated[list[Email], Field(max_length=EMAILS_AT_MOST)] = []
    "Kept and shown; nothing is sent there."
    personal_manager: Id | None = None
    "Id of the employee who looks after the contact."
    organization: Id | None = None
    "Id of one of `[[contact_organizations]]`."
    groups: Annotated[list[Id], Field(max_length=GROUPS_AT_MOST)] = []
    "Ids of `[[contact_groups]]`."

    @property
    def full_name(self) -> str:
        return composed_name(self.last_name, self.first_name, self.patronymic)
