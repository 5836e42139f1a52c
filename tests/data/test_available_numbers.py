"""Numbers that are enabled and disabled: by whom, and what happens to calls."""

from collections.abc import Iterator
from typing import Any

import pytest

from callwright.calls.events import LegStarted, SessionFinished, TalkStarted
from callwright.engines.simulated.far_end import Answers, FarEnd, HangsUp
from callwright.provisioning.file import DirectoryFaults
from tests.api.house import DIRECTORY, STRANGER, House, house
from tests.compat.documented import decode
from tests.data.test_entities import done, not_found, refused, unusable

NUMBER, OTHER, SPARE = "74993720692", "74993720693", "74993720694"
CONTACT, CALLER = "79260000000", "79261110001"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    talks = FarEnd(((0.0, Answers()), (60.0, HangsUp())))
    far_ends = {CONTACT: talks, "2501": talks}
    with house(tmp_path_factory.mktemp("house"), far_ends, api=many) as up:
        yield up


def numbers(home: House, method: str, field: str = "virtual_phone_number") -> list[str]:
    found: list[dict[str, Any]] = home.data(method, {"fields": [field]})["result"]["data"]
    return [row[field] for row in found]


def switch(home: House, to: str, number: str) -> None:
    assert done(home, f"{to}.virtual_numbers", virtual_phone_number=number) == {}


def call(home: House, number: str = NUMBER, **more: object) -> Any:
    params = {
        "first_call": "employee",
        "employee": {"id": 25, "phone_number": "2501"},
        "contact": CONTACT,
        "virtual_phone_number": number,
        **more,
    }
    return home.call("start.employee_call", params)


def verdict(home: House, called: str, caller: str) -> tuple[str, str, bool]:
    """How a call that comes in ends: its finish reason, and the cause and answer of its leg."""
    home.calls_in(caller=caller, called=called, trunk="carrier")
    begun = home.news.wait_for(
        lambda event: isinstance(event, LegStarted) and event.calling_number == caller
    )
    ended = home.wait_for(begun.session, SessionFinished)
    assert isinstance(ended, SessionFinished)
    shown = home.until_finished(begun.session)
    [leg] = [event for event in shown["timeline"] if event["type"] == "leg.ended"]
    lost = any(event["type"] == "call.lost" for event in shown["timeline"])
    return ended.finish_reason, leg["cause"], lost


def test_numbers_that_may_be_enabled_are_listed(home: House) -> None:
    [row] = home.data("get.available_virtual_numbers", {})["result"]["data"]
    decode("get.available_virtual_numbers", row)
    assert row["phone_number"] == SPARE
    assert numbers(home, "get.virtual_numbers") == [NUMBER, OTHER]
    assert numbers(home, "get.sip_line_virtual_numbers") == [NUMBER, OTHER]
    assert home.data("get.available_virtual_numbers", {}, STRANGER)["result"]["data"] == []


def test_a_number_that_is_enabled_is_used(home: House) -> None:
    fault = call(home, SPARE)["error"]["data"]
    assert (fault["mnemonic"], fault["extended_helper"]) == (
        "virtual_phone_number_not_found",
        "this number is disabled",
    )
    switch(home, "enable", SPARE)
    switch(home, "enable", SPARE)
    assert numbers(home, "get.virtual_numbers") == [NUMBER, OTHER, SPARE]
    assert numbers(home, "get.available_virtual_numbers", "phone_number") == []
    session = call(home, SPARE)["result"]["data"]["call_session_id"]
    home.wait_for(session, TalkStarted)
    # What is up goes on.
    switch(home, "disable", SPARE)
    [live] = home.succeeds("list.calls", {})
    assert live["virtual_phone_number"] == SPARE
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
    assert numbers(home, "get.available_virtual_numbers", "phone_number") == [SPARE]


def test_a_disabled_number_is_neither_called_nor_called_from(home: House) -> None:
    switch(home, "disable", NUMBER)
    try:
        assert verdict(home, NUMBER, CALLER) == ("numb_is_inactive", "wrong_number", False)
        assert call(home)["error"]["data"]["mnemonic"] == "virtual_phone_number_not_found"
        # No rule chooses it, and it is still no contact.
        rule = {"virtual_phone_usage_rule": "random"}
        session = call(home, OTHER, **rule)["result"]["data"]["call_session_id"]
        home.wait_for(session, TalkStarted)
        home.succeeds("release.call", {"call_session_id": session})
        assert home.until_finished(session)["virtual_phone_number"] == OTHER
        own = call(home, OTHER, contact=NUMBER)["error"]["data"]
        assert own["mnemonic"] == "own_virtual_phone_number_not_allowed"
        # A phone that calls by itself shows the first number that is used.
        home.calls_in(caller="2502", called="2501", trunk=None)
        begun = home.news.wait_for(
            lambda event: isinstance(event, LegStarted) and event.calling_number == "2502"
        )
        [live] = home.succeeds("list.calls", {})
        assert live["virtual_phone_number"] == OTHER
        home.succeeds("release.call", {"call_session_id": begun.session})
        home.until_finished(begun.session)
    finally:
        switch(home, "enable", NUMBER)
    shown = home.data("get.virtual_numbers", {})["result"]["data"][0]
    assert [one["scenario_id"] for one in shown["scenarios"]] == [1], "its scenario is kept"


def test_what_is_wrong_is_said(home: House) -> None:
    for to in ("enable", "disable"):
        method, strange = f"{to}.virtual_numbers", {"virtual_phone_number": "74950000000"}
        refused(home, method, strange, **not_found("virtual_phone_number", "74950000000"))
        of_another = {"virtual_phone_number": NUMBER}
        said = not_found("virtual_phone_number", NUMBER)
        refused(home, method, of_another, token=STRANGER, **said)
        capacity = {"number_capacity_ids": ["7"]}
        refused(home, method, capacity, **not_found("number_capacity_ids.0", "7"))
        fault = home.data(method, {})["error"]["data"]
        assert (fault["mnemonic"], fault["field"]) == (
            "required_parameter_missed",
            "virtual_phone_number",
        )


def test_what_the_operator_has_locked_stays_locked(home: House) -> None:
    locked = f'number = "{OTHER}"\nlocked = true'
    home.apply(DIRECTORY.replace(f'number = "{OTHER}"', locked))
    try:
        rows = home.data("get.virtual_numbers", {})["result"]["data"]
        status = {row["virtual_phone_number"]: row["status"] for row in rows}
        assert status == {NUMBER: "active", OTHER: "manual_lock"}
        said = unusable("the operator has locked this number", "virtual_phone_number", OTHER)
        for to in ("enable", "disable"):
            refused(home, f"{to}.virtual_numbers", {"virtual_phone_number": OTHER}, **said)
        assert verdict(home, OTHER, "79261110002") == ("locked_numb", "wrong_number", False)
        assert call(home, OTHER)["error"]["data"]["mnemonic"] == "virtual_phone_number_not_found"
    finally:
        home.apply(DIRECTORY)


def test_a_file_and_requests_do_not_undo_each_other(home: House) -> None:
    switch(home, "disable", OTHER)
    switch(home, "enable", SPARE)
    with pytest.raises(DirectoryFaults, match=r"virtual_numbers\[2\].active: .*has enabled it"):
        home.apply(DIRECTORY)
    home.apply(DIRECTORY.replace("\nactive = false\n[[employees]]", "\n[[employees]]"))
    assert numbers(home, "get.virtual_numbers") == [NUMBER, SPARE], "nothing is said of either"
    said = DIRECTORY.replace(f'"{SPARE}"\nactive = false', f'"{SPARE}"\nactive = true')
    with pytest.raises(DirectoryFaults, match=r"virtual_numbers\[1\].active: .*has disabled it"):
        home.apply(said.replace(f'"{OTHER}"', f'"{OTHER}"\nactive = true'))
    home.apply(said)
    home.apply(DIRECTORY)
    assert numbers(home, "get.available_virtual_numbers", "phone_number") == [OTHER, SPARE]
    switch(home, "enable", OTHER)
