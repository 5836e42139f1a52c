"""Page *Journal*: calls that have been, by number, employee, tag, finish reason and time; as CSV.

Pages go on behind the last row of the one before (keyset paging), so that a page far down costs
what the first does.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from callwright.console.api_access import ApiAccess
from callwright.console.finish_reasons import FINISH_REASONS
from callwright.console.pages import Pages
from callwright.console.routes import PageRoute
from callwright.console.visitor import Visitor
from callwright.methods.data.calls_report import GET_CALLS_REPORT
from callwright.methods.data.employees import GET_EMPLOYEES
from callwright.methods.data.tags import GET_TAGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from callwright.rpc.envelope import Json

ROWS: Final = 50
DAYS: Final = 7
"That are shown where nobody says which."
CHOICES_AT_MOST: Final = 1000
CSV_ROWS: Final = 500
"Read at once."
CSV_AT_MOST: Final = 20_000
FIELDS: Final = (
    "id",
    "start_time",
    "direction",
    "virtual_phone_number",
    "contact_phone_number",
    "contact_full_name",
    "last_talked_employee_full_name",
    "finish_reason",
    "wait_duration",
    "talk_duration",
    "total_duration",
    "is_lost",
    "call_api_external_id",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks of the journal; whatever cannot be asked is left out."""

    since: date
    until: date
    number: str = ""
    employee: int | None = None
    tag: int | None = None
    reason: str = ""
    before: tuple[str, int] | None = None
    "Time and id of the row behind which to go on."

    @classmethod
    def of(cls, sent: Mapping[str, str], today: date) -> "Wanted":
        until = _date(sent.get("till", "")) or today
        since = _date(sent.get("from", "")) or until - timedelta(days=DAYS - 1)
        reason = sent.get("reason", "")
        return cls(
            # Longer windows the API does not show.
            since=max(min(since, until), until - timedelta(days=88)),
            until=until,
            number=re.sub(r"[^0-9A-Za-z]", "", sent.get("number", ""))[:20],
            employee=_id(sent.get("employee", "")),
            tag=_id(sent.get("tag", "")),
            reason=reason if reason in FINISH_REASONS else "",
            before=_place(sent.get("before", "")),
        )

    @property
    def fields(self) -> dict[str, str]:
        """As a query says it, without the place."""
        given = {
            "from": str(self.since),
            "till": str(self.until),
            "number": self.number,
            "employee": "" if self.employee is None else str(self.employee),
            "tag": "" if self.tag is None else str(self.tag),
            "reason": self.reason,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def is_narrow(self) -> bool:
        """Whether more than a time is asked for."""
        return bool(self.number or self.employee or self.tag or self.reason)

    def params(self, limit: int) -> dict[str, "Json"]:
        """The request of the API."""
        filters = [*self._filters()]
        till = f"{self.until} 23:59:59"
        return {
            "date_from": f"{self.since} 00:00:00",
            "date_till": min(till, self.before[0]) if self.before else till,
            "limit": limit,
            "fields": [*FIELDS],
            "sort": [{"field": "start_time", "order": "desc"}, {"field": "id", "order": "desc"}],
            "include_ongoing_calls": True,
            "filter": {"filters": filters, "condition": "and"},
        }

    def _filters(self) -> "list[Json]":
        found: list[Json] = []
        if self.number:
            numbers = ("contact_phone_number", "virtual_phone_number")
            like: list[Json] = [_filter(one, "like", f"%{self.number}%") for one in numbers]
            found.append({"filters": like, "condition": "or"})
        if self.employee is not None:
            found.append(_filter("employees", "jsquery", f"#.employee_id = {self.employee}"))
        if self.tag is not None:
            found.append(_filter("tags", "jsquery", f"#.tag_id = {self.tag}"))
        if self.reason:
            found.append(_filter("finish_reason", "=", self.reason))
        if self.before:
            found.append(_filter("id", "<", self.before[1]))
        return found


def _filter(field: str, operator: str, value: "Json") -> "Json":
    return {"field": field, "operator": operator, "value": value}


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return found if found and 1990 < found.year < 2200 else None


def _id(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,16}", text) and int(text) < 1 << 53 else None


def _place(text: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8})/([0-9]{1,16})", text)
    if not found:
        return None
    try:
        datetime.fromisoformat(found[1])
    except ValueError:
        return None
    return found[1], int(found[2])


@dataclass(frozen=True, slots=True)
class CallJournalPage:
    """``now``: the time of day (UTC, aware)."""

    api: ApiAccess
    pages: Pages
    now: "Callable[[], datetime]"

    def routes(self) -> list[PageRoute]:
        return [PageRoute("/journal", self.show), PageRoute("/journal.csv", self.csv)]

    async def show(self, request: Request, visitor: Visitor) -> Response:
        wanted = self._wanted(request, visitor)
        found = await self.api.rows(visitor.caller, GET_CALLS_REPORT.name, wanted.params(ROWS + 1))
        rows, more = found.rows[:ROWS], found.rows[ROWS:]
        query = wanted.fields
        facts = {
            "wanted": wanted,
            "rows": rows,
            "first": f"journal?{urlencode(query)}" if wanted.before else "",
            "onwards": f"journal?{urlencode({**query, 'before': _behind(rows)})}" if more else "",
            "csv": f"journal.csv?{urlencode(query)}",
            "employees": await self._choices(visitor, GET_EMPLOYEES.name, "full_name"),
            "tags": await self._choices(visitor, GET_TAGS.name, "name"),
            "reasons": FINISH_REASONS,
        }
        return self.pages.page("journal.html", visitor, facts, here="journal")

    def _wanted(self, request: Request, visitor: Visitor) -> Wanted:
        today = self.now().astimezone(visitor.caller.account.timezone).date()
        return Wanted.of(request.query_params, today)

    async def _choices(self, visitor: Visitor, method: str, name: str) -> list[tuple[int, str]]:
        asked: dict[str, Json] = {
            "fields": ["id", name],
            "sort": [{"field": name}],
            "limit": CHOICES_AT_MOST,
        }
        found = await self.api.rows(visitor.caller, method, asked)
        return [(row["id"], row[name]) for row in found.rows]

    async def csv(self, request: Request, visitor: Visitor) -> Response:
        wanted = self._wanted(request, visitor)
        # The first page now: what is refused is refused by a status.
        first = await self._page(visitor, wanted)
        name = f"calls-{wanted.since}-{wanted.until}.csv"
        return StreamingResponse(
            self._csv(visitor, wanted, first),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _page(self, visitor: Visitor, wanted: Wanted) -> list[dict[str, Any]]:
        params = wanted.params(CSV_ROWS)
        return (await self.api.rows(visitor.caller, GET_CALLS_REPORT.name, params)).rows

    async def _csv(
        self, visitor: Visitor, wanted: Wanted, rows: list[dict[str, Any]]
    ) -> AsyncIterator[bytes]:
        # The mark by which spreadsheets know UTF-8.
        yield "\ufeff".encode() + _lines([[*FIELDS]])
        written = 0
        while rows and written < CSV_AT_MOST:
            yield _lines([[_cell(row[field]) for field in FIELDS] for row in rows])
            written += len(rows)
            if len(rows) < CSV_ROWS:
                return
            rows = await self._page(visitor, replace(wanted, before=_place(_behind(rows))))


def _behind(rows: list[dict[str, Any]]) -> str:
    return f"{rows[-1]['start_time'][:19]}/{rows[-1]['id']}"


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula, whoever has named whom what."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" and text[:1] else text
