"""Newer reports of the published Data API: how they are asked, and the words they answer with."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field
from typing_extensions import TypedDict

from callwright.methods.api_error import ApiError
from callwright.methods.data.list_filter import Node
from callwright.methods.data.list_request import (
    LooseNumber,
    NullForEmpty,
    ReportRequest,
    SentMoment,
)
from callwright.methods.errors import DateIntervalOfNewerReport


class NewReportRequest(ReportRequest):
    """What newer reports take, beside what all reports do."""

    date_till: SentMoment
    """What began in this second or before; at most 366 days after `date_from`. A day alone is its
    last moment."""
    report_id: Annotated[int | None, LooseNumber] = None
    "Taken, and of no consequence: there is one report of each kind."
    filters: Annotated[Annotated[tuple[Node, ...], Field(max_length=100)] | None, NullForEmpty] = (
        None
    )
    "Comparisons and trees, which have to hold together."

    longest: ClassVar[timedelta | None] = timedelta(days=366)
    too_long: ClassVar[type[ApiError]] = DateIntervalOfNewerReport

    def conditions(self) -> Iterator[tuple[str, Node]]:
        yield from super().conditions()
        for at, one in enumerate(self.filters or ()):
            yield f"filters.{at}", one


class Word(TypedDict):
    """A value, for people and for programs. It is compared by either."""

    value: str
    value_id: str


def word(said: str) -> Word:
    return {"value": said, "value_id": said}


def word_of(words: Mapping[str, str], said: str) -> Word:
    return {"value": words.get(said, said), "value_id": said}
