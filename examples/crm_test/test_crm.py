"""The CRM's tests. Each has a sandbox of its own; no test waits for a phone, nor for a clock.

pytest examples/crm_test
"""

import pytest
from crm import Crm, Deal

# What numbers do: `callwright sandbox --numbers`.
TALKS_FOR_A_MINUTE = "79000011060"
BUSY = "79000012000"
NEVER_ANSWERS = "79000013000"
BUSY_ONCE = "79000023001"
MANAGER = 1
OUR_NUMBER = "74990000001"
NOBODY_IS_THERE = "74990000002"


@pytest.fixture
def crm(callwright_sandbox):
    return Crm(callwright_sandbox.url, callwright_sandbox.token, OUR_NUMBER)


def go_on(crm, sandbox, seconds):
    """Let time go by, and the CRM hear of everything, as its webhook would."""
    for event in sandbox.advance(seconds):
        crm.hear(event.as_json())


def test_a_talk_is_put_to_the_deal(crm, callwright_sandbox):
    crm.deals["d1"] = Deal("d1", TALKS_FOR_A_MINUTE, MANAGER)
    crm.call("d1")
    go_on(crm, callwright_sandbox, 30)
    assert crm.deals["d1"].outcome == "calling", "they still talk"
    go_on(crm, callwright_sandbox, 60)
    assert crm.deals["d1"].outcome == "talked"
    assert crm.deals["d1"].talked == 60
    assert crm.tasks == []


@pytest.mark.parametrize("customer", [BUSY, NEVER_ANSWERS])
def test_who_is_not_reached_is_to_be_called_again(crm, callwright_sandbox, customer):
    crm.deals["d1"] = Deal("d1", customer, MANAGER)
    crm.call("d1")
    go_on(crm, callwright_sandbox, 120)
    assert crm.deals["d1"].talked == 0
    assert crm.tasks == [f"call {customer} again"]


def test_the_second_attempt_reaches_the_customer(crm, callwright_sandbox):
    crm.deals["d1"] = Deal("d1", BUSY_ONCE, MANAGER)
    crm.call("d1")
    go_on(crm, callwright_sandbox, 3600)  # in an hour the CRM tries again
    crm.call("d1")
    go_on(crm, callwright_sandbox, 20)
    [session] = callwright_sandbox.rpc("list.calls")
    callwright_sandbox.rpc("release.call", call_session_id=session["call_session_id"])
    go_on(crm, callwright_sandbox, 1)
    assert crm.deals["d1"].outcome == "talked"


def test_a_customer_whom_nobody_has_answered_is_to_be_called_back(crm, callwright_sandbox):
    callwright_sandbox.call_in("79261234567", NOBODY_IS_THERE)
    go_on(crm, callwright_sandbox, 60)
    assert crm.tasks == ["call 79261234567 back"]


def test_a_customer_may_do_anything(crm, callwright_sandbox):
    customer = "79261234567"
    callwright_sandbox.script(
        customer,
        {"do": "ring"},
        {"do": "answer", "after": 4},
        {"do": "drop", "after": 7},  # the tunnel
    )
    crm.deals["d1"] = Deal("d1", customer, MANAGER)
    crm.call("d1")
    go_on(crm, callwright_sandbox, 60)
    assert crm.deals["d1"].talked == 7


def test_an_event_that_comes_twice_counts_once(crm, callwright_sandbox):
    crm.deals["d1"] = Deal("d1", TALKS_FOR_A_MINUTE, MANAGER)
    crm.call("d1")
    go_on(crm, callwright_sandbox, 120)
    for event in callwright_sandbox.events("session.finished"):
        crm.hear(event.as_json())
    assert crm.deals["d1"].talked == 60
