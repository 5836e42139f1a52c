"""Every method of the Data API, in the order of its reference."""

from typing import Any

from callwright.methods.data import (
    account,
    api_requests,
    blacklist,
    call_details,
    call_legs_report,
    call_timeline,
    calls_report,
    communications,
    data_sessions,
    employees,
    marketing_lists,
    media_files,
    notifications,
    request_log,
    scenarios,
    sip_lines,
    tags,
    virtual_numbers,
    webhook_log,
    webhooks,
)
from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.method import Declaration

DATA_CATALOGUE: tuple[Declaration[Any], ...] = (
    data_sessions.DATA_LOGIN_USER,
    data_sessions.DATA_LOGOUT_USER,
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
    webhook_log.GET_WEBHOOK_LOG,
    notifications.GET_NOTIFICATIONS,
    calls_report.GET_CALLS_REPORT,
    call_legs_report.GET_CALL_LEGS_REPORT,
    call_timeline.GET_CALL_TIMELINE,
    call_details.GET_CALL_DETAILS,
    request_log.GET_REQUEST_LOG,
    api_requests.GET_API_REQUESTS,
    *marketing_lists.DECLARATIONS,
)

LISTS = tuple(one for one in DATA_CATALOGUE if isinstance(one, ListDeclaration))
