"""The error tree: constants to the letter, and no mnemonic without its line here."""

import pytest

from callwright.methods.errors import ERRORS

# Message, code and mnemonic as existing clients compare them.
WIRE = [
    ("Invalid JSON was received by the server.", -32700, "parse_error"),
    (
        "Invalid Request The JSON sent is not a valid Request object",
        -32600,
        "invalid_request",
    ),
    ("The method does not exist / is not available", -32601, "method_not_found"),
    ("Data supplied is of wrong type", -32602, "data_type_error"),
    ("The required parameter has been missed", -32602, "required_parameter_missed"),
    ("Invalid parameter value", -32602, "invalid_parameter_value"),
    ("Unexpected method parameter(s)", -32602, "unexpected_parameters"),
    ("Call session not found", -32602, "call_session_not_found"),
    ("Internal error, contact the support service", -32603, "internal_error"),
    ("Access token has been expired", -32001, "access_token_expired"),
    ("Access token has been blocked", -32001, "access_token_blocked"),
    ("Access token is invalid", -32001, "access_token_invalid"),
    ("Login or password is wrong", -32001, "auth_error"),
    ("Permission denied", -32003, "forbidden"),
    ("Your IP {ip} is not whitelisted", -32003, "ip_not_whitelisted"),
    ("This method can not be called in this state", -32004, "invalid_state"),
    ("Component {component_name} has been disabled", -32008, "component_disabled"),
    (
        "Your account has been disabled, contact the support service",
        -32009,
        "account_inactive",
    ),
    (
        (
            "Limit per {limit_type} has been exceeded. Value of current limit per {limit_type} is "
            "{limit_max_value}"
        ),
        -32029,
        "limit_exceeded",
    ),
    ("Batch operations not supported", -32099, "batch_opreations_not_supported"),
    ("Notifications not supported", -32099, "notifications_not_supported"),
    (
        (
            "The maximum length of Text-to-Speech message is {tts_message_max_length}. "
            "The length of your message is {sent_tts_message_length}"
        ),
        -32602,
        "tts_text_exceeded",
    ),
    ("The media file with id {media_file_id} not found", -32602, "media_file_not_found"),
    (
        (
            "Virtual phone number {virtual_phone_number} not found. It is not your virtual phone "
            "number."
        ),
        -32007,
        "virtual_phone_number_not_found",
    ),
    (
        "Employee with id {employee_id} not found. It is not your employee.",
        -32602,
        "employee_not_found",
    ),
    ("The phone number does not exist or inactive", -32602, "no_active_phone_number"),
    ("Scenario with id {scenario_id} not found", -32602, "scenario_not_found"),
    (
        "Parameter `contact` can not contain own virtual phone number",
        -32602,
        "own_virtual_phone_number_not_allowed",
    ),
    (
        "The contact {contact} has been found in the blacklist",
        -32002,
        "contact_in_blacklist",
    ),
    ("The call's leg not found", -32602, "leg_not_found"),
    ("The coach not found in your settings", -32602, "coach_not_found"),
    ("The call record is already started", -32602, "record_already_started"),
    ("The call record is not enabled", -32602, "record_already_stopped"),
    ("Tag with {tag_id} not found", -32602, "tag_not_found"),
    ("Duplicate tag", -32602, "duplicate_tag"),
    (
        "The contact with phone number {contact_phone_number} already exists",
        -32602,
        "duplicate_contact",
    ),
    ("Talk option not found", -32602, "talk_option_not_found"),
    ("The character encoding must be UTF-8", -32602, "character_encoding_not_allowed"),
    (
        "The combination of parameters is not permitted",
        -32602,
        "invalid_parameters_combination",
    ),
    (
        "Calls in the direction {direction} are not permitted",
        -32002,
        "direction_not_allowed",
    ),
    ("Sort by parameter is prohibited", -32602, "sort_prohibited"),
    ("Filter by parameter is prohibited", -32602, "filter_prohibited"),
    (
        "Max value of requested date interval is 3 months",
        -32602,
        "date_interval_limit_reached",
    ),
    # The mnemonic is published, the text is ours.
    ("The request needs too much data", -32602, "data_limit_exceeded"),
    ("Entity not found", -32602, "entity_not_found"),
    ("Duplicate entity", -32602, "duplicate_entity"),
    ("You have interdependent entities", -32602, "dependency_error"),
    ("{reason}", -32602, "error"),
    (
        "You need at least one of the following components to access this method: {components}",
        -32008,
        "method_component_disabled",
    ),
    # Ours: for methods of ours.
    ("The service is busy, send the request once more", -32603, "service_busy"),
    # Ours too: the header Idempotency-Key is an extension.
    (
        "The header Idempotency-Key must have 1 to 255 visible ASCII characters",
        -32600,
        "invalid_idempotency_key",
    ),
    (
        "The idempotency key belongs to another request or to one in progress",
        -32602,
        "idempotency_key_conflict",
    ),
]


@pytest.mark.parametrize(("message", "code", "mnemonic"), WIRE)
def test_constants_of_the_wire(message: str, code: int, mnemonic: str) -> None:
    error = ERRORS[mnemonic]
    assert (error.message, error.code, error.mnemonic) == (message, code, mnemonic)
    assert error.__doc__


def test_a_mnemonic_with_another_message_in_one_method() -> None:
    error = ERRORS["scenario_not_found"]
    other = error.of_method("start.vnumber_call")
    assert other.mnemonic == error.mnemonic
    assert (other.message, other.code) == (
        "Virtual phone number does not have a scenario",
        -32007,
    )
    assert error.of_method("start.scenario_call") is error


def test_every_error_stands_in_the_table_above() -> None:
    assert ERRORS.keys() == {mnemonic for _, _, mnemonic in WIRE}
