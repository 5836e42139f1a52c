"""Checks of scenarios: what is wrong with one only beside the rest of the directory file."""

from collections.abc import Iterator, Sequence

from callwright.directory.entries import Directory, ScenarioEntry
from callwright.directory.lines import Place
from callwright.directory.scenario import (
    KINDS,
    START,
    Menu,
    Operation,
    Queue,
    Ring,
    goes_on,
    media_of,
    ways,
)

Contradiction = tuple[Place, str]


def written_place(place: Place) -> Place:
    """Return where a fault stands in the file: without what the model puts between."""
    parts = [part for part in place if part != "[key]"]
    return tuple(
        part
        for at, part in enumerate(parts)
        if not (at and isinstance(parts[at - 1], int) and part in KINDS)
    )


def contradictions(content: Directory) -> Iterator[Contradiction]:
    """Find labels, people and scenarios that are named and not there, and what leads nowhere."""
    employees = {employee.id for employee in content.employees}
    for place, group in enumerate(content.groups):
        for at, employee in enumerate(group.employees):
            if employee not in employees:
                yield ("groups", place, "employees", at), _no_employee(employee)
    known = {scenario.id for scenario in content.scenarios}
    for place, number in enumerate(content.virtual_numbers):
        if number.scenario is not None and number.scenario not in known:
            reason = f"there is no scenario {number.scenario} in this file"
            yield ("virtual_numbers", place, "scenario"), reason
    groups = {group.name for group in content.groups}
    for place, scenario in enumerate(content.scenarios):
        for where, operation in placed(place, scenario):
            for path, reason in _people(operation, employees, groups):
                yield (*where, *path), reason
        yield from _ways(place, scenario)


def named_media(content: Directory) -> Iterator[tuple[Place, int]]:
    """Every media file that a scenario plays, and where it says so."""
    for place, scenario in enumerate(content.scenarios):
        for where, operation in placed(place, scenario):
            for field, media in media_of(operation):
                yield (*where, field), media


def placed(place: int, scenario: ScenarioEntry) -> Iterator[tuple[Place, Operation]]:
    """Every operation of a scenario, and where it stands."""
    for label, operations in _lists(scenario):
        for at, operation in enumerate(operations):
            yield (*_list(place, label), at), operation


def _lists(scenario: ScenarioEntry) -> Iterator[tuple[str, Sequence[Operation]]]:
    yield START, scenario.operations
    yield from scenario.branches.items()


def _list(place: int, label: str) -> Place:
    here: Place = ("scenarios", place)
    return (*here, "operations") if label == START else (*here, "branches", label)


def _people(operation: Operation, employees: set[int], groups: set[str]) -> Iterator[Contradiction]:
    match operation:
        case Menu(keys=keys):
            if not keys:
                yield ("keys",), "a menu needs a key at least"
        case Ring() | Queue():
            if not (operation.employees or operation.numbers or operation.group):
                yield (), "nobody is named: employees, numbers or group are needed"
            for at, employee in enumerate(operation.employees):
                if employee not in employees:
                    yield ("employees", at), _no_employee(employee)
            if operation.group is not None and operation.group not in groups:
                there = ", ".join(sorted(groups)) or "none"
                reason = f"there is no group {operation.group!r} in this file; there are: {there}"
                yield ("group",), reason
        case _:
            pass


def _ways(place: int, scenario: ScenarioEntry) -> Iterator[Contradiction]:
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
                    yield (*_list(place, label), at, *path), reason
                elif leads_to not in reached:
                    reached.add(leads_to)
                    waiting.append(leads_to)
            if not goes_on(operation) and at + 1 < len(lists[label]):
                reason = f"no call comes here: {operation.do} before it goes elsewhere"
                yield (*_list(place, label), at + 1), reason
                break
    for label in scenario.branches:
        if label not in reached:
            yield _list(place, label), "no operation leads to this branch"


def _no_employee(employee: int) -> str:
    return f"there is no employee {employee} in this file"
