"""Ownership: what the data API has made or changed, and how the directory file gets along with it.

A row that the API has made or changed is the API's, not the file's:

- what the file does not name stays;
- what the file names and says exactly so is the file's again;
- what the file names and says otherwise is a fault: nothing is overwritten behind the API's back;
- what the file no longer names, and something of the API's needs, is a fault as well.

What the file names and the API has removed is added again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from callwright.directory.entries import DirectoryContent
from callwright.directory.scenario import BRANCHES
from callwright.directory.scenario_checks import needs
from callwright.provisioning.diff import Row, Value
from callwright.provisioning.file import DirectoryFile, FileFault
from callwright.provisioning.sections import (
    BLACKLIST,
    CONTACT_GROUPS,
    CONTACT_ORGANIZATIONS,
    CONTACTS,
    EMPLOYEES,
    GROUPS,
    MEDIA_FILES,
    PHONES,
    SCENARIOS,
    SCHEDULES,
    TAGS,
    VIRTUAL_NUMBERS,
    WEBHOOKS,
    DirectorySection,
    Key,
    Rows,
)
from callwright.storage.tables import Origin
from callwright.toml_lines import Place

_WAY_OUT = "take it out of this file, or say it as it is now"
_RULED = {"origin", "number_origin", "scenario_origin", "active_origin"}


def changed_by_api(
    file: DirectoryFile, section: DirectorySection, before: Rows, wanted: Rows
) -> Iterator[FileFault]:
    """Find what the file says otherwise than the API has made it."""
    for key, row in wanted.items():
        if key not in before:
            continue
        stored = before[key]
        if section is VIRTUAL_NUMBERS:
            # Only what it runs and whether it is used, and only if the file says nothing of it.
            done = {
                "scenario": f"made it run scenario {stored['scenario']}",
                "active": "enabled it" if stored["active"] else "disabled it",
            }
            for name, by_api in done.items():
                said = row[name]
                others = said is not None and said != stored[name]
                if _of_api(stored, f"{name}_origin") and others:
                    reason = f"the data API has {by_api}: {_WAY_OUT}"
                    yield file.fault((*_place(file.content, section, key), name), reason)
        elif _of_api(stored) and (differing := _differing(section, stored, row)):
            reason = (
                f"{section.title} {key} has been changed by the data API "
                f"({', '.join(differing)}): {_WAY_OUT}"
            )
            yield file.fault(_place(file.content, section, key), reason)


def left_to_api(said: Row, stored: Row | None) -> Row:
    """What becomes of a virtual number where the file does not say what it runs, or if it is used.

    ``stored``: as it is; None: it is new.
    """
    left: dict[str, Value] = {} if said["active"] is not None else {"active": True}
    for name in ("scenario", "active"):
        origin = f"{name}_origin"
        if stored is not None and said[name] is None and _of_api(stored, origin):
            left |= {name: stored[name], origin: stored[origin]}
    return left


def names_taken(file: DirectoryFile, section: DirectorySection, after: Rows) -> Iterator[FileFault]:
    """Find names in the file that something beside it has, under another id."""
    own = {
        MEDIA_FILES.title: [(one.id, one.name) for one in file.content.media_files],
        SCENARIOS.title: [(one.id, one.name) for one in file.content.scenarios],
        TAGS.title: [(one.id, one.name) for one in file.content.tags],
        SCHEDULES.title: [(one.id, one.name) for one in file.content.schedules],
        CONTACT_GROUPS.title: [(one.id, one.name) for one in file.content.contact_groups],
        CONTACT_ORGANIZATIONS.title: [
            (one.id, one.name) for one in file.content.contact_organizations
        ],
    }[section.title]
    ids = {key for key, _ in own}
    taken = {row["name"]: key for key, row in after.items() if key not in ids}
    for key, name in own:
        if name in taken:
            other = taken[name]
            maker = "the data API" if _of_api(after[other]) else "a command"
            reason = f"{section.title} {other}, made by {maker}, has this name"
            yield file.fault((*_place(file.content, section, key), "name"), reason)


def needed_by_api(
    file: DirectoryFile, after: Mapping[str, Rows], removed: Mapping[str, Collection[Key]]
) -> Iterator[FileFault]:
    """Find what would go, although something that the API has made or changed needs it.

    ``after``: the rows there will be, by the title of their section; ``removed``: the keys of
    those there will be no more.
    """

    def missing(section: DirectorySection, key: object, by: str) -> Iterator[FileFault]:
        if key in removed[section.title]:
            reason = f"{section.title} {key} is missing, and {by}, made by the data API, needs it"
            yield FileFault(file.path, 1, "", reason)

    for number, phone in after[PHONES.title].items():
        if _of_api(phone):
            yield from missing(EMPLOYEES, phone["employee_id"], f"phone {number}")
    for employee, row in after[EMPLOYEES.title].items():
        if _of_api(row) and row["coach"] is not None:
            yield from missing(EMPLOYEES, row["coach"], f"employee {employee}")
        if _of_api(row) and row["schedule"] is not None:
            yield from missing(SCHEDULES, row["schedule"], f"employee {employee}")
    for name, row in after[GROUPS.title].items():
        if _of_api(row):
            assert isinstance(row["employees"], list)
            for member in row["employees"]:
                yield from missing(EMPLOYEES, member, f"group {name}")
    for scenario, row in after[SCENARIOS.title].items():
        if _of_api(row):
            named = needs(BRANCHES.validate_python(row["branches"]).values())
            by = f"scenario {scenario}"
            for member in sorted(named.employees):
                yield from missing(EMPLOYEES, member, by)
            for group in sorted(named.groups):
                yield from missing(GROUPS, group, by)
            for media in sorted(named.media):
                yield from missing(MEDIA_FILES, media, by)
            for schedule in sorted(named.schedules):
                yield from missing(SCHEDULES, schedule, by)
    for number, row in after[VIRTUAL_NUMBERS.title].items():
        if _of_api(row, "scenario_origin") and row["scenario"] is not None:
            yield from missing(SCENARIOS, row["scenario"], f"what virtual number {number} runs")
    for contact, row in after[CONTACTS.title].items():
        if _of_api(row):
            by = f"contact {contact}"
            yield from missing(EMPLOYEES, row["personal_manager"], by)
            yield from missing(CONTACT_ORGANIZATIONS, row["organization"], by)
            assert isinstance(row["groups"], list)
            for member in row["groups"]:
                yield from missing(CONTACT_GROUPS, member, by)


def _of_api(row: Row, column: str = "origin") -> bool:
    return row.get(column) == Origin.API


def _differing(section: DirectorySection, stored: Row, wanted: Row) -> list[str]:
    return [
        name
        for name, value in wanted.items()
        if name not in _RULED
        and stored[name] != value
        and not (value is None and name in section.kept)
    ]


def _place(content: DirectoryContent, section: DirectorySection, key: Key) -> Place:
    """Where the file names a thing."""
    if section is PHONES:
        return next(
            ("employees", place, "phones", index)
            for place, employee in enumerate(content.employees)
            for index, phone in enumerate(employee.phones)
            if phone.number == key
        )
    array, keys = _named(content)[section.title]
    return (array, keys.index(key))


def _named(content: DirectoryContent) -> Mapping[str, tuple[str, Sequence[Key]]]:
    """The keys of what the file names, by the title of the section, and the array they stand in."""
    return {
        EMPLOYEES.title: ("employees", [one.id for one in content.employees]),
        VIRTUAL_NUMBERS.title: ("virtual_numbers", [one.number for one in content.virtual_numbers]),
        GROUPS.title: ("groups", [one.name for one in content.groups]),
        SCENARIOS.title: ("scenarios", [one.id for one in content.scenarios]),
        MEDIA_FILES.title: ("media_files", [one.id for one in content.media_files]),
        BLACKLIST.title: ("blacklist", [one.number for one in content.blacklist]),
        TAGS.title: ("tags", [one.id for one in content.tags]),
        WEBHOOKS.title: ("webhooks", [one.name for one in content.webhooks]),
        CONTACT_GROUPS.title: ("contact_groups", [one.id for one in content.contact_groups]),
        CONTACT_ORGANIZATIONS.title: (
            "contact_organizations",
            [one.id for one in content.contact_organizations],
        ),
        SCHEDULES.title: ("schedules", [one.id for one in content.schedules]),
        CONTACTS.title: ("contacts", [one.id for one in content.contacts]),
    }
