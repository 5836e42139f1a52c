"""Checks of contacts: what is wrong with one only beside the rest of the directory file."""

from collections.abc import Iterator, Sequence

from callwright.directory.entries import DirectoryContent
from callwright.toml_lines import Place


def contradictions(content: DirectoryContent) -> Iterator[tuple[Place, str]]:
    """Find employees, organisations and groups that contacts name, and that are not there."""
    employees = {employee.id for employee in content.employees}
    organizations = {one.id for one in content.contact_organizations}
    groups = {group.id for group in content.contact_groups}
    for place, contact in enumerate(content.contacts):
        here = ("contacts", place)
        manager, organization = contact.personal_manager, contact.organization
        if manager is not None and manager not in employees:
            yield (*here, "personal_manager"), f"there is no employee {manager} in this file"
        if organization is not None and organization not in organizations:
            reason = f"there is no contact organization {organization} in this file"
            yield (*here, "organization"), reason
        for at, group in enumerate(contact.groups):
            if group not in groups:
                reason = f"there is no contact group {group} in this file"
                yield (*here, "groups", at), reason


def once_only(content: DirectoryContent) -> Iterator[Sequence[tuple[Place, str]]]:
    """What may stand in the file once: ids, and names of groups and organisations."""
    yield [(("contacts", i, "id"), str(one.id)) for i, one in enumerate(content.contacts)]
    for array in ("contact_groups", "contact_organizations"):
        for name in ("id", "name"):
            things = enumerate(getattr(content, array))
            yield [((array, i, name), str(getattr(one, name))) for i, one in things]
