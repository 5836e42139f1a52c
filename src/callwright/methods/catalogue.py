"""Every method there is, in the order of the API reference."""

from typing import Any

from callwright.methods import control_calls, listings, sessions, start_calls
from callwright.methods.method import Declaration

CATALOGUE: tuple[Declaration[Any], ...] = (
    sessions.LOGIN_USER,
    sessions.LOGOUT_USER,
    start_calls.START_EMPLOYEE_CALL,
    *control_calls.DECLARATIONS,
    listings.LIST_CALLS,
    listings.GET_CALL,
)
