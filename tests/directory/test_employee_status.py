"""The time an employee has spent in each status, between two moments."""

from datetime import UTC, datetime, timedelta

from callwright.directory.employee_status import EmployeeStatus, StatusHistory

NINE = datetime(2026, 5, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
AVAILABLE, BREAK, AWAY = (
    EmployeeStatus.AVAILABLE,
    EmployeeStatus.BREAK,
    EmployeeStatus.NOT_AT_WORK,
)


def hours(history: StatusHistory, start: datetime, end: datetime) -> dict[EmployeeStatus, float]:
    return {status: t / 3600 for status, t in history.spent(start, end).items() if t}


def test_time_is_counted_within_the_window_alone() -> None:
    history = StatusHistory(
        AWAY, [(NINE, AWAY), (NINE + 3 * HOUR, AVAILABLE), (NINE + 4 * HOUR, BREAK)]
    )
    assert hours(history, NINE - HOUR, NINE + 6 * HOUR) == {AWAY: 3, AVAILABLE: 3, BREAK: 1}
    assert hours(history, NINE + HOUR, NINE + 2 * HOUR) == {AVAILABLE: 1}
    assert hours(history, NINE + 3.5 * HOUR, NINE + 5 * HOUR) == {BREAK: 0.5, AWAY: 1}


def test_before_there_was_such_an_employee_is_no_time() -> None:
    history = StatusHistory(AVAILABLE, [(NINE, None)])
    assert hours(history, NINE - 5 * HOUR, NINE + HOUR) == {AVAILABLE: 1}
    assert hours(history, NINE - 5 * HOUR, NINE - HOUR) == {}


def test_without_changes_it_was_always_so() -> None:
    assert hours(StatusHistory(BREAK, []), NINE, NINE + HOUR) == {BREAK: 1}
