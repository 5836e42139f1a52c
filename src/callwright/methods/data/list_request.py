"""List requests: how a client asks for rows of a list, and the query that becomes of it."""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from callwright.methods.api_error import ApiError
from callwright.methods.data.list_fields import Listing
from callwright.methods.data.list_filter import AnyCase, Node, field_of, filter_of
from callwright.methods.data.moments import moment_of
from callwright.methods.errors import (
    DateIntervalLimitReached,
    InvalidParameterValue,
    SortProhibited,
)
from callwright.methods.method import Params
from callwright.query import Every, Filter, Order, Query, Window

LIMIT_AT_MOST = 10_000
OFFSET_AT_MOST = 100_000
FIELDS_AT_MOST = 500
SORTED_BY_AT_MOST = 10
MONTHS_AT_MOST = 3
"Of one report."


class Sorting(Params):
    field: str
    "A field of the list."
    order: Annotated[Literal["asc", "desc"], AnyCase] = "asc"
    "Null comes first, or last in descending order."


def _number(sent: object) -> object:
    is_spelled = isinstance(sent, str) and re.fullmatch(r"-?[0-9]{1,15}", sent)
    return int(str(sent)) if is_spelled else sent


def _boolean(sent: object) -> object:
    words = {"true": True, "false": False}
    return words.get(sent.lower(), sent) if isinstance(sent, str) else sent


def _null_for_empty(sent: object) -> object:
    # Languages in which an empty object and an empty array are the same send either.
    return None if sent in ({}, []) else _frozen(sent)


def _frozen(sent: object) -> object:
    """Put tuples for arrays, which strict models take for them only where they read JSON."""
    match sent:
        case list():
            return tuple(map(_frozen, sent))
        case dict():
            return {name: _frozen(value) for name, value in sent.items()}
    return sent


LooseNumber, LooseBoolean = BeforeValidator(_number), BeforeValidator(_boolean)
"Parameters of lists may come as strings, as deployed clients send them."
NullForEmpty = BeforeValidator(_null_for_empty)


class ListRequest(Params):
    """What every method that lists something takes."""

    limit: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST), LooseNumber] = 1000
    "Rows at most."
    offset: Annotated[int, Field(ge=0, le=OFFSET_AT_MOST), LooseNumber] = 0
    "Rows that are passed over."
    filter: Annotated[Node | None, NullForEmpty] = None
    "`{field, operator, value}`, or a tree: `{filters: [...], condition: and or or}`; empty: all."
    sort: Annotated[
        Annotated[tuple[Sorting, ...], Field(max_length=SORTED_BY_AT_MOST)] | None, NullForEmpty
    ] = None
    "By which fields, the first one first."
    fields: Annotated[
        Annotated[tuple[str, ...], Field(max_length=FIELDS_AT_MOST)] | None, NullForEmpty
    ] = None
    "Which fields are shown; left out, or empty: those shown by default."

    errors: ClassVar[tuple[str, ...]] = (
        "sort_prohibited",
        "filter_prohibited",
        "error",
        "data_limit_exceeded",
    )
    "Mnemonics of every method that takes these parameters."

    def conditions(self) -> Iterator[tuple[str, Node]]:
        """What rows are to fulfil, each with the parameter that says so."""
        if self.filter is not None:
            yield "filter", self.filter

    def narrowed(self, query: Query, zone: ZoneInfo) -> Query:
        """Narrow the query down by parameters of a list's own."""
        return query


def _moment(text: str) -> str:
    moment_of(text, ZoneInfo("UTC"))
    return text


SentMoment = Annotated[
    str,
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}){2}"}),
]


class ReportRequest(ListRequest):
    """What every report takes: a list of what has happened between two moments."""

    date_from: SentMoment
    """`YYYY-MM-DD hh:mm:ss` in the account's time zone, or ISO 8601 with a zone of its own: what
    began then or later. A day alone is its first moment."""
    date_till: SentMoment
    """What began in this second or before; at most three months after `date_from`. A day alone is
    its last moment."""

    window_by: ClassVar[str] = "start_time"
    "The field that is in the window."
    longest: ClassVar[timedelta | None] = None
    "The longest window; None: three months."
    too_long: ClassVar[type[ApiError]] = DateIntervalLimitReached
    "What a longer one is refused by."
    errors: ClassVar[tuple[str, ...]] = (*ListRequest.errors, "date_interval_limit_reached")

    def narrowed(self, query: Query, zone: ZoneInfo) -> Query:
        """Narrow the query down to the window.

        Raises `InvalidParameterValue` for a window that ends before it begins, and ``too_long`` for
        one that is.
        """
        start, end = moment_of(self.date_from, zone), moment_of(self.date_till, zone, last=True)
        if end < start:
            raise InvalidParameterValue(field="date_till", value=self.date_till)
        last = start + self.longest if self.longest else None
        if end > (last or _months_later(start.astimezone(zone), MONTHS_AT_MOST)):
            raise self.too_long(field="date_till", value=self.date_till)
        return replace(query, window=Window(self.window_by, start, end))


def query_of(asked: ListRequest, listing: Listing, zone: ZoneInfo) -> Query:
    """Check what was asked against the list it was asked of, and put it as a query.

    ``zone``: the account's, in which moments are written. Raises what `filter_of` does, and
    `SortProhibited`.
    """
    shown = [field_of(listing, name, f"fields.{at}") for at, name in enumerate(asked.fields or ())]
    query = Query(
        fields=list(dict.fromkeys(field.name for field in shown)) or listing.defaults,
        filter=_all(filter_of(node, listing, zone, place) for place, node in asked.conditions()),
        sort=list(_orders(asked.sort or (), listing)),
        limit=asked.limit,
        offset=asked.offset,
    )
    return asked.narrowed(query, zone)


def _all(filters: Iterable[Filter]) -> Filter | None:
    match tuple(filters):
        case ():
            return None
        case (one,):
            return one
        case several:
            return Every(several)


def also(query: Query, *filters: Filter) -> Query:
    """Narrow a query down to what fulfils some more filters; there is at least one."""
    own = () if query.filter is None else (query.filter,)
    return replace(query, filter=Every((*filters, *own)))


def _orders(sorts: Sequence[Sorting], listing: Listing) -> Iterator[Order]:
    for at, sort in enumerate(sorts):
        place = f"sort.{at}.field"
        field = field_of(listing, sort.field, place)
        if not field.sortable:
            raise SortProhibited(field=place, value=sort.field)
        if field.known:  # Where all are null, none comes before another.
            yield Order(sort.field, descending=sort.order == "desc")


def _months_later(start: datetime, months: int) -> datetime:
    """The same time of day some months later, on the last day of a month that is shorter."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
