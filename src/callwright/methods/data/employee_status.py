"""The status of an employee as it is sent: by mnemonic, by id, and in older words."""

from dataclasses import replace

from callwright.directory.editing import EmployeeDraft
from callwright.directory.employee_status import EmployeeStatus
from callwright.methods import errors


def with_status(
    draft: EmployeeDraft,
    status: str | None,
    status_id: int | None,
    calls_available: bool | None,
    *,
    is_new: bool,
) -> EmployeeDraft:
    """What an employee becomes by the three, of which null says nothing.

    What is as it is shown changes nothing, so that a whole employee may be sent back with one of
    the three changed; of an employee who is new nothing has been shown. Those that differ have to
    agree. Raises `InvalidParametersCombination`, and `EntityNotFound` for an id that is none.
    """
    shown = None if is_new else draft.shown_status
    named = None if status is None else EmployeeStatus(status)
    numbered = None if status_id is None else _of_id(status_id)
    wanted = {one for one in (named, numbered) if one is not None and one is not shown}
    if len(wanted) > 1:
        raise errors.InvalidParametersCombination(field="status_id", value=status_id)
    after = next(iter(wanted), None)
    is_sent = calls_available is not None and (is_new or calls_available is not draft.is_rung)
    if after is None:
        return _called(draft, calls_available) if is_sent and calls_available is not None else draft
    if is_sent and after.is_rung is not calls_available:
        if after is named:
            raise errors.InvalidParametersCombination(field="status", value=status)
        raise errors.InvalidParametersCombination(field="status_id", value=status_id)
    return replace(draft, status=after, active=draft.active or after.is_rung)


def _called(draft: EmployeeDraft, calls_available: bool) -> EmployeeDraft:
    """An employee of whom no more is said than whether they take calls."""
    if not calls_available:
        return replace(draft, active=False)
    status = draft.status if draft.status.is_rung else EmployeeStatus.AVAILABLE
    return replace(draft, active=True, status=status)


def _of_id(id: int) -> EmployeeStatus:
    for status in EmployeeStatus:
        if status.id == id:
            return status
    raise errors.EntityNotFound(field="status_id", value=id)
