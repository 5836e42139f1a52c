"""Conditions on arrays as filters of their elements, so that the database can look for these.

What cannot be said so is compared row by row; see `callwright.methods.data.list_memory`.
"""

import re
from collections.abc import Mapping

from callwright.methods.data import jsquery
from callwright.methods.data.jsquery import (
    AllOf,
    AnyOf,
    Anything,
    At,
    Compared,
    Condition,
    Denied,
    OneOf,
    Scalar,
)
from callwright.query import (
    ALL,
    ITSELF,
    NONE,
    Comparison,
    Element,
    Every,
    Field,
    FieldKind,
    Filter,
    Not,
    Operator,
    Search,
    Some,
)


class _Unsayable(Exception):
    """It cannot be said of elements."""


def searched(asked: Comparison, field: Field) -> Comparison | Search:
    """Add to a comparison of an array what it says of the elements, where that can be said."""
    if not field.searched:
        return asked
    if asked.operator is not Operator.JSQUERY:  # It is empty, or it is not.
        found: Filter = Element(field.name, ALL)
        is_empty = asked.operator is Operator.EQUAL
        return Search(asked, Not(found) if is_empty else found)
    try:
        return Search(asked, _of_array(jsquery.read(str(asked.value)), field))
    except _Unsayable:
        return asked


def _of_array(condition: Condition, field: Field) -> Filter:
    match condition:
        case AnyOf(parts):
            return Some(tuple(_of_array(part, field) for part in parts))
        case AllOf(parts):
            return Every(tuple(_of_array(part, field) for part in parts))
        case Denied(part):
            return Not(_of_array(part, field))
        case At(("#",), Anything()):
            return Element(field.name, ALL)
        case At(("#",), holds):
            return Element(field.name, _of_element(holds, field))
        case At(("#", *rest) | [*rest], holds) if rest:
            return Element(field.name, _of_element(At(tuple(rest), holds), field))
    raise _Unsayable


def _of_element(condition: Condition, field: Field) -> Filter:
    match condition:
        case AnyOf(parts):
            return Some(tuple(_of_element(part, field) for part in parts))
        case AllOf(parts):
            return Every(tuple(_of_element(part, field) for part in parts))
        case Denied(part):
            return Not(_of_element(part, field))
        case At((step,), holds) if step.removeprefix("=") in field.members and step[:1] == "=":
            return _of_member(holds, field.members[step[1:]])
        case _ if not field.members:
            return _of_member(condition, Field(ITSELF, FieldKind.TEXT, ITSELF))
    raise _Unsayable


def _of_member(condition: Condition, member: Field) -> Filter:
    if member.fact is None or member.computed or member.raw or member.kind not in _SAYABLE:
        raise _Unsayable
    match condition:
        case Compared(operator, wanted):
            return _comparison(member, operator, wanted)
        case OneOf(choices):
            return Some(tuple(_comparison(member, "=", choice) for choice in choices))
        case Anything():
            return ALL
    raise _Unsayable


_SAYABLE = (FieldKind.INTEGER, FieldKind.TEXT, FieldKind.BOOLEAN)


def _comparison(member: Field, operator: str, wanted: Scalar) -> Filter:
    """Compare as jsquery does: values of different kinds differ, but for spelled numbers."""
    if operator in _EQUALITY:
        value = wanted if wanted is None else _as(member.kind, wanted)
        if value is None and wanted is not None:
            return NONE if operator == "=" else ALL
        return Comparison(member.name, member.kind, Operator(operator), value)
    is_number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    of_kind = {FieldKind.INTEGER: is_number, FieldKind.TEXT: isinstance(wanted, str)}
    if wanted is None or not of_kind.get(member.kind):
        return NONE
    return Comparison(member.name, member.kind, Operator(operator), wanted)


_EQUALITY: Mapping[str, object] = {"=": True, "!=": False}


def _as(kind: FieldKind, wanted: Scalar) -> Scalar:
    """The value of a kind that is equal to what is wanted; None: there is none."""
    is_boolean = isinstance(wanted, bool)
    if is_boolean is not (kind is FieldKind.BOOLEAN):
        return None
    if kind is FieldKind.TEXT:
        return str(wanted)
    if kind is FieldKind.INTEGER and isinstance(wanted, str):
        return int(wanted) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", wanted) else None
    return wanted
