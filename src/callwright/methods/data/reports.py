"""Reports: lists of what has happened between two moments."""

from calendar import monthrange
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, WithJsonSchema

from callwright.methods.data.list_query import Asking, moment_of
from callwright.methods.errors import DateIntervalLimitReached, InvalidParameterValue
from callwright.query import Comparison, Every, FieldKind, Operator, Query, Window

MONTHS_AT_MOST = 3

ERRORS = ("date_interval_limit_reached",)
"Mnemonics of every report, beside those of lists."


def _moment(text: str) -> str:
    moment_of(text, ZoneInfo("UTC"))
    return text


Moment = Annotated[
    str,
    AfterValidator(_moment),
    WithJsonSchema(
        {"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2}$"}
    ),
]


class ReportAsking(Asking):
    """What every report takes."""

    date_from: Moment
    "`YYYY-MM-DD hh:mm:ss` in the account's time zone: what began then or later."
    date_till: Moment
    "What began in this second or before; at most three months after `date_from`."


def in_window(query: Query, asked: ReportAsking, zone: ZoneInfo, *, field: str) -> Query:
    """Narrow a query down to what is in the window by a moment of its rows.

    Raises `InvalidParameterValue` for a window that ends before it begins, and
    `DateIntervalLimitReached` for one of more than three months.
    """
    start, end = moment_of(asked.date_from, zone), moment_of(asked.date_till, zone)
    if end < start:
        raise InvalidParameterValue(field="date_till", value=asked.date_till)
    if end > _months_later(start.astimezone(zone), MONTHS_AT_MOST):
        raise DateIntervalLimitReached(field="date_till", value=asked.date_till)
    return replace(query, window=Window(field, start, end))


def finished(query: Query, *, field: str) -> Query:
    """Narrow a query down to what has an end, told by a field that has a value only then."""
    ended = Comparison(field, FieldKind.TEXT, Operator.NOT_EQUAL, None)
    own = () if query.filter is None else (query.filter,)
    return replace(query, filter=Every((ended, *own)))


def _months_later(start: datetime, months: int) -> datetime:
    """The same time of day some months later, on the last day of a month that is shorter."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
