"""Fields of lists that are always empty here, declared by kind in place of one by one.

A line of a declaration says what its fields are, and then which: ``integer filter default: id``.
All of them are unknown (`callwright.methods.data.list_fields.UNKNOWN`); a client may ask for each,
filter by those marked ``filter`` and sort by those marked ``sort``. ``default`` puts them into the
answer to a request that names no fields. The documented members of arrays and objects stand among
them, too: published clients ask for them as for fields.
"""

from collections.abc import Mapping
from operator import getitem
from typing import Annotated, Any

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import (
    ON_REQUEST,
    UNFILTERABLE,
    UNKNOWN,
    UNSORTABLE,
    Moment,
)

ADVERTISING = (
    "search_query search_engine referrer_domain referrer entrance_page gclid yclid ef_id"
    " utm_source utm_medium utm_term utm_content utm_campaign"
    " openstat_ad openstat_campaign openstat_service openstat_source"
)
EQUAL_UTM = (
    "eq_utm_source eq_utm_medium eq_utm_term eq_utm_content eq_utm_campaign eq_utm_referrer"
    " eq_utm_expid"
)
PLACE = "visitor_city visitor_region visitor_country"
CHANNELS = "source_name source_new channel_new channel_code"
"How a visitor came, in words that several reports have."

_KINDS: Mapping[str, Any] = {
    "integer": int | None,
    "number": float | None,
    "text": str | None,
    "boolean": bool | None,
    "moment": Moment | None,
    "array": list[dict[str, object]],
    "object": dict[str, object],
}
_UNLESS = {"filter": UNFILTERABLE, "sort": UNSORTABLE, "default": ON_REQUEST}
_typed_dict: Any = TypedDict


def shape_of(name: str, declared: str) -> Any:
    """Return the TypedDict of a row. Raises ValueError for words that mean nothing."""
    hints: dict[str, Any] = {}
    for line in declared.strip().splitlines():
        said, _, fields = line.partition(":")
        hint = _hint(*said.split())
        for field in fields.split():
            if field in hints:
                raise ValueError(f"{name}.{field} is declared twice")
            hints[field] = hint
    return _typed_dict(name, hints)


def _hint(kind: str, *marks: str) -> Any:
    if kind not in _KINDS or not _UNLESS.keys() >= {*marks}:
        raise ValueError(f"{kind} {' '.join(marks)} is no kind of field")
    without = [not_so for mark, not_so in _UNLESS.items() if mark not in marks]
    return getitem(Annotated, (_KINDS[kind], UNKNOWN, *without))
