"""Methods on a live call over HTTP: the table method × state, cell by cell, and every own error."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from callwright.calls import events
from callwright.calls.state import State
from callwright.engines.simulated.far_end import Presses, Rejects, answers, never_answers
from callwright.methods.registry import CATALOGUE
from tests.api.answers import refusal, without_metadata
from tests.api.house import House, house

CONTACT, EMPLOYEE, THIRD, COACH = "79260000000", "79260000001", "79261111111", "2901"
NEVER, BUSY = "79262222222", "79263333333"
PRESSING = "79260000028"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    from callwright.engines.port import Cause
    from callwright.engines.simulated.far_end import FarEnd

    far_ends = {number: answers(after=0.01) for number in (CONTACT, EMPLOYEE, THIRD, COACH)} | {
        NEVER: never_answers(),
        BUSY: FarEnd(((0.01, Rejects(Cause.BUSY, "486 Busy Here")),)),
        PRESSING: answers(
            after=0.01, then=[(1.0, Presses("*")), (0.1, Presses("1", by_tone=True))]
        ),
    }
    settings = {"api": {"points_per_minute": 100_000}}
    with house(tmp_path_factory.mktemp("house"), far_ends, **settings) as built:
        yield built


def started(home: House, contact: str = CONTACT, employee: int = 25) -> int:
    params = {
        "first_call": "employee",
        "virtual_phone_number": "74993720692",
        "contact": contact,
        "employee": {"id": employee, **({"phone_number": EMPLOYEE} if employee == 25 else {})},
    }
    return int(home.succeeds("start.employee_call", params)["call_session_id"])


def talking(home: House, employee: int = 25) -> int:
    session = started(home, employee=employee)
    home.wait_for(session, events.TalkStarted)
    return session


def do(home: House, session: int, method: str, **params: object) -> Any:
    return home.call(method, {"call_session_id": session, **params})


def done(home: House, session: int, method: str, **params: object) -> None:
    answer = without_metadata(do(home, session, method, **params))
    assert answer == {"jsonrpc": "2.0", "id": 1, "result": {"data": {"success": "true"}}}


MESSAGE = {"type": "media", "value": "2561"}


def holding(home: House) -> int:
    session = talking(home)
    done(home, session, "hold.call", contact_message=MESSAGE)
    return session


def dialing(home: House) -> int:
    session = holding(home)
    done(home, session, "make.call", to=NEVER)
    return session


def operators_talking(home: House) -> int:
    session = holding(home)
    done(home, session, "make.call", to=THIRD)
    home.wait_for(session, events.StateEntered, state=State.OPERATOR_TALK)
    return session


REACH: dict[State, Callable[[House], int]] = {
    State.SESSION: lambda home: started(home, contact=NEVER),
    State.TALK: talking,
    State.HOLD: holding,
    State.DIALING: dialing,
    State.OPERATOR_TALK: operators_talking,
}

# Parameters with which each method is called; leg: the employee's, who has answered.
PARAMS: dict[str, dict[str, object]] = {
    "hold.call": {"contact_message": MESSAGE},
    "make.call": {"to": THIRD},
    "transfer.call": {"to": THIRD},
    "add.coach": {"phone_number": COACH},
    "set.coach_mode": {"mode": "listen"},
    "record.call": {"action": "on"},
    "send.dtmf": {"dtmf_string": "5"},
    "tag.call": {"tag_id": 7},
    "call.talk_option": {"button": "*1"},
}
NEED_LEG = {"mute.leg", "unmute.leg", "disconnect.leg"}
# What else may be said where the state allows the method.
NOT_NOW = {"set.coach_mode": "coach_not_found"}
# Allowed in every live state, but the contact must have answered.
NEEDS_CONTACT = {"send.dtmf": State.SESSION}

OF_STATE = [method for method in CATALOGUE if method.states is not None]


def test_the_table_has_every_method_on_a_live_call() -> None:
    on_calls = {one.name for one in CATALOGUE if "call_session_id" in one.params.model_fields}
    assert {one.name for one in OF_STATE} == on_calls - {"get.call"}


@pytest.mark.parametrize("state", REACH)
@pytest.mark.parametrize("method", OF_STATE, ids=lambda method: method.name)
def test_cell(home: House, method: Any, state: State) -> None:
    session = REACH[state](home)
    if method.name == "mute.leg" and state is State.SESSION:
        home.wait_for(session, events.LegAnswered)
    params = dict(PARAMS.get(method.name, {}))
    if method.name in NEED_LEG:
        home.wait_for(session, events.LegAnswered)
        params["leg_id"] = home.succeeds("get.call", {"call_session_id": session})["legs"][0][
            "leg_id"
        ]
    answer = do(home, session, method.name, **params)
    allowed = state in method.states and NEEDS_CONTACT.get(method.name) is not state
    if not allowed:
        data = {"mnemonic": "invalid_state", "field": None}
        said = -32004, "This method can not be called in this state"
        assert without_metadata(answer) == refusal(*said, data)
    elif method.name in NOT_NOW:
        assert answer["error"]["data"]["mnemonic"] == NOT_NOW[method.name]
    else:
        assert answer["result"]["data"] == {"success": "true"}
        if method.name == "block.contact":
            blacklisted = home.data("get.blacklist_phone_numbers", {})["result"]["data"]
            added = {"id": blacklisted[-1]["id"]}
            home.data("delete.phone_number_from_blacklist", added)
    do(home, session, "release.call")
    home.until_finished(session)


@pytest.mark.parametrize("method", OF_STATE, ids=lambda method: method.name)
def test_no_method_finds_a_session_that_is_over(home: House, method: Any) -> None:
    session = started(home, contact=NEVER)
    done(home, session, "release.call")
    home.until_finished(session)
    params = dict(PARAMS.get(method.name, {}))
    if method.name in NEED_LEG:
        params["leg_id"] = 1
    data = {
        "mnemonic": "call_session_not_found",
        "field": "call_session_id",
        "value": str(session),
    }
    answer = do(home, session, method.name, **params)
    assert without_metadata(answer) == refusal(-32602, "Call session not found", data)


RECORD_ON = ("record.call", {"action": "on"})
RECORD_OFF = ("record.call", {"action": "off"})
TAG = ("tag.call", {"tag_id": 7})

OWN_ERRORS: list[tuple[list[Any], tuple[str, dict[str, Any]], tuple[int, str], dict[str, Any]]] = [
    (
        [RECORD_ON],
        RECORD_ON,
        (-32602, "The call record is already started"),
        {"mnemonic": "record_already_started", "field": None},
    ),
    (
        [],
        RECORD_OFF,
        (-32602, "The call record is not enabled"),
        {"mnemonic": "record_already_stopped", "field": None},
    ),
    (
        [],
        ("tag.call", {"tag_id": 404}),
        (-32602, "Tag with 404 not found"),
        {
            "mnemonic": "tag_not_found",
            "field": "tag_id",
            "value": "404",
            "params": {"tag_id": 404},
        },
    ),
    (
        [TAG],
        TAG,
        (-32602, "Duplicate tag"),
        {"mnemonic": "duplicate_tag", "field": "tag_id", "value": "7"},
    ),
    (
        [],
        ("add.coach", {}),
        (-32602, "The coach not found in your settings"),
        {"mnemonic": "coach_not_found", "field": None},
    ),
    (
        [],
        ("add.coach", {"phone_number": "999"}),
        (-32602, "The phone number does not exist or inactive"),
        {"mnemonic": "no_active_phone_number", "field": "phone_number", "value": "999"},
    ),
    *[
        (
            [],
            (method, {"leg_id": 404}),
            (-32602, "The call's leg not found"),
            {"mnemonic": "leg_not_found", "field": "leg_id", "value": "404"},
        )
        for method in sorted(NEED_LEG)
    ],
    (
        [],
        ("send.dtmf", {"dtmf_string": "12"}),
        (-32602, "Invalid parameter value"),
        {"mnemonic": "invalid_parameter_value", "field": "dtmf_string", "value": "12"},
    ),
    (
        [],
        ("hold.call", {}),
        (-32602, "The required parameter has been missed"),
        {"mnemonic": "required_parameter_missed", "field": "contact_message"},
    ),
    (
        [],
        ("hold.call", {"contact_message": {"type": "media", "value": "404"}}),
        (-32602, "The media file with id 404 not found"),
        {
            "mnemonic": "media_file_not_found",
            "field": "contact_message.value",
            "value": "404",
            "params": {"media_file_id": 404},
        },
    ),
    (
        [],
        ("transfer.call", {"to": "999"}),
        (-32602, "The phone number does not exist or inactive"),
        {"mnemonic": "no_active_phone_number", "field": "to", "value": "999"},
    ),
    (
        [],
        ("call.talk_option", {"button": "9"}),
        (-32602, "Talk option not found"),
        {"mnemonic": "talk_option_not_found", "field": "button", "value": "9"},
    ),
    (
        [],
        ("call.talk_option", {"button": "*5"}),
        (-32003, "Permission denied"),
        {"mnemonic": "forbidden", "field": "button", "value": "*5"},
    ),
]


@pytest.mark.parametrize(
    ("before", "call", "said", "data"),
    OWN_ERRORS,
    ids=[f"{row[1][0]}-{row[3]['mnemonic']}" for row in OWN_ERRORS],
)
def test_own_error(
    home: House,
    before: list[tuple[str, dict[str, Any]]],
    call: tuple[str, dict[str, Any]],
    said: tuple[int, str],
    data: dict[str, Any],
) -> None:
    session = talking(home)
    for method, params in before:
        done(home, session, method, **params)
    answer = do(home, session, call[0], **call[1])
    assert without_metadata(answer) == refusal(*said, data)
    done(home, session, "release.call")


@pytest.mark.parametrize(
    ("method", "params", "field"),
    [("hold.call", {}, "contact_message"), ("make.call", {"to": THIRD}, "to_message")],
)
def test_a_bad_value_is_told_before_the_session_is_looked_for(
    home: House, method: str, params: dict[str, object], field: str
) -> None:
    too_long = {"type": "tts", "value": "я" * 501}
    answer = home.call(method, {"call_session_id": 1, **params, field: too_long})
    assert answer["error"]["data"]["mnemonic"] == "tts_text_exceeded"


@pytest.mark.parametrize("method", ["make.call", "transfer.call", "add.coach"])
def test_what_third_parties_are_refused_for_is_published(method: str) -> None:
    [declared] = [one for one in CATALOGUE if one.name == method]
    assert {"no_active_phone_number", "direction_not_allowed"} <= {*declared.errors}


def test_blocking_the_contact(home: House) -> None:
    session = started(home, contact="79268888888")
    done(home, session, "block.contact")
    again = do(home, session, "block.contact")
    assert without_metadata(again) == refusal(
        -32602,
        "The contact with phone number 79268888888 already exists",
        {
            "mnemonic": "duplicate_contact",
            "field": None,
            "params": {"contact_phone_number": "79268888888"},
        },
    )
    done(home, session, "release.call")
    params = {
        "first_call": "contact",
        "virtual_phone_number": "74993720692",
        "contact": "79268888888",
        "employee": {"id": 25},
    }
    answer = home.call("start.employee_call", params)
    assert answer["error"]["data"]["mnemonic"] == "contact_in_blacklist"


def test_calls_of_an_employee_who_is_always_recorded(home: House) -> None:
    session = talking(home, employee=28)
    answer = do(home, session, "record.call", action="off")
    data = {"mnemonic": "forbidden", "field": None}
    assert without_metadata(answer) == refusal(-32003, "Permission denied", data)
    [listed] = [
        call for call in home.succeeds("list.calls", {}) if call["call_session_id"] == session
    ]
    assert [leg["record_call_enabled"] for leg in listed["legs"]] == [True, True]
    done(home, session, "release.call")
    assert len(home.until_finished(session)["recordings"]) == 1


def test_the_coach_of_the_settings(home: House) -> None:
    session = talking(home, employee=28)
    done(home, session, "add.coach", mode="listen")
    home.wait_for(session, events.CoachJoined, mode="listen")
    done(home, session, "set.coach_mode", mode="barge")
    home.wait_for(session, events.CoachModeChanged, mode="barge")
    done(home, session, "release.call")


def test_keys_of_the_employee_run_talk_options(home: House) -> None:
    """`*` alone is an option too: the employee means `*1`, its keys come one after the other."""
    session = talking(home, employee=28)
    home.wait_for(session, events.OptionRun, button="*1")
    call = home.succeeds("get.call", {"call_session_id": session})
    assert call["tags"] == [{"tag_id": 7, "tag_name": "Лид"}]
    assert "contact_saved" not in [entry["event"] for entry in call["timeline"]]
    done(home, session, "release.call")


def test_talk_options_by_request(home: House) -> None:
    listed = home.succeeds("list.talk_options", {})
    assert [option["button"] for option in listed] == ["*1", "*2", "*3", "*4", "*5", "*6", "*", "#"]
    assert listed[0] == {
        "button": "*1",
        "mnemonic": "tag_call",
        "name": "Лид",
        "button_value": {"id": 7, "value": "Лид"},
    }
    assert listed[1]["button_value"] == {}
    assert listed[5]["button_value"] == {"id": 2, "value": "Straight"}
    session = talking(home, employee=28)
    done(home, session, "call.talk_option", button="*")
    home.wait_for(session, events.ContactSaved, number=CONTACT)
    done(home, session, "call.talk_option", button="*4")
    home.wait_for(session, events.CoachJoined, mode="whisper")
    done(home, session, "call.talk_option", button="*4")  # the same again hangs the coach up
    done(home, session, "call.talk_option", button="*3")
    home.wait_for(session, events.TransferFinished)
    done(home, session, "call.talk_option", button="#")
    assert home.until_finished(session)["finish_reason"] == "operator_disconnects"


RUN_SCENARIO = {"button": "*6"}


@pytest.mark.parametrize("state", REACH)
def test_a_scenario_is_run_from_a_talk_and_from_no_other_state(home: House, state: State) -> None:
    session = REACH[state](home)
    answer = do(home, session, "call.talk_option", **RUN_SCENARIO)
    if state is State.TALK:
        assert answer["result"]["data"] == {"success": "true"}
        home.wait_for(session, events.OperationStarted, operation="ring")
    else:
        data = {"mnemonic": "invalid_state", "field": None}
        said = -32004, "This method can not be called in this state"
        assert without_metadata(answer) == refusal(*said, data)
    do(home, session, "release.call")
    home.until_finished(session)


def test_a_scenario_run_from_a_talk_rings_its_people(home: House) -> None:
    session = talking(home, employee=28)
    done(home, session, "call.talk_option", **RUN_SCENARIO)
    home.wait_for(session, events.StateEntered, state=State.SESSION)
    again = do(home, session, "call.talk_option", **RUN_SCENARIO)
    assert again["error"]["data"]["mnemonic"] == "invalid_state"
    home.wait_for(session, events.LegStarted, called_number=EMPLOYEE)
    done(home, session, "release.call")
    call = home.until_finished(session)
    assert call["finish_reason"] == "api_release"
    ended = {
        entry["leg"]: entry["finish_reason"]
        for entry in call["timeline"]
        if entry["event"] == "leg_ended"
    }
    [operator] = [
        entry["leg"]
        for entry in call["timeline"]
        if entry["event"] == "leg_started" and entry["called_number"] == PRESSING
    ]
    assert ended[operator] == "transfer_disconnects"


def test_a_transfer_to_a_busy_number_ends_the_session(home: House) -> None:
    session = talking(home)
    done(home, session, "transfer.call", to=BUSY)
    assert home.until_finished(session)["finish_reason"] == "operator_busy"
