"""The fields of a list of the Data API, each declared once, in the shape of the list's rows.

The shape is a TypedDict whose strings go to the API reference. A field's type is what clients are
shown, whatever is stored; ``| None`` says that it may be null. What the type does not say stands
beside it, in ``Annotated``::

    @described
    class ShownNumber(TypedDict):
        id: int
        number: Annotated[str, Stored("virtual_number")]
        status: Annotated[Literal["on", "off"], Stored("active", {True: "on", False: "off"})]
        category: Annotated[str, Always("usual")]
        links: Annotated[list[Link], ON_REQUEST]

Storage knows facts by names of its own: the columns of the table that the list is made of, and what
`callwright.storage.lists` adds to them. A field without `Stored` shows the fact of its own name.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import WithJsonSchema
from typing_extensions import get_type_hints, is_typeddict

from callwright.calls.durations import whole_seconds
from callwright.query import Field, FieldKind, Row

MOMENT_FORMAT = "%Y-%m-%d %H:%M:%S"
"How clients write and are shown moments, in the time zone of their account."


class Mark(Enum):
    ON_REQUEST = "on request"
    "Not in the default answer: shown only where `fields` names it."
    UNSORTABLE = "unsortable"
    UNFILTERABLE = "unfilterable"
    COMPUTED = "computed"
    """Found out row by row, and compared as it is shown; so is whatever is an array, an object or
    `MadeOf` something."""
    SEARCHED = "searched"
    "An array whose elements the database can look for, by what `jsquery` says of them."
    UNKNOWN = "unknown"
    """The published API has it, and nothing can be known of it here: it is null (an array or an
    object is empty), and whatever is asked of it is asked of null."""


ON_REQUEST, UNSORTABLE, UNFILTERABLE = Mark.ON_REQUEST, Mark.UNSORTABLE, Mark.UNFILTERABLE
COMPUTED, SEARCHED, UNKNOWN = Mark.COMPUTED, Mark.SEARCHED, Mark.UNKNOWN
UnknownInteger = Annotated[int | None, UNKNOWN]
UnknownText = Annotated[str | None, UNKNOWN]
UnknownBoolean = Annotated[bool | None, UNKNOWN]
UnknownArray = Annotated[list[dict[str, object]], UNKNOWN]


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored fact that is shown, where it has another name, and the words for its values."""

    fact: str
    words: Mapping[Any, str] | None = None


@dataclass(frozen=True, slots=True)
class Always:
    """The same in every row; nothing is stored of it."""

    value: object


@dataclass(frozen=True, slots=True)
class MadeOf:
    """Made of a stored fact when it is shown."""

    fact: str
    by: Callable[[Any], object] | None = None
    "None: by what is at hand where the list is served (`ListDeclaration.served`)."


@dataclass(frozen=True, slots=True)
class AsText:
    """Of a `Word` that is `MadeOf` a fact: how it is compared without making it."""

    stored: Mapping[Any, str] | None = None
    "The `value_id` for each stored value, if it is not that value."
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    "The `value` for each `value_id`, if it is not the same."


Moment = Annotated[
    str,
    FieldKind.MOMENT,
    WithJsonSchema(
        {"type": "string", "description": "`YYYY-MM-DD hh:mm:ss` in the account's time zone."}
    ),
]

UnknownMoment = Annotated[Moment | None, UNKNOWN]

Show: TypeAlias = Callable[[Any, ZoneInfo], object]
"Makes of a fact what is shown of it, in the account's time zone; never called with None."
Makers: TypeAlias = Mapping[str, Callable[[Any], object]]
"What makes fields of stored facts, by the names of the fields."


@dataclass(frozen=True, slots=True)
class ListedField(Field):
    """A field of a list, with what clients only are concerned with."""

    default: bool = True
    "Whether it is in the default answer: shown where `fields` is left out."
    nullable: bool = True
    empty: object = None
    "What is shown where there is nothing: null, `[]` of an array, `{}` of an object."
    known: bool = True
    "False: it is always null, or empty; see `Mark.UNKNOWN`."
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    "See `AsText`."
    to_be_made: bool = False
    "What makes it is given where the list is served."
    show: Show | None = None
    "None: as it is stored, or made."
    members: Mapping[str, "ListedField"] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """The fields of a list."""

    shape: Any
    "The TypedDict of a row, for the API reference."
    fields: Mapping[str, ListedField]
    "By name, in the order they are shown in."

    @classmethod
    def of(cls, shape: Any) -> "Listing":
        """Take the fields from the TypedDict of a row; what is known comes first."""
        fields = [_field(name, hint) for name, hint in _hints(shape)]
        in_order = sorted(fields, key=lambda field: not field.known)
        return cls(shape, {field.name: field for field in in_order})

    @property
    def defaults(self) -> list[str]:
        return [field.name for field in self.fields.values() if field.default]

    @property
    def to_be_made(self) -> frozenset[str]:
        """The fields whose makers are to be given where the list is served."""
        return frozenset(name for name, field in self.fields.items() if field.to_be_made)

    def shower(
        self, names: Iterable[str], zone: ZoneInfo, makers: Makers | None = None
    ) -> Callable[[Row], dict[str, object]]:
        """Return what makes JSON of rows: the fields of these names, moments in ``zone``."""
        fields = [(name, self.fields[name], (makers or {}).get(name)) for name in names]

        def shown(row: Row) -> dict[str, object]:
            told: dict[str, object] = {}
            for name, field, make in fields:
                value = field.constant if field.fact is None else row.get(name)
                if value is None:
                    value = field.empty
                elif make:
                    value = make(value)
                if field.show and value is not field.empty:
                    value = field.show(value, zone)
                told[name] = value
            return told

        return shown


@dataclass(frozen=True, slots=True)
class _Said:
    """What a type of a row's shape says, and what is said beside it."""

    kind: FieldKind
    plain: Any
    "The type, without null and what stands beside it."
    nullable: bool = False
    beside: tuple[object, ...] = ()

    def one(self, of: type[Stored | Always | MadeOf | AsText]) -> Any:
        return next((one for one in self.beside if isinstance(one, of)), None)


def _hints(shape: Any) -> Iterable[tuple[str, Any]]:
    return get_type_hints(shape, include_extras=True).items()


def _said(hint: Any) -> _Said:
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *beside = get_args(hint)
        said = _said(inner)
        kind = next((one for one in beside if isinstance(one, FieldKind)), said.kind)
        return _Said(kind, said.plain, said.nullable, (*said.beside, *beside))
    if origin in (Union, UnionType):
        rest, *more = (one for one in get_args(hint) if one is not NoneType)
        if more:  # One of several types: part of something, and shown as it is.
            return _Said(FieldKind.STRUCTURE, object, NoneType in get_args(hint))
        said = _said(rest)
        return _Said(said.kind, said.plain, True, said.beside)
    if origin is Literal:
        return _Said(FieldKind.TEXT, str)
    return _Said(_KINDS.get(hint, FieldKind.STRUCTURE), hint)


_KINDS = {
    bool: FieldKind.BOOLEAN,
    int: FieldKind.INTEGER,
    float: FieldKind.NUMBER,
    str: FieldKind.TEXT,
}


def _field(name: str, hint: Any) -> ListedField:
    said = _said(hint)
    stored, always, made = said.one(Stored), said.one(Always), said.one(MadeOf)
    text = said.one(AsText)
    is_structure = said.kind is FieldKind.STRUCTURE
    known = UNKNOWN not in said.beside
    source = made or stored
    return ListedField(
        name,
        said.kind,
        None if always or not known else source.fact if source else name,
        words=stored.words if stored else None,
        constant=always.value if always else None,
        raw=made is not None,
        sortable=not (is_structure and known) and UNSORTABLE not in said.beside,
        filterable=UNFILTERABLE not in said.beside,
        computed=known and (is_structure or made is not None or COMPUTED in said.beside),
        searched=SEARCHED in said.beside,
        as_text=Field(name, FieldKind.TEXT, made.fact, text.stored) if made and text else None,
        labels=text.labels if text else {},
        default=ON_REQUEST not in said.beside,
        nullable=said.nullable,
        empty=_empty(said.plain),
        known=known,
        to_be_made=made is not None and made.by is None,
        show=_show(said),
        members=_members(said.plain),
    )


def _members(plain: Any) -> Mapping[str, ListedField]:
    if get_origin(plain) in (list, tuple):
        return _members(get_args(plain)[0])
    if not is_typeddict(plain):
        return {}
    return {name: _field(name, hint) for name, hint in _hints(plain)}


def _empty(plain: Any) -> object:
    """Nothing, as a field of such a type shows it; one that may be null says so itself."""
    if is_typeddict(plain) or get_origin(plain) is dict:
        return {}
    return [] if get_origin(plain) in (list, tuple) else None


def _show(said: _Said) -> Show | None:
    """What is done to a fact before it is shown; None: nothing."""
    show = _in_zone if said.kind is FieldKind.MOMENT else _structure(said.plain)
    made = said.one(MadeOf)
    if not made or made.by is None:
        return show
    return lambda value, zone: show(made.by(value), zone) if show else made.by(value)


def _structure(plain: Any) -> Show | None:
    """How an array or an object is shown, whose parts storage has names of its own for."""
    if get_origin(plain) in (list, tuple):
        show = _structure(get_args(plain)[0])
        return show and (lambda value, zone: [show(one, zone) for one in value])
    if not is_typeddict(plain):
        return None
    parts = [_part(name, _said(hint)) for name, hint in _hints(plain)]
    return lambda value, zone: {name: part(value, zone) for name, part in parts} if value else {}


def _part(name: str, said: _Said) -> tuple[str, Show]:
    """How one part of an object is shown, of all that is known of the object."""
    if always := said.one(Always):
        return name, lambda _value, _zone: always.value
    stored = said.one(Stored) or Stored(name)
    show = _show(said) or _NUMBERS.get(said.plain)
    if stored.words:
        return name, lambda value, _zone: stored.words[value[stored.fact]]

    def part(value: Any, zone: ZoneInfo) -> object:
        fact = value[stored.fact]
        return fact if fact is None or show is None else show(fact, zone)

    return name, part


def _in_zone(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime(MOMENT_FORMAT)


def _whole(number: float, _zone: ZoneInfo) -> int:
    return number if isinstance(number, int) else whole_seconds(number)


def _number(number: float, _zone: ZoneInfo) -> float:
    """A number without a fraction that is none."""
    return int(number) if number == int(number) else number


_NUMBERS: dict[Any, Show] = {int: _whole, float: _number}
