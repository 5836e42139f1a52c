"""start.employee_call over HTTP: the seed's request, and every way it can be refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callwright.calls.events import LegAnswered, LegStarted
from callwright.engines.port import Address
from callwright.engines.simulated.far_end import HangsUp, answers, never_answers
from tests.api.answers import (
    COMBINATION,
    ENCODING,
    INVALID,
    MISSED,
    NO_PHONE,
    NOTHING,
    TYPE,
    refusal,
    without_metadata,
)
from tests.api.house import STRANGER, House, house
from tests.api.rows import NO_NUMBER, check_refused
from tests.databases import StoredIn

SEED = (Path(__file__).parents[2] / "demo" / "request.json").read_bytes()

SEED_PARAMS: dict[str, Any] = json.loads(SEED)["params"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    far_ends = {
        "79260000001": answers(after=0.05),
        "79260000000": answers(after=0.05, then=[(0.5, HangsUp())]),
        "2501": answers(after=0.05),
        "2502": answers(after=0.05),
        "79265550000": never_answers(),
    }
    with house(tmp_path_factory.mktemp("house"), far_ends, stored_in) as built:
        yield built


def test_the_seeds_request_byte_for_byte(home: House) -> None:
    answer = home.answer(SEED)
    session = answer["result"]["data"]["call_session_id"]
    assert without_metadata(answer) == {
        "jsonrpc": "2.0",
        "id": "req1",
        "result": {"data": {"call_session_id": session}},
    }
    assert 1 << 31 < session < 1 << 53
    listed = home.succeeds("list.calls", {})
    assert [call["call_session_id"] for call in listed] == [session]
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)


def test_what_the_phones_are_shown(home: House) -> None:
    """virtual_phone_number is "always the caller id shown to the contact"."""
    for shown in (True, False):
        params = {
            "first_call": "employee",
            "virtual_phone_number": "74993720692",
            "contact": "79260000000",
            "show_virtual_phone_number": shown,
            "employee": {"id": 25, "phone_number": "79260000001"},
        }
        session = home.succeeds("start.employee_call", params)["call_session_id"]
        call = home.until_finished(session)
        assert [leg["calling_phone_number"] for leg in call["legs"]] == [
            "74993720692" if shown else "79260000000",
            "74993720692",
        ]


def test_a_call_as_lists_show_it(home: House) -> None:
    params = SEED_PARAMS | {"contact": "79265550000", "employee_message": None}
    params = {name: value for name, value in params.items() if value is not None}
    session = home.succeeds("start.employee_call", params)["call_session_id"]

    rung = home.wait_for(session, LegStarted, called_number="79265550000")
    assert isinstance(rung, LegStarted)
    [listed] = home.succeeds("list.calls", {"virtual_phone_number": "74993720692"})
    started = listed.pop("start_time")
    assert len(started) == len("2016-10-19T12:26:48.418")
    first, second = (leg.pop("leg_id") for leg in listed["legs"])
    assert second == rung.leg
    assert 1 << 31 < first < second < 1 << 53
    assert listed == {
        "call_session_id": session,
        "direction": "in",
        "virtual_phone_number": "74993720692",
        "contact_phone_number": "79265550000",
        "external_id": "334otr01",
        "tags": [],
        "legs": [
            {
                "calling_phone_number": "79265550000",
                "called_phone_number": "79260000001",
                "is_operator": True,
                "employee_id": 25,
                "employee_full_name": "Анна Орлова",
                "record_call_enabled": False,
                "state": "На очереди",
            },
            {
                "calling_phone_number": "74993720692",
                "called_phone_number": "79265550000.1.2.3",
                "is_operator": False,
                "employee_id": None,
                "employee_full_name": None,
                "record_call_enabled": False,
                "state": "Дозвон",
            },
        ],
    }
    assert home.succeeds("list.calls", {"direction": "out"}) == []
    assert home.succeeds("list.calls", {"virtual_phone_number": "74993720693"}) == []
    assert home.succeeds("list.calls", {}, STRANGER) == []
    released = home.call("release.call", {"call_session_id": session})
    assert without_metadata(released) == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {"data": {"success": "true"}},
    }
    call = home.until_finished(session)
    assert (call["state"], call["finish_reason"]) == ("finished", "api_release")
    assert call["timeline"][-1]["event"] == "session_finished"


REFUSED: list[tuple[dict[str, Any], tuple[int, str], dict[str, Any]]] = [
    # Every required parameter.
    *[
        (
            {name: NOTHING},
            MISSED,
            {"mnemonic": "required_parameter_missed", "field": name},
        )
        for name in ("first_call", "virtual_phone_number", "contact", "employee")
    ],
    (
        {"employee": {}},
        MISSED,
        {"mnemonic": "required_parameter_missed", "field": "employee.id"},
    ),
    (
        {"contact_message": {"type": "tts"}},
        MISSED,
        {"mnemonic": "required_parameter_missed", "field": "contact_message.value"},
    ),
    # Types.
    *[
        (
            {name: value},
            TYPE,
            {"mnemonic": "data_type_error", "field": name, "value": shown},
        )
        for name, value, shown in [
            ("switch_at_once", "true", "true"),
            ("early_switching", 1, "1"),
            ("media_file_id", "2701", "2701"),
            ("media_file_id", True, "true"),
            ("show_virtual_phone_number", 0, "0"),
            ("contact", 79260000000, "79260000000"),
            ("dtmf_string", 1, "1"),
            ("virtual_phone_number", 74993720692, "74993720692"),
        ]
    ],
    (
        {"employee": {"id": "25"}},
        TYPE,
        {"mnemonic": "data_type_error", "field": "employee.id", "value": "25"},
    ),
    (
        {"employee_message": {"type": "media", "value": 2561}},
        TYPE,
        {"mnemonic": "data_type_error", "field": "employee_message.value", "value": "2561"},
    ),
    # Values.
    *[
        (
            {name: value},
            INVALID,
            {
                "mnemonic": "invalid_parameter_value",
                "field": name,
                "value": str(value),
                "extended_helper": helper,
            },
        )
        for name, value, helper in [
            ("contact", "101", NO_NUMBER),
            ("contact", "0123456789012345", f"{NO_NUMBER}; 00, 810 and the like are left out"),
        ]
    ],
    *[
        (
            {name: value},
            INVALID,
            {"mnemonic": "invalid_parameter_value", "field": name, "value": str(value)},
        )
        for name, value in [
            ("first_call", "operator"),
            ("direction", "inout"),
            ("dtmf_string", "1a"),
            ("dtmf_string", ""),
            ("contact", "+79260000000"),
            ("contact", ""),
            ("virtual_phone_usage_rule", "sometimes"),
            ("media_file_id", -1),
        ]
    ],
    *[
        (
            {"contact_message": {"type": kind, "value": value}},
            INVALID,
            {
                "mnemonic": "invalid_parameter_value",
                "field": f"contact_message.{field}",
                "value": shown,
            },
        )
        for kind, value, field, shown in [
            ("fax", "x", "type", "fax"),
            ("tts", " ", "value", " "),
            ("tts", "—", "value", "—"),
            ("tts", "<speak>😀</speak>", "value", "<speak>😀</speak>"),
            ("media", "twelve", "value", "twelve"),
            ("media", "-1", "value", "-1"),
            ("media", "", "value", ""),
        ]
    ],
    (
        {"what": 1},
        (-32602, "Unexpected method parameter(s)"),
        {"mnemonic": "unexpected_parameters", "field": "what", "value": "1"},
    ),
    (
        {"contact_message": {"type": "tts", "value": "\ud800"}},
        ENCODING,
        {
            "mnemonic": "character_encoding_not_allowed",
            "field": "contact_message.value",
            "value": "?",
        },
    ),
    (
        {"employee_message": {"type": "tts", "value": "ю" * 501}},
        (
            -32602,
            (
                "The maximum length of Text-to-Speech message is 500. "
                "The length of your message is 501"
            ),
        ),
        {
            "mnemonic": "tts_text_exceeded",
            "field": "employee_message.value",
            "value": "ю" * 501,
            "params": {"tts_message_max_length": 500, "sent_tts_message_length": 501},
        },
    ),
    # Combinations.
    (
        {"early_switching": True, "switch_at_once": False},
        COMBINATION,
        {
            "mnemonic": "invalid_parameters_combination",
            "field": "early_switching",
            "value": "true",
        },
    ),
    (
        {"early_switching": True, "first_call": "contact"},
        COMBINATION,
        {
            "mnemonic": "invalid_parameters_combination",
            "field": "early_switching",
            "value": "true",
        },
    ),
    # References.
    (
        {"virtual_phone_number": "74950000000"},
        (
            -32007,
            "Virtual phone number 74950000000 not found. It is not your virtual phone number.",
        ),
        {
            "mnemonic": "virtual_phone_number_not_found",
            "field": "virtual_phone_number",
            "value": "74950000000",
            "params": {"virtual_phone_number": "74950000000"},
        },
    ),
    *[
        (
            {"employee": {"id": employee}},
            (-32602, f"Employee with id {employee} not found. It is not your employee."),
            {
                "mnemonic": "employee_not_found",
                "field": "employee.id",
                "value": str(employee),
                "params": {"employee_id": employee},
            },
        )
        for employee in (404, 2, 27)  # nobody, another account's, inactive
    ],
    *[
        (
            {"employee": {"id": 25, "phone_number": number}},
            NO_PHONE,
            {
                "mnemonic": "no_active_phone_number",
                "field": "employee.phone_number",
                "value": number,
            },
        )
        for number in ("79260000009", "79260000002")  # unknown, inactive
    ],
    (
        {"employee": {"id": 26}},
        NO_PHONE,
        {"mnemonic": "no_active_phone_number", "field": "employee.id", "value": "26"},
    ),
    *[
        (
            {field: value},
            (-32602, "The media file with id 404 not found"),
            {
                "mnemonic": "media_file_not_found",
                "field": named,
                "value": "404",
                "params": {"media_file_id": 404},
            },
        )
        for field, value, named in [
            ("media_file_id", 404, "media_file_id"),
            ("contact_message", {"type": "media", "value": "404"}, "contact_message.value"),
            ("employee_message", {"type": "media", "value": "404"}, "employee_message.value"),
        ]
    ],
    (
        {"contact": "74993720693"},
        (-32602, "Parameter `contact` can not contain own virtual phone number"),
        {
            "mnemonic": "own_virtual_phone_number_not_allowed",
            "field": "contact",
            "value": "74993720693",
        },
    ),
    (
        {"contact": "79269999999"},
        (-32002, "The contact 79269999999 has been found in the blacklist"),
        {
            "mnemonic": "contact_in_blacklist",
            "field": "contact",
            "value": "79269999999",
            "params": {"contact": "79269999999"},
        },
    ),
]


@pytest.mark.parametrize(
    ("changes", "said", "data"),
    REFUSED,
    ids=[f"{row[2]['mnemonic']}-{row[2]['field']}-{i}" for i, row in enumerate(REFUSED)],
)
def test_refused(
    home: House, changes: dict[str, Any], said: tuple[int, str], data: dict[str, Any]
) -> None:
    check_refused(home, "start.employee_call", SEED_PARAMS, (changes, said, data))


def test_of_several_faults_the_first_in_order_is_told(home: House) -> None:
    """Unknown, then missing, then type, then value; within a kind in the table's order."""
    faulty = SEED_PARAMS | {"what": 1, "switch_at_once": "yes", "dtmf_string": "x"}
    del faulty["contact"]
    for mnemonic, field in [
        ("unexpected_parameters", "what"),
        ("required_parameter_missed", "contact"),
        ("data_type_error", "switch_at_once"),
        ("invalid_parameter_value", "dtmf_string"),
    ]:
        data = home.call("start.employee_call", faulty)["error"]["data"]
        assert (data["mnemonic"], data["field"]) == (mnemonic, field)
        if field == "contact":
            faulty["contact"] = "79260000000"
        else:
            del faulty[field]


SESSION_NOT_FOUND = (-32602, "Call session not found")


@pytest.mark.parametrize("method", ["release.call", "get.call"])
def test_an_unknown_session(home: House, method: str) -> None:
    answer = home.call(method, {"call_session_id": 404})
    data = {
        "mnemonic": "call_session_not_found",
        "field": "call_session_id",
        "value": "404",
    }
    assert without_metadata(answer) == refusal(*SESSION_NOT_FOUND, data)
    probe = home.call(method, {})
    missed = {"mnemonic": "required_parameter_missed", "field": "call_session_id"}
    assert without_metadata(probe) == refusal(*MISSED, missed)


def test_another_accounts_session_is_unknown(home: House) -> None:
    session = home.succeeds("start.employee_call", SEED_PARAMS)["call_session_id"]
    for method in ("release.call", "get.call"):
        answer = home.call(method, {"call_session_id": session}, STRANGER)
        assert answer["error"]["data"]["mnemonic"] == "call_session_not_found"
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
    answer = home.call("get.call", {"call_session_id": session}, STRANGER)
    assert answer["error"]["data"]["mnemonic"] == "call_session_not_found"
    answer = home.call("release.call", {"call_session_id": session})
    assert answer["error"]["data"]["mnemonic"] == "call_session_not_found"


def test_a_phone_that_registers_is_rung_by_its_number(home: House) -> None:
    params = SEED_PARAMS | {
        "first_call": "contact",
        "contact": "2502",
        "switch_at_once": True,
        "early_switching": False,
        "employee": {"id": 25, "phone_number": "79260000001"},
    }
    session = home.succeeds("start.employee_call", params)["call_session_id"]
    home.wait_for(session, LegAnswered)
    [leg] = [leg for leg in home.engine.rung if leg.to.number == "2502"]
    assert leg.to == Address("2502")
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)


def test_an_employees_sip_number_as_the_contact(home: House) -> None:
    params = SEED_PARAMS | {
        "contact": "2501",
        "employee": {"id": 25, "phone_number": "79260000001"},
    }
    answer = home.call("start.employee_call", params)
    session = answer["result"]["data"]["call_session_id"]
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
