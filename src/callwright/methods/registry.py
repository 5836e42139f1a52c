"""Registry of methods: every one there is, in the order of the API reference."""

from typing import Any

from callwright.methods import (
    call_queries,
    control_calls,
    sessions,
    start_calls,
    start_informer,
    start_multi,
    start_scenarios,
    tag_and_block,
    talk_options,
)
from callwright.methods.method import Declaration

CATALOGUE: tuple[Declaration[Any], ...] = (
    sessions.LOGIN_USER,
    sessions.LOGOUT_USER,
    start_calls.START_EMPLOYEE_CALL,
    start_calls.START_SIMPLE_CALL,
    start_informer.START_INFORMER_CALL,
    start_multi.START_MULTI_CALL,
    start_scenarios.START_SCENARIO_CALL,
    start_scenarios.START_VNUMBER_CALL,
    *control_calls.DECLARATIONS,
    tag_and_block.TAG_CALL,
    tag_and_block.BLOCK_CONTACT,
    talk_options.LIST_TALK_OPTIONS,
    talk_options.CALL_TALK_OPTION,
    call_queries.LIST_CALLS,
    call_queries.GET_CALL,
)
