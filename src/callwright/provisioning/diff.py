"""Differences: what applying a directory file adds, changes and removes."""

import json
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Value = str | int | float | bool | datetime | list[str] | list[int] | dict[str, object] | None
Row = Mapping[str, Value]
"One thing's columns by their names."

SECRET = "(secret)"


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is added, changed or removed. Holds no secrets, so it may be shown."""

    kind: ChangeKind
    what: str
    "``employee 25``."
    fields: tuple[FieldChange, ...] = ()
    "What changes; only for a thing that was there and stays."


def compare(
    title: str,
    before: Mapping[str | int, Row],
    after: Mapping[str | int, Row],
    *,
    secret: Collection[str] = (),
    called: str | None = None,
) -> dict[str | int, Change]:
    """Return the changes from ``before`` to ``after`` by key; what is equal is left out.

    ``secret``: fields whose values are not shown. ``called``: the field that names a thing, where
    its key is not fit to be shown.
    """
    changes: dict[str | int, Change] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        row = after.get(key) or before[key]
        what = f"{title} {row[called] if called else key}"
        if key not in before:
            changes[key] = Change(ChangeKind.ADDED, what)
        elif key not in after:
            changes[key] = Change(ChangeKind.REMOVED, what)
        elif fields := _fields(before[key], after[key], secret):
            changes[key] = Change(ChangeKind.CHANGED, what, fields)
    return changes


def _fields(before: Row, after: Row, secret: Collection[str]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(
            name,
            _shown(before[name], hidden=name in secret),
            _shown(value, hidden=name in secret),
        )
        for name, value in after.items()
        if before[name] != value
    )


def _shown(value: Value, *, hidden: bool) -> str:
    match value:
        case None:
            return "(none)"
        case _ if hidden:
            return SECRET
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case list():
            return ", ".join(map(str, value)) or "(none)"
        case dict():
            return textwrap.shorten(json.dumps(value, ensure_ascii=False), 60, placeholder=" …")
        case float():
            return f"{value:g}"
        case _:
            return str(value)
