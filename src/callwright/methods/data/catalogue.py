"""Every method of the Data API, in the order of its reference."""

from typing import Any

from callwright.methods import sessions
from callwright.methods.data import (
    account,
    blacklist,
    communications,
    employees,
    media_files,
    notifications,
    scenarios,
    sip_lines,
    tags,
    virtual_numbers,
    webhooks,
)
from callwright.methods.data.listing import Listing
from callwright.methods.method import Declaration

DATA_CATALOGUE: tuple[Declaration[Any], ...] = (
    sessions.LOGIN_USER,
    sessions.LOGOUT_USER,
    account.GET_ACCOUNT,
    virtual_numbers.GET_VIRTUAL_NUMBERS,
    *employees.DECLARATIONS,
    *media_files.DECLARATIONS,
    *tags.DECLARATIONS,
    *communications.DECLARATIONS,
    *blacklist.DECLARATIONS,
    *sip_lines.DECLARATIONS,
    *scenarios.DECLARATIONS,
    *webhooks.DECLARATIONS,
    notifications.GET_NOTIFICATIONS,
)

LISTINGS: dict[str, Listing] = {
    account.GET_ACCOUNT.name: account.ACCOUNTS,
    virtual_numbers.GET_VIRTUAL_NUMBERS.name: virtual_numbers.VIRTUAL_NUMBERS,
    webhooks.GET_WEBHOOKS.name: webhooks.WEBHOOKS,
    notifications.GET_NOTIFICATIONS.name: notifications.NOTIFICATIONS,
}
"What the methods that list something list, by the name of the method."
