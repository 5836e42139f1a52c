"""Statuses of employees: get.statuses, and get.employee_stat, the time spent in each."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from callwright.directory.employee_status import EmployeeStatus, StatusHistory
from callwright.directory.model import AccountId
from callwright.methods.data.employee_params import Direction, Status
from callwright.methods.data.list_fields import Always, Stored
from callwright.methods.data.list_method import Rows, list_declaration
from callwright.methods.data.list_request import ListRequest, LooseBoolean, ReportRequest, also
from callwright.methods.method import described
from callwright.query import Comparison, FieldKind, Operator, Query, Row

Protocol = Literal["PSTN", "SIP", "SIP_TRUNK", "FMC"]


class GetStatuses(ListRequest):
    is_deleted: Annotated[bool, LooseBoolean] | None = None
    "True: none, since none can be deleted; false, or left out: all."

    def narrowed(self, query: Query, zone: ZoneInfo) -> Query:
        if self.is_deleted is None:
            return query
        wanted = Comparison("is_deleted", FieldKind.BOOLEAN, Operator.EQUAL, self.is_deleted)
        return also(query, wanted)


@described
class ShownStatus(TypedDict):
    id: int
    name: str
    mnemonic: Status
    description: str
    color: str
    is_deleted: Annotated[bool, Always(False)]
    "Always false."
    in_external_allowed_call_directions: Annotated[list[Direction], Stored("in_external")]
    "With `in`: groups and scenarios ring who has this status."
    in_internal_allowed_call_directions: Annotated[list[Direction], Stored("in_internal")]
    "Shown, here and in the next two; nothing is refused by it."
    out_external_allowed_call_directions: Annotated[list[Direction], Stored("out_external")]
    out_internal_allowed_call_directions: Annotated[list[Direction], Stored("out_internal")]
    allowed_phone_protocols: Annotated[list[Protocol], Always(["PSTN", "SIP", "SIP_TRUNK", "FMC"])]
    "All of them."
    is_select_allowed: bool
    "False: people do not choose it."
    is_worktime: bool
    is_auto_out_calls_ready: bool
    "Shown: there are no campaigns."


class GetEmployeeStat(ReportRequest):
    only_default_statuses_in_stats: Annotated[bool, LooseBoolean] = False
    "Taken, and of no consequence: there are no statuses but the default ones."

    window_by: ClassVar[str] = "status_stats"


class StatGroup(TypedDict):
    group_id: Annotated[int, Stored("id")]
    group_name: Annotated[str, Stored("name")]


@described
class EmployeeStat(TypedDict):
    id: int
    last_name: str | None
    "Null, as its two neighbours, where only the full name is known."
    first_name: str | None
    patronymic: str | None
    full_name: str
    status_stats: Annotated[dict[str, int], Stored("status_history")]
    "Whole seconds between the two moments in each status, by its mnemonic; up to now at most."
    groups: list[StatGroup]


GET_STATUSES = list_declaration(
    "get.statuses",
    ShownStatus,
    table="employee_statuses",
    params=GetStatuses,
    summary="List the statuses that employees may have.",
)
GET_EMPLOYEE_STAT = list_declaration(
    "get.employee_stat",
    EmployeeStat,
    table="employee_statistics",
    params=GetEmployeeStat,
    summary="List the employees, with the time each has spent in each status.",
)
DECLARATIONS = (GET_STATUSES, GET_EMPLOYEE_STAT)


@dataclass(frozen=True, slots=True)
class StatusTimes:
    """Answers `Rows` of get.employee_stat: every employee, whose history is summed up.

    ``now``: UTC, aware.
    """

    rows: Rows
    "The employees, `status_stats` being the `StatusHistory`."
    now: Callable[[], datetime]
    are_many: ClassVar[bool] = False

    async def count(self, account: AccountId, query: Query) -> int:
        return await self.rows.count(account, replace(query, window=None))

    async def read(self, account: AccountId, query: Query) -> AsyncGenerator[Sequence[Row], None]:
        async with aclosing(self.rows.read(account, replace(query, window=None))) as reading:
            async for some in reading:
                yield [self._summed_up(row, query) for row in some]

    def _summed_up(self, row: Row, query: Query) -> Row:
        history, window = row.get("status_stats"), query.window
        if not isinstance(history, StatusHistory) or window is None:
            return row
        # The window's last second belongs to it.
        end = max(min(window.end + timedelta(seconds=1), self.now()), window.start)
        spent = history.spent(window.start, end)
        return {**row, "status_stats": {one.value: round(spent[one]) for one in EmployeeStatus}}
