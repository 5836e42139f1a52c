"""Diagrams of scenarios: their operations in words, and as a Mermaid flowchart."""

import textwrap
from collections.abc import Iterator

from callwright.directory.scenario import (
    START,
    AskOperation,
    HangUpOperation,
    MenuOperation,
    Operation,
    PlayOperation,
    QueueOperation,
    RingOperation,
    Scenario,
    ScheduleOperation,
    VoicemailOperation,
    goes_on,
    ways,
)

TEXT_AT_MOST = 40
"Characters of a spoken text that are shown."

# Mermaid's way to write what would end a text in quotes.
_ESCAPED = str.maketrans({'"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "&": "#amp;"})
_SHAPES = {
    "menu": ('{{"', '"}}'),
    "ask": ('{{"', '"}}'),
    "schedule": ('{{"', '"}}'),
    "hangup": ('(["', '"])'),
}


def in_words(operation: Operation) -> str:
    """Say in one line what an operation does, but for where it leads to."""
    match operation:
        case PlayOperation(message=message) | MenuOperation(message=message):
            return f"{operation.do} {_said(message)}"
        case RingOperation():
            how = " at once" if operation.strategy == "at_once" else ""
            return f"ring{how}: {_people(operation)}"
        case QueueOperation():
            return f"queue {operation.name}, {operation.at_most:g} s at most: {_people(operation)}"
        case AskOperation():
            return f"ask {operation.method} {operation.url}"
        case VoicemailOperation():
            return f"voicemail, {operation.at_most:g} s at most"
        case ScheduleOperation(schedule=schedule):
            return f"schedule {schedule}"
        case HangUpOperation():
            return "hangup"


def mermaid(scenario: Scenario) -> str:
    """Draw a scenario as a Mermaid flowchart."""
    return "\n".join(["flowchart TD", *(f"    {line}" for line in _lines(scenario))])


def _lines(scenario: Scenario) -> Iterator[str]:
    numbers = {label: number for number, label in enumerate(scenario.branches)}

    def node(label: str, at: int) -> str:
        return f"b{numbers[label]}_{at + 1}"

    yield f'call(["{scenario.name.translate(_ESCAPED)}"]) --> {node(START, 0)}'
    for label, operations in scenario.branches.items():
        for at, operation in enumerate(operations):
            before, after = _SHAPES.get(operation.do, ('["', '"]'))
            yield f"{node(label, at)}{before}{in_words(operation).translate(_ESCAPED)}{after}"
            for _, when, leads_to in ways(operation):
                yield f'{node(label, at)} -->|"{when.translate(_ESCAPED)}"| {node(leads_to, 0)}'
            if goes_on(operation):
                last = at + 1 == len(operations)
                yield f"{node(label, at)} --> {'over' if last else node(label, at + 1)}"
    if any(goes_on(operations[-1]) for operations in scenario.branches.values()):
        yield 'over(["the call ends"])'


def _said(message: int | str) -> str:
    if isinstance(message, int):
        return f"media {message}"
    return f"“{textwrap.shorten(message, TEXT_AT_MOST, placeholder=' …')}”"


def _people(operation: RingOperation | QueueOperation) -> str:
    parts = []
    if operation.employees:
        word = "employee" if len(operation.employees) == 1 else "employees"
        parts.append(f"{word} {', '.join(map(str, operation.employees))}")
    if operation.group is not None:
        parts.append(f"group {operation.group}")
    parts += operation.numbers
    return ", ".join(parts)
