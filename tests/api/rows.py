"""Rows of refusals: what is changed in good parameters, and what is answered to the letter."""

from collections.abc import Mapping
from typing import Any

from tests.api.answers import (
    COMBINATION,
    ENCODING,
    INVALID,
    MISSED,
    NOTHING,
    TYPE,
    refusal,
    without_metadata,
)
from tests.api.house import House

NARROW = ("start.informer_call", "start.scenario_call", "start.vnumber_call")
"Methods whose code for a blacklisted contact is that of a parameter."

Row = tuple[dict[str, Any], tuple[int, str], dict[str, Any]]


def check_refused(home: House, method: str, good: Mapping[str, Any], row: Row) -> None:
    """Ask for a call by good parameters, changed as the row says, and compare the answer."""
    changes, said, data = row
    before = len(home.engine.rung)
    params = {name: value for name, value in {**good, **changes}.items() if value is not NOTHING}
    assert without_metadata(home.call(method, params)) == refusal(*said, data)
    assert len(home.engine.rung) == before, "a refused request rings nobody"


NO_NUMBER = "a number is 7 to 15 digits, the country's code first, as in 79261234567"
"What helps whoever has sent something else."


def invalid(field: str, value: object, shown: str | None = None, helper: str | None = None) -> Row:
    data = {
        "mnemonic": "invalid_parameter_value",
        "field": field,
        "value": str(value) if shown is None else shown,
        "extended_helper": helper,
    }
    return {field: value}, INVALID, data


def mistyped(field: str, value: object, shown: str) -> Row:
    return {field: value}, TYPE, {"mnemonic": "data_type_error", "field": field, "value": shown}


def missed(field: str) -> Row:
    return {field: NOTHING}, MISSED, {"mnemonic": "required_parameter_missed", "field": field}


def no_media(changes: dict[str, Any], field: str) -> Row:
    data = {
        "mnemonic": "media_file_not_found",
        "field": field,
        "value": "404",
        "params": {"media_file_id": 404},
    }
    return changes, (-32602, "The media file with id 404 not found"), data


def too_long(field: str) -> Row:
    said = "The maximum length of Text-to-Speech message is 500. The length of your message is 501"
    data = {
        "mnemonic": "tts_text_exceeded",
        "field": f"{field}.value",
        "value": "ю" * 501,
        "params": {"tts_message_max_length": 500, "sent_tts_message_length": 501},
    }
    return {field: {"type": "tts", "value": "ю" * 501}}, (-32602, said), data


def not_allowed(changes: dict[str, Any], field: str, number: str, direction: str) -> Row:
    data = {
        "mnemonic": "direction_not_allowed",
        "field": field,
        "value": number,
        "params": {"direction": direction},
    }
    return changes, (-32002, f"Calls in the direction {direction} are not permitted"), data


def combination(field: str, value: object, shown: str, **changes: object) -> Row:
    data = {"mnemonic": "invalid_parameters_combination", "field": field, "value": shown}
    return {field: value, **changes}, COMBINATION, data


def shared(method: str) -> list[Row]:
    """Every row of the contract's table that holds for all methods that start calls."""
    return [
        missed("virtual_phone_number"),
        missed("contact"),
        mistyped("contact", 79260000000, "79260000000"),
        mistyped("virtual_phone_number", 74993720692, "74993720692"),
        mistyped("external_id", 1, "1"),
        mistyped("dtmf_string", 1, "1"),
        mistyped("contact_message", "Привет", "Привет"),
        invalid("direction", "inout"),
        invalid("dtmf_string", "1a"),
        invalid("virtual_phone_usage_rule", "sometimes"),
        invalid("contact", "101", helper=NO_NUMBER),
        invalid("contact", "2901"),  # an extension
        invalid("contact", "+79260000000"),
        invalid("external_id", "x" * 256),
        (
            {"employee": {"id": 25}},
            (-32602, "Unexpected method parameter(s)"),
            {
                "mnemonic": "unexpected_parameters",
                "field": "employee",
                "value": '{"id": 25}',
            },
        ),
        too_long("contact_message"),
        no_media({"contact_message": {"type": "media", "value": "404"}}, "contact_message.value"),
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
            (
                -32602 if method in NARROW else -32002,
                "The contact 79269999999 has been found in the blacklist",
            ),
            {
                "mnemonic": "contact_in_blacklist",
                "field": "contact",
                "value": "79269999999",
                "params": {"contact": "79269999999"},
            },
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
        not_allowed({"contact": "442071838750"}, "contact", "442071838750", "international"),
        not_allowed({"contact": "78095551234"}, "contact", "78095551234", "premium"),
    ]
