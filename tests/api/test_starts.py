"""The other starts over HTTP: what they do, and every way each can be refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from callwright.calls.events import LegStarted, MessageStarted
from callwright.engines.simulated.far_end import HangsUp, Presses, answers, busy, never_answers
from callwright.methods.registry import CATALOGUE
from tests.api.answers import (
    COMBINATION,
    INVALID,
    MISSED,
)
from tests.api.house import ANOTHER, DIRECTORY, House, house
from tests.api.rows import (
    NO_NUMBER,
    Row,
    check_refused,
    combination,
    invalid,
    missed,
    mistyped,
    no_media,
    not_allowed,
    shared,
    too_long,
)

OPERATOR, OPERATOR_2, CONTACT = "79261110001", "79261110002", "79260000000"
SILENT = "79261110009"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {
        OPERATOR: answers(after=0.05, then=[(0.3, Presses("4")), (0.1, Presses("5"))]),
        OPERATOR_2: answers(after=0.2),
        SILENT: never_answers(),
        "79261110003": busy(),
        "2501": answers(after=0.05),
        CONTACT: answers(after=0.05, then=[(0.5, HangsUp())]),
    }
    settings: dict[str, Any] = {"api": {"points_per_minute": 10_000}, "calls": {"dial_time": 1}}
    with house(tmp_path_factory.mktemp("house"), far_ends, **settings) as built:
        second = '[[trunks]]\nname = "second"\nhost = "192.0.2.2"\n'
        number = 'number = "74993720693"\n'
        built.apply(
            DIRECTORY.replace(number, f'{number}trunk = "second"\n').replace(
                "[[virtual_numbers]]", f"{second}[[virtual_numbers]]", 1
            )
        )
        strangers = '[[trunks]]\nname = "strangers"\nhost = "192.0.2.3"\n'
        built.apply(ANOTHER.replace("[[employees]]", f"{strangers}[[employees]]", 1))
        yield built


SIMPLE: dict[str, Any] = {
    "first_call": "operator",
    "virtual_phone_number": "74993720692",
    "contact": CONTACT,
    "operator": OPERATOR,
}
INFORMER: dict[str, Any] = {
    "virtual_phone_number": "74993720692",
    "contact": CONTACT,
    "contact_message": {"type": "tts", "value": "Привет"},
}
MULTI: dict[str, Any] = {
    "first_call": "operator",
    "virtual_phone_number": "74993720692",
    "contact": CONTACT,
    "operators": [{"phones": [{"number": OPERATOR_2}]}],
}
VALID = {
    "start.simple_call": SIMPLE,
    "start.informer_call": INFORMER,
    "start.multi_call": MULTI,
}
JOINING = ("start.simple_call", "start.multi_call")


def over(home: House, method: str, params: dict[str, Any]) -> Any:
    """Make a call and wait until it is over."""
    return home.until_finished(home.succeeds(method, params)["call_session_id"])


# What they do.


@pytest.mark.parametrize("first", ["operator", "contact"])
def test_a_simple_call_is_joined(home: House, first: str) -> None:
    call = over(home, "start.simple_call", SIMPLE | {"first_call": first, "external_id": "x"})
    assert call["finish_reason"] == "subscriber_disconnects"
    assert "talk_started" in [event["event"] for event in call["timeline"]]
    legs = sorted(call["legs"], key=lambda leg: bool(leg["is_operator"]))
    assert [leg["called_phone_number"] for leg in legs] == [CONTACT, OPERATOR]
    assert [leg["employee_id"] for leg in legs] == [None, None]
    assert [leg["is_operator"] for leg in legs] == [False, True]
    assert call["external_id"] == "x"


def test_an_operator_may_be_a_sip_number_and_is_no_employee(home: House) -> None:
    params = SIMPLE | {"operator": "2501", "show_virtual_phone_number": False}
    call = over(home, "start.simple_call", params)
    [operator] = [leg for leg in call["legs"] if leg["is_operator"]]
    assert (operator["called_phone_number"], operator["employee_id"]) == ("2501", None)
    assert operator["calling_phone_number"] == CONTACT
    assert home.engine.rung[-2].to.phone == "sip:2501@192.0.2.7"


@pytest.mark.parametrize("key", ["5", "any"])
def test_the_operator_confirms(home: House, key: str) -> None:
    params = SIMPLE | {
        "operator_confirmation": key,
        "operator_message": {"type": "tts", "value": "Да"},
    }
    session = home.succeeds("start.simple_call", params)["call_session_id"]
    prompt = home.wait_for(session, MessageStarted)
    assert isinstance(prompt, MessageStarted)
    assert prompt.label == "tts"
    call = home.until_finished(session)
    names = [event["event"] for event in call["timeline"]]
    assert names.index("key_received") < names.index("talk_started")
    assert call["finish_reason"] == "subscriber_disconnects"


def test_an_informer_call(home: House) -> None:
    home.engine.far_ends["79261110005"] = answers(after=0.05)
    call = over(home, "start.informer_call", INFORMER | {"contact": "79261110005"})
    assert call["finish_reason"] == "success_finish"
    assert [leg["called_phone_number"] for leg in call["legs"]] == ["79261110005"]


def test_an_informer_call_rings_for_the_dialing_timeout(home: House) -> None:
    call = over(home, "start.informer_call", INFORMER | {"contact": SILENT, "dialing_timeout": 1})
    assert call["finish_reason"] == "subscriber_not_responsible"
    [ended] = [event for event in call["timeline"] if event["event"] == "leg_ended"]
    assert 0.9 < ended["total_duration"] < 29, "not the 30 s it would be without it"


@pytest.mark.parametrize("first", ["operator", "contact"])
def test_a_multi_call_joins_the_first_who_takes_it(home: House, first: str) -> None:
    phones = [
        {"number": "79261110003"},
        # Not to be given up on a busy machine before somebody has answered.
        {"number": SILENT, "dialing_timeout": 60},
        {"number": OPERATOR_2, "dialing_timeout": 60},
    ]
    group = {"lines_start": 2, "lines_limit": 3, "phones": phones}
    call = over(home, "start.multi_call", MULTI | {"first_call": first, "operators": [group]})
    reasons = {
        event["leg"]: event["finish_reason"]
        for event in call["timeline"]
        if event["event"] == "leg_ended"
    }
    by_number = {leg["called_phone_number"]: reasons[leg["leg_id"]] for leg in call["legs"]}
    assert by_number == {
        "79261110003": "operator_busy",
        SILENT: "another_operator_answer",
        OPERATOR_2: "subscriber_disconnects",
        CONTACT: "subscriber_disconnects",
    }


def test_the_groups_of_a_multi_call_grow_in_waves_one_after_another(home: House) -> None:
    first = {
        "lines_start": 1,
        "lines_limit": 2,
        "incremental_dialing_timeout": 1,
        "phones": [
            {"number": SILENT, "dialing_timeout": 2},
            {"number": "79261110008", "dialing_timeout": 1},
        ],
    }
    home.engine.far_ends["79261110008"] = never_answers()
    second = {"phones": [{"number": OPERATOR, "confirmation": "5"}]}
    call = over(home, "start.multi_call", MULTI | {"operators": [first, second]})
    rung = {
        leg["called_phone_number"]: event["offset"]
        for leg in call["legs"]
        for event in call["timeline"]
        if event["event"] == "leg_started" and event["leg"] == leg["leg_id"]
    }
    assert [*rung] == [SILENT, "79261110008", OPERATOR, CONTACT]
    assert rung["79261110008"] >= 1
    assert rung[OPERATOR] >= 2
    assert call["finish_reason"] == "subscriber_disconnects"


def test_a_multi_call_shows_the_contact_another_of_the_accounts_numbers(home: House) -> None:
    """By the trunk of that number; the session bears the virtual number all the same."""
    other = {"contact_caller_number": "74993720693"}
    hidden = {"contact_show_virtual_phone_number": False}
    for changes, shown in (
        (hidden | other, "74993720693"),
        (hidden, "74993720692"),
        (other, "74993720692"),
    ):
        call = over(home, "start.multi_call", MULTI | changes)
        [contact] = [leg for leg in call["legs"] if not leg["is_operator"]]
        assert contact["calling_phone_number"] == shown
        assert call["virtual_phone_number"] == "74993720692"
        rung = home.engine.rung[-1]
        assert (rung.caller_id, rung.to.trunk) == (
            shown,
            "second" if shown == "74993720693" else "carrier",
        )


def test_a_multi_call_rings_the_contact_for_as_long_as_is_asked(home: House) -> None:
    params = MULTI | {"contact": SILENT, "contact_dialing_timeout": 2}
    call = over(home, "start.multi_call", params)
    ended = [event for event in call["timeline"] if event["event"] == "leg_ended"]
    assert call["finish_reason"] == "subscriber_not_responsible"
    assert max(event["total_duration"] for event in ended) >= 2, "not the 1 s of the setting"


def test_a_phone_of_a_multi_call_is_dialled_through_the_trunk_it_names(home: House) -> None:
    phone = {"number": OPERATOR_2, "sip_trunk": "second", "dtmf_string": "12"}
    call = over(home, "start.multi_call", MULTI | {"operators": [{"phones": [phone]}]})
    operator, contact = [*home.engine.rung][-2:]
    assert (operator.to.trunk, contact.to.trunk) == ("second", "carrier")
    assert [key for _, key in operator.keys] == ["1", "2"]
    assert contact.keys == []
    sent = [event for event in call["timeline"] if event["event"] == "key_sent"]
    [of_operator] = [leg["leg_id"] for leg in call["legs"] if leg["is_operator"]]
    assert {event["leg"] for event in sent} == {of_operator}


def test_messages_of_a_multi_call_take_the_place_of_the_prompt(home: House) -> None:
    home.engine.far_ends["79261110006"] = answers(after=0.05, then=[(0.3, Presses("5"))])
    messages = [{"type": "tts", "value": "Да"}, {"type": "tts", "value": "Да"}]
    phone = {"number": "79261110006", "confirmation_message": messages}

    def heard(**more: object) -> int:
        call = over(home, "start.multi_call", MULTI | {"operators": [{"phones": [phone | more]}]})
        assert call["finish_reason"] == "subscriber_disconnects"
        names = [event["event"] for event in call["timeline"]]
        return names[: names.index("talk_started")].count("message_started")

    assert heard() == 2, "without a key they are heard out"
    assert heard(confirmation="5") <= 2
    assert heard(confirmation="5", confirmation_message=[]) == 1


def test_nobody_takes_a_multi_call(home: House) -> None:
    group = {"lines_start": 2, "phones": [{"number": "79261110003"}, {"number": SILENT}]}
    call = over(home, "start.multi_call", MULTI | {"operators": [group]})
    assert call["finish_reason"] == "no_success_operator_call"


# How they are refused.

JOINING_ROWS: list[Row] = [
    missed("first_call"),
    invalid("first_call", "employee"),
    mistyped("switch_at_once", "true", "true"),
    mistyped("early_switching", 1, "1"),
    mistyped("media_file_id", "2701", "2701"),
    mistyped("show_virtual_phone_number", 0, "0"),
    no_media({"media_file_id": 404}, "media_file_id"),
    too_long("operator_message"),
    no_media({"operator_message": {"type": "media", "value": "404"}}, "operator_message.value"),
    combination("early_switching", True, "true"),
    combination("early_switching", True, "true", first_call="contact", switch_at_once=True),
]


def phones(*numbers: str, **group: object) -> list[dict[str, object]]:
    return [{**group, "phones": [{"number": number} for number in numbers]}]


def asking(*messages: dict[str, str]) -> dict[str, object]:
    return {"number": OPERATOR, "confirmation": "1", "confirmation_message": [*messages]}


def too_long_before_confirmation() -> Row:
    [(_, message)] = too_long("operator_message")[0].items()
    _, said, data = too_long("operators.0.phones.0.confirmation_message.0")
    return {"operators": [{"phones": [asking(message)]}]}, said, data


OWN: dict[str, list[Row]] = {
    "start.simple_call": [
        missed("operator"),
        mistyped("operator", 79261110001, "79261110001"),
        invalid("operator", "101", helper=NO_NUMBER),
        invalid("operator", "2901"),  # an extension
        invalid("operator", "operator"),
        invalid("operator_confirmation", "12"),
        invalid("operator_confirmation", "."),
        invalid("operator_confirmation", ""),
        mistyped("operator_confirmation", 5, "5"),
        not_allowed({"operator": "442071838750"}, "operator", "442071838750", "international"),
    ],
    "start.informer_call": [
        missed("contact_message"),
        invalid("dialing_timeout", 0),
        invalid("dialing_timeout", 0.5),
        invalid("dialing_timeout", 121),
        mistyped("dialing_timeout", "30", "30"),
        mistyped("dialing_timeout", True, "true"),
        (
            {"media_file_id": 2701},
            (-32602, "Unexpected method parameter(s)"),
            {"mnemonic": "unexpected_parameters", "field": "media_file_id", "value": "2701"},
        ),
    ],
    "start.multi_call": [
        missed("operators"),
        invalid("operators", [], "[]"),
        (
            {"operators": [{}]},
            MISSED,
            {"mnemonic": "required_parameter_missed", "field": "operators.0.phones"},
        ),
        (
            {"operators": phones()},
            INVALID,
            {
                "mnemonic": "invalid_parameter_value",
                "field": "operators.0.phones",
                "value": "[]",
            },
        ),
        *[
            (
                {"operators": phones(OPERATOR, **{name: value})},
                INVALID,
                {
                    "mnemonic": "invalid_parameter_value",
                    "field": f"operators.0.{name}",
                    "value": str(value),
                },
            )
            for name, value in [
                ("lines_start", 0),
                ("lines_start", 51),
                ("lines_limit", 51),
                ("dialing_increment", 0),
                ("incremental_dialing_timeout", 0),
                ("incremental_dialing_timeout", 121),
            ]
        ],
        *[
            (
                {"operators": [{"phones": [{"number": OPERATOR, name: value}]}]},
                INVALID,
                {
                    "mnemonic": "invalid_parameter_value",
                    "field": f"operators.0.phones.0.{name}",
                    "value": str(value),
                },
            )
            for name, value in [
                ("confirmation", "55"),
                ("dialing_timeout", 0),
                ("dtmf_string", "1a"),
                ("sip_trunk", "nowhere"),
                ("sip_trunk", "strangers"),
            ]
        ],
        too_long_before_confirmation(),
        no_media(
            {"operators": [{"phones": [asking({"type": "media", "value": "404"})]}]},
            "operators.0.phones.0.confirmation_message.0.value",
        ),
        (
            {"contact_show_virtual_phone_number": False, "contact_caller_number": "79261234567"},
            (
                -32007,
                "Virtual phone number 79261234567 not found. It is not your virtual phone number.",
            ),
            {
                "mnemonic": "virtual_phone_number_not_found",
                "field": "contact_caller_number",
                "value": "79261234567",
                "params": {"virtual_phone_number": "79261234567"},
            },
        ),
        mistyped("contact_show_virtual_phone_number", "false", "false"),
        mistyped("contact_caller_number", 74993720693, "74993720693"),
        invalid("contact_caller_number", "+74993720693"),
        invalid("contact_dialing_timeout", 0),
        invalid("contact_dialing_timeout", 121),
        mistyped("contact_dialing_timeout", "30", "30"),
        (
            {"operators": phones(OPERATOR) + phones(OPERATOR, "101")},
            INVALID,
            {
                "mnemonic": "invalid_parameter_value",
                "field": "operators.1.phones.1.number",
                "value": "101",
                "extended_helper": NO_NUMBER,
            },
        ),
        (
            {"operators": phones(OPERATOR, lines_start=3, lines_limit=2)},
            COMBINATION,
            {
                "mnemonic": "invalid_parameters_combination",
                "field": "operators.0.lines_limit",
                "value": "2",
            },
        ),
        not_allowed(
            {"operators": phones(OPERATOR, "442071838750")},
            "operators.0.phones.1.number",
            "442071838750",
            "international",
        ),
    ],
}

REFUSED = [
    (method, *row)
    for method in VALID
    for row in (
        *shared(method),
        *(JOINING_ROWS if method in JOINING else ()),
        *OWN[method],
    )
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


COMMON = [
    "virtual_phone_number",
    "virtual_phone_usage_rule",
    "show_virtual_phone_number",
    "contact",
    "external_id",
    "dtmf_string",
    "direction",
    "contact_message",
]
OF_TWO = ["first_call", "switch_at_once", "early_switching", "media_file_id", *COMMON]
TABLES = {
    "start.employee_call": [*OF_TWO, "employee_message", "employee"],
    "start.simple_call": [*OF_TWO, "operator_message", "operator", "operator_confirmation"],
    "start.informer_call": [
        *[name for name in COMMON if name != "show_virtual_phone_number"],
        "dialing_timeout",
    ],
    "start.multi_call": [
        *OF_TWO,
        "contact_show_virtual_phone_number",
        "contact_caller_number",
        "contact_dialing_timeout",
        "operator_message",
        "operators",
    ],
}


@pytest.mark.parametrize("method", TABLES)
def test_parameters_stand_in_the_order_of_the_contracts_table(method: str) -> None:
    """Of several faults of one kind the first in this order is told."""
    [declaration] = [one for one in CATALOGUE if one.name == method]
    assert [*declaration.params.model_fields] == TABLES[method]


def test_dtmf_and_direction_reach_the_session(home: House) -> None:
    params = SIMPLE | {"contact": SILENT, "dtmf_string": ".1", "direction": "out"}
    session = home.succeeds("start.simple_call", params)["call_session_id"]
    rung = home.wait_for(session, LegStarted, called_number=SILENT)
    assert isinstance(rung, LegStarted)
    [call] = home.succeeds("list.calls", {"direction": "out"})
    assert [leg["called_phone_number"] for leg in call["legs"]][-1] == f"{SILENT}.1"
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
