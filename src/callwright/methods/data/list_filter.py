"""Filters: how a client says which rows of a list it wants, and the condition this becomes."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Discriminator, Tag

from callwright import pattern
from callwright.methods.data import jsquery
from callwright.methods.data.list_elements import searched
from callwright.methods.data.list_fields import ListedField, Listing
from callwright.methods.data.moments import moment_of
from callwright.methods.errors import (
    DataTypeError,
    FilterProhibited,
    InvalidParameterValue,
    Unusable,
)
from callwright.methods.method import Params
from callwright.query import (
    ALL,
    NONE,
    OPERATORS,
    Comparison,
    Every,
    FieldKind,
    Filter,
    Not,
    Operator,
    Search,
    Some,
    Value,
)

DEEPEST = 20
"Trees that stand in each other."
COMPARISONS_AT_MOST = 100
CHOICES_AT_MOST = 1000
"Of one ``in``."
TEXT_AT_MOST = 1000
"Characters of a text that is compared."
PATTERN_AT_MOST = 255
"Characters of a pattern of ``like`` or ``regexp``."

_INTEGERS = range(-(1 << 63), 1 << 63)
"What a column holds."

Plain: TypeAlias = bool | int | float | str
Sent: TypeAlias = Plain | tuple[Plain | None, ...] | None


def in_lower_case(word: object) -> object:
    """Take a word of ours in whatever case clients write it."""
    return word.lower() if isinstance(word, str) else word


AnyCase = BeforeValidator(in_lower_case)


class Leaf(Params):
    """One field, compared with a value."""

    field: str
    "A field of the list."
    operator: Annotated[
        Literal["=", "!=", "<", ">", "<=", ">=", "like", "regexp", "in", "jsquery"], AnyCase
    ]
    "How it is compared."
    value: Sent = None
    "Of the field's type; an array of such for `in`."


class Branch(Params):
    """Filters that hold together, or of which one holds."""

    filters: tuple["Node", ...]
    "Comparisons and trees; none of them: every row."
    condition: Annotated[Literal["and", "or"], AnyCase] = "and"
    "`or`: one of them is enough."


def _which(node: object) -> str:
    return "tree" if isinstance(node, dict) and "filters" in node else "comparison"


Node = Annotated[
    Annotated[Leaf, Tag("comparison")] | Annotated[Branch, Tag("tree")], Discriminator(_which)
]


def filter_of(
    asked: Leaf | Branch, listing: Listing, zone: ZoneInfo, place: str = "filter"
) -> Filter:
    """Check a filter, which stands in the parameter ``place``, against the list it was asked of.

    Raises `Unusable` for trees that are too large, `InvalidParameterValue` for fields the list does
    not have and values that cannot be compared, `DataTypeError` for values of another type than the
    field's, and `FilterProhibited`.
    """
    _check_size(asked, place)
    return _Reading(listing, zone).read(asked, place)


def field_of(listing: Listing, name: str, place: str) -> ListedField:
    """The field that a client has named at ``place``. Raises `InvalidParameterValue` for none."""
    if name not in listing.fields:
        raise InvalidParameterValue(field=place, value=name)
    return listing.fields[name]


_BY_WORD = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN)


def _of_word(field: ListedField, operator: Operator, sent: Sent) -> Comparison | Search:
    """What objects of a value for people and one for programs are compared by: either."""
    words = tuple(str(one) for one in (sent if isinstance(sent, tuple) else (sent,)))
    told = ", ".join(json.dumps(word, ensure_ascii=False) for word in words) or '""'
    query = f"value_id IN ({told}) OR value IN ({told})"
    is_not = operator is Operator.NOT_EQUAL
    asked = Comparison(
        field.name, field.kind, Operator.JSQUERY, f"NOT ({query})" if is_not else query
    )
    if field.as_text is None:
        return asked
    meant = [text for text, label in field.labels.items() if label in words]
    texts = Comparison(field.name, FieldKind.TEXT, Operator.IN, (*words, *meant))
    return Search(asked, Not(texts) if is_not else texts)


def _spelled(kind: FieldKind, sent: Sent) -> Sent:
    """What a string says that stands for a number or a boolean."""
    if not isinstance(sent, str) or kind not in _READINGS:
        return sent
    form, read = _READINGS[kind]
    return read(sent) if re.fullmatch(form, sent) else sent


_READINGS: dict[FieldKind, tuple[str, Callable[[str], Plain]]] = {
    FieldKind.INTEGER: (r"-?[0-9]{1,18}", int),
    FieldKind.NUMBER: (r"-?[0-9]{1,18}(\.[0-9]{1,18})?", float),
    FieldKind.BOOLEAN: (r"(?i:true|false)", lambda text: text.lower() == "true"),
}


def _check_size(root: Leaf | Branch, place: str) -> None:
    level: list[Leaf | Branch] = [root]
    comparisons = levels = 0
    while level:
        branches = [node for node in level if isinstance(node, Branch)]
        comparisons += len(level) - len(branches)
        levels += bool(branches)
        level = [node for branch in branches for node in branch.filters]
    for sent, at_most, what in (
        (levels, DEEPEST, "levels"),
        (comparisons, COMPARISONS_AT_MOST, "comparisons"),
    ):
        if sent > at_most:
            reason = f"A filter has at most {at_most} {what}. Yours has {sent}"
            raise Unusable(field=place, reason=reason)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Checks a filter against the list it was asked of."""

    listing: Listing
    zone: ZoneInfo

    def read(self, node: Leaf | Branch, place: str) -> Filter:
        if isinstance(node, Leaf):
            return self._comparison(node, place)
        filters = tuple(
            self.read(one, f"{place}.filters.{at}") for at, one in enumerate(node.filters)
        )
        return Every(filters) if node.condition == "and" or not filters else Some(filters)

    def _comparison(self, leaf: Leaf, place: str) -> Filter:
        field = field_of(self.listing, leaf.field, f"{place}.field")
        if not field.filterable:
            raise FilterProhibited(field=f"{place}.field", value=leaf.field)
        operator = Operator(leaf.operator)
        if not field.known:
            is_null = operator is Operator.EQUAL and leaf.value is None
            return ALL if is_null else NONE
        if operator is Operator.JSQUERY and field.kind is FieldKind.STRUCTURE:
            query = self._query(leaf.value, f"{place}.value")
            return searched(Comparison(field.name, field.kind, operator, query), field)
        if "value_id" in field.members and leaf.value is not None and operator in _BY_WORD:
            return _of_word(field, operator, leaf.value)
        if operator not in OPERATORS[field.kind]:
            raise InvalidParameterValue(field=f"{place}.operator", value=leaf.operator)
        value = self._compared(field.kind, operator, leaf.value, f"{place}.value")
        return searched(Comparison(field.name, field.kind, operator, value), field)

    def _query(self, sent: Sent, place: str) -> str:
        if not isinstance(sent, str):
            raise DataTypeError(field=place, value=list(sent) if isinstance(sent, tuple) else sent)
        try:
            jsquery.read(sent[: TEXT_AT_MOST + 1])
        except jsquery.NoQuery:
            raise InvalidParameterValue(field=place, value=sent) from None
        if len(sent) > TEXT_AT_MOST:
            raise InvalidParameterValue(field=place, value=sent)
        return sent

    def _compared(
        self, kind: FieldKind, operator: Operator, sent: Sent, place: str
    ) -> Value | tuple[Value, ...] | None:
        if operator is Operator.IN:
            if not isinstance(sent, tuple):
                raise DataTypeError(field=place, value=sent)
            if not 1 <= len(sent) <= CHOICES_AT_MOST:
                raise InvalidParameterValue(field=place, value=list(sent))
            return tuple(
                self._value(kind, operator, one, f"{place}.{at}") for at, one in enumerate(sent)
            )
        if sent is None and operator in (Operator.EQUAL, Operator.NOT_EQUAL):
            return None
        if kind is FieldKind.STRUCTURE:
            raise InvalidParameterValue(
                field=place, value=list(sent) if isinstance(sent, tuple) else sent
            )
        return self._value(kind, operator, sent, place)

    def _value(self, kind: FieldKind, operator: Operator, sent: Sent, place: str) -> Value:
        if sent is None:
            raise InvalidParameterValue(field=place, value=None)
        match kind, _spelled(kind, sent):
            case FieldKind.BOOLEAN, bool() as sent:
                return sent
            case _, bool():
                pass
            case FieldKind.INTEGER | FieldKind.NUMBER, int() as sent:
                if sent not in _INTEGERS:
                    raise InvalidParameterValue(field=place, value=sent)
                return sent
            case FieldKind.NUMBER, float() as sent:
                return sent
            case FieldKind.INTEGER, float():
                raise InvalidParameterValue(field=place, value=sent)
            case FieldKind.TEXT, str() as sent:
                return self._text(operator, sent, place)
            case FieldKind.MOMENT, str() as sent:
                try:
                    return moment_of(sent, self.zone)
                except ValueError:
                    raise InvalidParameterValue(field=place, value=sent) from None
            case _:
                pass
        raise DataTypeError(field=place, value=list(sent) if isinstance(sent, tuple) else sent)

    def _text(self, operator: Operator, sent: str, place: str) -> str:
        is_pattern = operator in (Operator.LIKE, Operator.REGEXP)
        if len(sent) > (PATTERN_AT_MOST if is_pattern else TEXT_AT_MOST):
            raise InvalidParameterValue(field=place, value=sent)
        if operator is Operator.REGEXP and not pattern.is_sound(sent):
            raise InvalidParameterValue(field=place, value=sent)
        return sent
