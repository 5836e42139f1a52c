"""Listings: which fields a list of the Data API has, and what may be done with each.

The shape of a row is the definition: a TypedDict whose strings go to the API reference. What a
field's type does not say stands beside it, in ``Annotated``::

    @described
    class ListedNumber(TypedDict):
        id: int
        virtual_phone_number: str
        activation_date: Moment | None
        scenarios: Annotated[list[NumberScenario], ON_REQUEST]

    VIRTUAL_NUMBERS = Listing.of(ListedNumber)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import WithJsonSchema
from typing_extensions import get_type_hints, is_typeddict

from callwright.query import FieldKind, Row

MOMENT_FORMAT = "%Y-%m-%d %H:%M:%S"
"How clients write and are shown moments, in the time zone of their account."


class Mark(Enum):
    ON_REQUEST = "on request"
    "Shown only where `fields` names it."
    UNSORTABLE = "unsortable"
    UNFILTERABLE = "unfilterable"


ON_REQUEST, UNSORTABLE, UNFILTERABLE = Mark.ON_REQUEST, Mark.UNSORTABLE, Mark.UNFILTERABLE

Moment = Annotated[
    str,
    FieldKind.MOMENT,
    WithJsonSchema(
        {"type": "string", "description": "`YYYY-MM-DD hh:mm:ss` in the account's time zone."}
    ),
]


@dataclass(frozen=True, slots=True)
class ListedField:
    name: str
    kind: FieldKind
    sortable: bool
    filterable: bool
    default: bool
    "Whether it is shown where `fields` is left out."
    empty: object = None
    "What is shown where there is nothing: null, `[]` of an array, `{}` of an object."


@dataclass(frozen=True, slots=True)
class Listing:
    """The fields of a list."""

    shape: Any
    "The TypedDict of a row, for the API reference."
    fields: Mapping[str, ListedField]
    "By name, in the order they are shown in."
    unknown: frozenset[str] = frozenset()
    """Fields clients of the published API may name, of which nothing can be known here: empty where
    they are asked for, neither sorted nor filtered by."""

    @classmethod
    def of(
        cls,
        shape: Any,
        *,
        unknown: Sequence[str] = (),
        unknown_arrays: Sequence[str] = (),
        unknown_objects: Sequence[str] = (),
    ) -> "Listing":
        """Take the fields from the TypedDict of a row. Raises TypeError for one of no known kind.

        ``unknown…``: names for `Listing.unknown`, of scalars, arrays and objects: clients loop over
        the ones and look into the others without asking whether there are any.
        """
        found = [
            _field(name, hint) for name, hint in get_type_hints(shape, include_extras=True).items()
        ]
        nothing = [
            ListedField(name, FieldKind.STRUCTURE, False, False, False, empty)
            for names, empty in ((unknown, None), (unknown_arrays, []), (unknown_objects, {}))
            for name in names
        ]
        names = frozenset(one.name for one in nothing)
        return cls(shape, {one.name: one for one in (*found, *nothing)}, names)

    @property
    def defaults(self) -> list[str]:
        return [field.name for field in self.fields.values() if field.default]

    @property
    def known(self) -> frozenset[str]:
        """The fields that something can be known of: those its rows come with."""
        return frozenset(self.fields) - self.unknown

    def shown(self, row: Row, fields: Sequence[str], zone: ZoneInfo) -> dict[str, object]:
        """Return a row as JSON: the ``fields``, moments in the account's time zone."""
        return {
            name: self.fields[name].empty
            if (value := row.get(name)) is None
            else _in_zone(value, zone)
            for name in fields
        }


def _field(name: str, hint: Any) -> ListedField:
    kind, marks = _kind(hint)
    comparable = kind is not FieldKind.STRUCTURE
    return ListedField(
        name,
        kind,
        sortable=comparable and UNSORTABLE not in marks,
        filterable=comparable and UNFILTERABLE not in marks,
        default=ON_REQUEST not in marks,
        empty=_empty(hint),
    )


def _empty(hint: Any) -> object:
    """Nothing, as a field of such a type shows it; one that may be None says so itself."""
    if get_origin(hint) is Annotated:
        return _empty(get_args(hint)[0])
    if is_typeddict(hint):
        return {}
    return [] if get_origin(hint) in (list, tuple) else None


def _kind(hint: Any) -> tuple[FieldKind, frozenset[Mark]]:
    """What a type of a row's shape is, and what is marked beside it."""
    if get_origin(hint) is Annotated:
        inner, *beside = get_args(hint)
        kind, marks = _kind(inner)
        said = next((one for one in beside if isinstance(one, FieldKind)), kind)
        return said, marks | {one for one in beside if isinstance(one, Mark)}
    if get_origin(hint) in (Union, UnionType):
        [rest] = [one for one in get_args(hint) if one is not NoneType]
        return _kind(rest)
    if get_origin(hint) is Literal:
        return FieldKind.TEXT, frozenset()
    plain = {
        bool: FieldKind.BOOLEAN,
        int: FieldKind.INTEGER,
        float: FieldKind.NUMBER,
        str: FieldKind.TEXT,
    }
    return plain.get(hint, FieldKind.STRUCTURE), frozenset()


def _in_zone(value: object, zone: ZoneInfo) -> object:
    match value:
        case datetime():
            return value.astimezone(zone).strftime(MOMENT_FORMAT)
        case list():
            return [_in_zone(one, zone) for one in value]
        case dict():
            return {name: _in_zone(one, zone) for name, one in value.items()}
    return value
