"""Checks of scenarios: what is wrong with one only beside the rest of the directory file."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from callwright.directory.entries import DirectoryContent, ScenarioEntry
from callwright.directory.scenario import (
    KINDS,
    START,
    MenuOperation,
    Operation,
    QueueOperation,
    RingOperation,
    ScheduleOperation,
    goes_on,
    media_of,
    texts_of,
    ways,
)
from callwright.spoken_text import says_something
from callwright.toml_lines import Place

Contradiction = tuple[Place, str]
IN_FILE = "in this file"


def written_place(place: Place) -> Place:
    """Return where a fault stands in the file: without what the model puts between."""
    parts = [part for part in place if part != "[key]"]
    return tuple(
        part
        for at, part in enumerate(parts)
        if not (at and isinstance(parts[at - 1], int) and part in KINDS)
    )


@dataclass(frozen=True, slots=True)
class Needs:
    """What a scenario names, and so cannot do without."""

    employees: frozenset[int]
    groups: frozenset[str]
    media: frozenset[int]
    schedules: frozenset[int]


def needs(lists: Iterable[Sequence[Operation]]) -> Needs:
    """What the operations of a scenario name, all lists together."""
    operations = [operation for one in lists for operation in one]
    ringing = [
        operation
        for operation in operations
        if isinstance(operation, RingOperation | QueueOperation)
    ]
    return Needs(
        employees=frozenset(employee for one in ringing for employee in one.employees),
        groups=frozenset(one.group for one in ringing if one.group is not None),
        media=frozenset(media for one in operations for _, media in media_of(one)),
        schedules=frozenset(
            one.schedule for one in operations if isinstance(one, ScheduleOperation)
        ),
    )


def contradictions(content: DirectoryContent) -> Iterator[Contradiction]:
    """Find labels, people and scenarios that are named and not there, and what leads nowhere."""
    employees = {employee.id for employee in content.employees}
    for place, group in enumerate(content.groups):
        for at, employee in enumerate(group.employees):
            if employee not in employees:
                yield ("groups", place, "employees", at), _no_employee(employee, IN_FILE)
    known = {scenario.id for scenario in content.scenarios}
    for place, number in enumerate(content.virtual_numbers):
        if number.scenario is not None and number.scenario not in known:
            reason = f"there is no scenario {number.scenario} in this file"
            yield ("virtual_numbers", place, "scenario"), reason
    there = Named(
        employees,
        {group.name for group in content.groups},
        {schedule.id for schedule in content.schedules},
    )
    for place, scenario in enumerate(content.scenarios):
        for path, reason in contradictions_of(scenario, there, where=IN_FILE):
            yield ("scenarios", place, *path), reason


@dataclass(frozen=True, slots=True)
class Named:
    """What a scenario may name."""

    employees: Set[int]
    groups: Set[str]
    schedules: Set[int]


def contradictions_of(
    scenario: ScenarioEntry, there: Named, *, where: str
) -> Iterator[Contradiction]:
    """The same of one scenario; places begin at it. ``where`` all that is to be, in words."""
    for place, operation in placed(scenario):
        for path, reason in _names(operation, there, where):
            yield (*place, *path), reason
        for field, text in texts_of(operation):
            if not says_something(text):
                yield (*place, field), "there is nothing to say in this text: no letter, no digit"
    yield from _ways(scenario)


def named_media(content: DirectoryContent) -> Iterator[tuple[Place, int]]:
    """Every media file that a scenario plays, and where it says so."""
    for place, scenario in enumerate(content.scenarios):
        for path, media in media_named_by(scenario):
            yield ("scenarios", place, *path), media


def media_named_by(scenario: ScenarioEntry) -> Iterator[tuple[Place, int]]:
    """The same of one scenario; places begin at it."""
    for where, operation in placed(scenario):
        for field, media in media_of(operation):
            yield (*where, field), media


def digits_spoken(content: DirectoryContent) -> Iterator[Contradiction]:
    """Find ids of media files that are written as texts, and would be spoken."""
    for place, scenario in enumerate(content.scenarios):
        for where, operation in placed(scenario):
            said = getattr(operation, "message", None)
            if isinstance(said, str) and said.isdecimal():
                reason = f"media file {said} is written without quotes; a text is more than digits"
                yield ("scenarios", place, *where, "message"), reason


def placed(scenario: ScenarioEntry) -> Iterator[tuple[Place, Operation]]:
    """Every operation of a scenario, and where in it that stands."""
    for label, operations in _lists(scenario):
        for at, operation in enumerate(operations):
            yield (*_list(label), at), operation


def _lists(scenario: ScenarioEntry) -> Iterator[tuple[str, Sequence[Operation]]]:
    yield START, scenario.operations
    yield from scenario.branches.items()


def _list(label: str) -> Place:
    return ("operations",) if label == START else ("branches", label)


def _names(operation: Operation, there: Named, where: str) -> Iterator[Contradiction]:
    match operation:
        case ScheduleOperation(schedule=schedule):
            if schedule not in there.schedules:
                yield ("schedule",), f"there is no schedule {schedule} {where}"
            if operation.during is None and operation.otherwise is None:
                yield (), "it leads nowhere: during or otherwise is needed"
        case MenuOperation(keys=keys):
            if not keys:
                yield ("keys",), "a menu needs a key at least"
        case RingOperation() | QueueOperation():
            if not (operation.employees or operation.numbers or operation.group):
                yield (), "nobody is named: employees, numbers or group are needed"
            for at, employee in enumerate(operation.employees):
                if employee not in there.employees:
                    yield ("employees", at), _no_employee(employee, where)
            if operation.group is not None and operation.group not in there.groups:
                known = ", ".join(sorted(there.groups)) or "none"
                reason = f"there is no group {operation.group!r} {where}; there are: {known}"
                yield ("group",), reason
        case _:
            pass


def _ways(scenario: ScenarioEntry) -> Iterator[Contradiction]:
    """Find labels without a branch, and operations that no call can come to."""
    lists = dict(_lists(scenario))
    reached, waiting = {START}, [START]
    while waiting:
        label = waiting.pop()
        for at, operation in enumerate(lists[label]):
            for path, _, leads_to in ways(operation):
                if leads_to not in lists:
                    there = ", ".join(sorted(scenario.branches)) or "none"
                    reason = f"there is no branch {leads_to!r} in this scenario; there are: {there}"
                    yield (*_list(label), at, *path), reason
                elif leads_to not in reached:
                    reached.add(leads_to)
                    waiting.append(leads_to)
            if not goes_on(operation) and at + 1 < len(lists[label]):
                reason = f"no call comes here: {operation.do} before it goes elsewhere"
                yield (*_list(label), at + 1), reason
                break
    for label in scenario.branches:
        if label not in reached:
            yield _list(label), "no operation leads to this branch"


def _no_employee(employee: int, where: str) -> str:
    return f"there is no employee {employee} {where}"
