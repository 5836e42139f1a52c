"""Statuses of employees (presence): what each is called, and who is rung in which."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EmployeeStatus(StrEnum):
    """What an employee is doing; the value is the mnemonic that clients see."""

    AVAILABLE = "available"
    BREAK = "break"
    DO_NOT_DISTURB = "do_not_disturb"
    NOT_AT_WORKPLACE = "not_at_workplace"
    NOT_AT_WORK = "not_at_work"
    AUTO_OUT_CALL = "auto_out_call"
    UNKNOWN = "unknown"

    @property
    def is_rung(self) -> bool:
        """Whether groups and scenarios ring the employee for a call from outside."""
        return self in RUNG

    @property
    def id(self) -> int:
        """By which clients name it as well."""
        return [*EmployeeStatus].index(self) + 1


RUNG = frozenset({EmployeeStatus.AVAILABLE, EmployeeStatus.UNKNOWN})
"Those that the table ``employee_statuses`` allows calls in from outside."


@dataclass(frozen=True, slots=True)
class StatusHistory:
    """What an employee's status has been."""

    now: EmployeeStatus
    changes: list[tuple[datetime, EmployeeStatus | None]]
    """When it changed, in order (UTC, aware), and what it was before; None: there was no such
    employee."""

    def spent(self, start: datetime, end: datetime) -> dict[EmployeeStatus, float]:
        """Seconds between two moments in each status."""
        found = dict.fromkeys(EmployeeStatus, 0.0)
        begun = start
        for ended, status in (*self.changes, (end, self.now)):
            upto = min(max(ended, begun), end)
            if status is not None:
                found[status] += (upto - begun).total_seconds()
            begun = upto
        return found
