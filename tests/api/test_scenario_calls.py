"""Scenarios over the API: calls that come in, the two starts, and every way these are refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from callwright.calls.events import (
    LegStarted,
    OperationStarted,
    SessionFinished,
    StateEntered,
)
from callwright.calls.state import State
from callwright.engines.simulated.far_end import (
    Answers,
    FarEnd,
    HangsUp,
    Presses,
    answers,
    never_answers,
)
from tests.api.answers import without_metadata
from tests.api.house import ANOTHER, DIRECTORY, House, house
from tests.api.rows import (
    Row,
    check_refused,
    combination,
    invalid,
    missed,
    mistyped,
    no_media,
    shared,
    too_long,
)

CONTACT, EMPLOYEE, NUMBER = "79260000000", "79260000028", "74993720692"


def does(*acts: Any) -> FarEnd:
    return FarEnd(((0.0, Answers()), *acts))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {
        CONTACT: does((0.2, Presses("1")), (60.0, HangsUp())),
        "79261110001": does((0.2, Presses("1")), (60.0, HangsUp())),
        "79261110002": does((0.2, Presses("2")), (60.0, HangsUp())),
        EMPLOYEE: answers(after=0.05, then=[(1.5, HangsUp())]),
        "79260000001": answers(after=0.05, then=[(0.5, HangsUp())]),
        "2901": does((0.2, Presses("2"))),
        "2502": does((0.2, Presses("2"))),
    }
    settings: dict[str, Any] = {"api": {"points_per_minute": 10_000}, "calls": {"dial_time": 1}}
    with house(tmp_path_factory.mktemp("house"), far_ends, **settings) as built:
        yield built


def session_from(home: House, caller: str, called: str = NUMBER, trunk: str | None = "t") -> int:
    """Let somebody call in; return the session that comes of it."""
    home.calls_in(caller=caller, called=called, trunk=trunk)
    started = home.news.wait_for(
        lambda event: (
            isinstance(event, LegStarted)
            and event.offered
            and (event.calling_number, event.called_number) == (caller, called)
        )
    )
    return started.session


def events(call: Any, *kinds: str) -> list[Any]:
    return [event for event in call["timeline"] if event["event"] in kinds]


# Calls that come in.


def test_a_call_comes_in_and_is_led_through_the_scenario(home: House) -> None:
    session = session_from(home, "79261110001")
    home.wait_for(session, StateEntered, state=State.TALK)
    [listed] = [
        call
        for call in home.succeeds("list.calls", {"direction": "in"})
        if call["call_session_id"] == session
    ]
    assert [
        (leg["calling_phone_number"], leg["called_phone_number"], leg["is_operator"], leg["state"])
        for leg in listed["legs"]
    ] == [
        ("79261110001", NUMBER, False, "Разговор"),
        # Shown the contact; and rung although two of the group cannot be.
        ("79261110001", EMPLOYEE, True, "Разговор"),
    ]
    # Controlled by the same methods.
    home.succeeds("tag.call", {"call_session_id": session, "tag_id": 7})
    call = home.until_finished(session)
    assert call["finish_reason"] == "no_operation"
    assert [
        (event["branch"], event["operation"]) for event in events(call, "operation_started")
    ] == [("", "menu"), ("sales", "ring"), ("rate", "play")]
    assert [event["label"] for event in events(call, "message_started")] == [
        "media 2561",
        "tts",
        "tts",
    ]
    # The talks of this employee are always recorded.
    assert len(call["recordings"]) == 1
    assert [tag["tag_id"] for tag in call["tags"]] == [7]


def test_a_contact_that_withholds_its_number(home: House) -> None:
    session = session_from(home, "")
    call = home.succeeds("get.call", {"call_session_id": session})
    assert call["contact_phone_number"] is None
    assert call["legs"][0]["calling_phone_number"] is None
    # Nobody can be known again by that.
    refused = home.call("block.contact", {"call_session_id": session})
    assert refused["error"]["data"]["mnemonic"] == "invalid_state"
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)


def test_a_url_in_a_private_network_is_not_asked(home: House) -> None:
    """Private networks refused unless allowed; then the fallback branch is used."""
    session = session_from(home, "79261110002")
    call = home.until_finished(session)
    [failed] = events(call, "route_failed")
    assert failed["reason"] == "127.0.0.1 is in a private network"
    assert events(call, "operation_started")[-1]["branch"] == "rate"


def test_a_phone_of_our_own_calls_a_virtual_number(home: House) -> None:
    call = home.until_finished(session_from(home, "2502", trunk=None))
    [leg] = call["legs"]
    assert (leg["employee_id"], leg["is_operator"]) == (25, False)


def test_a_phone_of_another_account_is_no_employee_whose_number_it_has(home: House) -> None:
    home.apply(
        f'{ANOTHER}[[employees.phones]]\nnumber = "2901"\nkind = "sip"\npassword = "geheim-2901"\n'
        '[[virtual_numbers]]\nnumber = "74993720699"\n'
    )
    call = home.until_finished(session_from(home, "2901", trunk=None))
    [leg] = call["legs"]
    assert (leg["calling_phone_number"], leg["employee_id"]) == ("2901", None)
    home.apply(ANOTHER)


@pytest.mark.parametrize(
    ("caller", "called", "reason", "of_leg", "cause"),
    [
        ("79269999999", NUMBER, "numa_in_black_list", "in_call_not_allowed", "rejected"),
        ("79261110003", "74993720693", "no_active_scenario", "scenario_not_found", "no_answer"),
    ],
)
def test_a_call_that_is_refused_leaves_a_session(
    home: House, caller: str, called: str, reason: str, of_leg: str, cause: str
) -> None:
    call = home.until_finished(session_from(home, caller, called))
    assert call["finish_reason"] == reason
    [ended] = events(call, "leg_ended")
    assert (ended["finish_reason"], ended["cause"]) == (of_leg, cause)
    assert not events(call, "leg_answered")


def test_a_number_that_nobody_owns_leaves_no_session(home: House) -> None:
    before = home.succeeds("list.calls", {})
    home.calls_in(caller="79261110004", called="74950000000", trunk="t")
    # What comes after it has been dealt with: the first call, too, by then.
    home.until_finished(session_from(home, "79261110005", "74993720693"))
    assert home.succeeds("list.calls", {}) == before


def test_a_caller_who_leaves_a_voicemail(home: House) -> None:
    home.engine.far_ends["79261110006"] = does((0.2, Presses("3")), (1.5, HangsUp()))
    call = home.until_finished(session_from(home, "79261110006"))
    assert call["finish_reason"] == "subscriber_disconnects"
    [recording] = call["recordings"]
    assert recording["duration"] > 0


def test_a_scenario_applied_while_the_service_runs(home: House) -> None:
    changed = DIRECTORY.replace('number = "74993720692"\nscenario = 1', 'number = "74993720692"')
    home.apply(changed)
    try:
        call = home.until_finished(session_from(home, "79261110007"))
        assert call["finish_reason"] == "no_active_scenario"
    finally:
        home.apply(DIRECTORY)


# The starts.

SCENARIO: dict[str, Any] = {
    "first_call": "contact",
    "virtual_phone_number": NUMBER,
    "contact": CONTACT,
    "scenario_id": 1,
}
VNUMBER: dict[str, Any] = {
    "first_call": "contact",
    "virtual_phone_number": NUMBER,
    "contact": CONTACT,
}
VALID = {"start.scenario_call": SCENARIO, "start.vnumber_call": VNUMBER}


@pytest.mark.parametrize("method", VALID)
def test_a_started_scenario(home: House, method: str) -> None:
    answer = home.call(method, VALID[method] | {"external_id": "x", "direction": "out"})
    session = answer["result"]["data"]["call_session_id"]
    assert without_metadata(answer) == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {"data": {"call_session_id": session}},
    }
    call = home.until_finished(session)
    assert (call["direction"], call["external_id"]) == ("out", "x")
    assert [event["operation"] for event in events(call, "operation_started")] == [
        "menu",
        "ring",
        "play",
    ]
    [employee] = [leg for leg in call["legs"] if leg["is_operator"]]
    assert employee["calling_phone_number"] == NUMBER
    assert call["finish_reason"] == "no_operation"


def test_the_employee_may_be_shown_the_contact(home: House) -> None:
    params = SCENARIO | {"show_virtual_phone_number": False}
    call = home.until_finished(home.succeeds("start.scenario_call", params)["call_session_id"])
    [employee] = [leg for leg in call["legs"] if leg["is_operator"]]
    assert employee["calling_phone_number"] == CONTACT


def test_the_employee_first(home: House) -> None:
    params = SCENARIO | {
        "first_call": "employee",
        "scenario_id": 2,
        "employee_message": {"type": "tts", "value": "Звонок"},
    }
    home.engine.far_ends["79261110008"] = answers(after=0.05)
    params["contact"] = "79261110008"
    home.engine.far_ends["79260000001"] = answers(after=0.05, then=[(3.0, HangsUp())])
    session = home.succeeds("start.scenario_call", params)["call_session_id"]
    call = home.until_finished(session)
    assert [leg["called_phone_number"] for leg in call["legs"]] == ["79260000001", "79261110008"]
    assert call["finish_reason"] == "operator_disconnects"
    assert not events(call, "operation_started")


def test_a_contact_that_does_not_answer(home: House) -> None:
    home.engine.far_ends["79261110009"] = never_answers()
    params = VNUMBER | {"contact": "79261110009"}
    session = home.succeeds("start.vnumber_call", params)["call_session_id"]
    finished = home.wait_for(session, SessionFinished)
    assert isinstance(finished, SessionFinished)
    assert finished.finish_reason == "subscriber_not_responsible"
    with pytest.raises(AssertionError, match="not told"):
        home.news.wait_for(
            lambda event: event.session == session and isinstance(event, OperationStarted),
            within=0.0,
        )


# How they are refused.

JOINING: list[Row] = [
    missed("first_call"),
    invalid("first_call", "operator"),
    mistyped("switch_at_once", "true", "true"),
    mistyped("early_switching", 1, "1"),
    mistyped("show_virtual_phone_number", 0, "0"),
    combination("early_switching", True, "true"),
    combination("early_switching", True, "true", first_call="contact", switch_at_once=True),
    (
        {"media_file_id": 2701},
        (-32602, "Unexpected method parameter(s)"),
        {"mnemonic": "unexpected_parameters", "field": "media_file_id", "value": "2701"},
    ),
]
OF_SCENARIO: list[Row] = [
    missed("scenario_id"),
    mistyped("scenario_id", "1", "1"),
    invalid("scenario_id", -1),
    too_long("employee_message"),
    no_media({"employee_message": {"type": "media", "value": "404"}}, "employee_message.value"),
    (
        {"scenario_id": 404},
        (-32602, "Scenario with id 404 not found"),
        {
            "mnemonic": "scenario_not_found",
            "field": "scenario_id",
            "value": "404",
            "params": {"scenario_id": 404},
        },
    ),
]
OF_NUMBER: list[Row] = [
    (
        {"virtual_phone_number": "74993720693"},
        (-32007, "Virtual phone number does not have a scenario"),
        {
            "mnemonic": "scenario_not_found",
            "field": "virtual_phone_number",
            "value": "74993720693",
        },
    ),
    (
        {"scenario_id": 1},
        (-32602, "Unexpected method parameter(s)"),
        {"mnemonic": "unexpected_parameters", "field": "scenario_id", "value": "1"},
    ),
]
REFUSED = [
    (method, *row)
    for method, own in (("start.scenario_call", OF_SCENARIO), ("start.vnumber_call", OF_NUMBER))
    for row in (*shared(method), *JOINING, *own)
]


@pytest.mark.parametrize(
    ("method", "changes", "said", "data"),
    REFUSED,
    ids=[f"{row[0]}-{row[3]['mnemonic']}-{row[3]['field']}-{i}" for i, row in enumerate(REFUSED)],
)
def test_refused(
    home: House,
    method: str,
    changes: dict[str, Any],
    said: tuple[int, str],
    data: dict[str, Any],
) -> None:
    check_refused(home, method, VALID[method], (changes, said, data))


def test_the_component_of_scenarios_can_be_switched_off(home: House) -> None:
    """Component Call API Call scenario for start.scenario_call; vnumber is of the basic set."""
    home.apply(
        DIRECTORY.replace(
            'login = "crm"', 'login = "crm"\ndisabled_components = ["Call API Call scenario"]', 1
        )
    )
    try:
        answer = home.call("start.scenario_call", SCENARIO)
        assert answer["error"]["data"]["mnemonic"] == "component_disabled"
        home.until_finished(home.succeeds("start.vnumber_call", VNUMBER)["call_session_id"])
    finally:
        home.apply(DIRECTORY)
