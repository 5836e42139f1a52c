"""Requests that get the errors of the published API, and those errors to the last letter."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the error that it gets."""

    mnemonic: str
    code: int
    message: str
    method: str
    params: Mapping[str, object] = field(default_factory=dict)
    '"the talk" stands for a session in which two talk.'
    facts: Mapping[str, object] = field(default_factory=dict)
    "What has been put into the message."
    body: str | None = None
    "Sent as it is, instead."
    path: str = "/v4.0"


CALL: dict[str, object] = {
    "first_call": "employee",
    "virtual_phone_number": "74993720692",
    "contact": "79260000000",
    "employee": {"id": 25},
}
SIMPLE: dict[str, object] = {
    "first_call": "operator",
    "virtual_phone_number": "74993720692",
    "contact": "79260000000",
    "operator": "79260000001",
}
INFORMER: dict[str, object] = {
    "virtual_phone_number": "74993720692",
    "contact": "79260000000",
    "contact_message": {"type": "tts", "value": "Привет"},
}
OF_VNUMBER: dict[str, object] = {
    "first_call": "contact",
    "virtual_phone_number": "74993720692",
    "contact": "79260000000",
}
OF_SCENARIO: dict[str, object] = {**OF_VNUMBER, "scenario_id": 1}
BLACK = "79269999999"
TALK: dict[str, object] = {"call_session_id": "the talk"}
MONTHS: dict[str, object] = {"date_from": "2026-01-01 00:00:00", "date_till": "2026-07-01 00:00:00"}


def _of_calls() -> list[Asked]:
    def start(
        mnemonic: str, code: int, message: str, facts: object = None, **changes: object
    ) -> Asked:
        found = facts if isinstance(facts, dict) else {}
        return Asked(mnemonic, code, message, "start.employee_call", {**CALL, **changes}, found)

    blacklisted = f"The contact {BLACK} has been found in the blacklist"
    return [
        start(
            "tts_text_exceeded",
            -32602,
            "The maximum length of Text-to-Speech message is 500. "
            "The length of your message is 501",
            {"tts_message_max_length": 500, "sent_tts_message_length": 501},
            contact_message={"type": "tts", "value": "я" * 501},
        ),
        start(
            "media_file_not_found",
            -32602,
            "The media file with id 404 not found",
            {"media_file_id": 404},
            media_file_id=404,
        ),
        start(
            "virtual_phone_number_not_found",
            -32007,
            "Virtual phone number 74950000000 not found. It is not your virtual phone number.",
            {"virtual_phone_number": "74950000000"},
            virtual_phone_number="74950000000",
        ),
        start(
            "employee_not_found",
            -32602,
            "Employee with id 404 not found. It is not your employee.",
            {"employee_id": 404},
            employee={"id": 404},
        ),
        start(
            "no_active_phone_number",
            -32602,
            "The phone number does not exist or inactive",
            employee={"id": 26},
        ),
        Asked(
            "scenario_not_found",
            -32602,
            "Scenario with id 404 not found",
            "start.scenario_call",
            {**OF_SCENARIO, "scenario_id": 404},
            {"scenario_id": 404},
        ),
        Asked(
            "scenario_not_found",
            -32007,
            "Virtual phone number does not have a scenario",
            "start.vnumber_call",
            {**OF_VNUMBER, "virtual_phone_number": "74993720693"},
        ),
        start(
            "own_virtual_phone_number_not_allowed",
            -32602,
            "Parameter `contact` can not contain own virtual phone number",
            contact="74993720693",
        ),
        *(
            Asked(
                "contact_in_blacklist",
                code,
                blacklisted,
                method,
                {**params, "contact": BLACK},
                {"contact": BLACK},
            )
            for method, params, code in [
                ("start.employee_call", CALL, -32002),
                ("start.simple_call", SIMPLE, -32002),
                ("start.scenario_call", OF_SCENARIO, -32602),
                ("start.vnumber_call", OF_VNUMBER, -32602),
                ("start.informer_call", INFORMER, -32602),
            ]
        ),
        start(
            "character_encoding_not_allowed",
            -32602,
            "The character encoding must be UTF-8",
            contact_message={"type": "tts", "value": "\ud800"},
        ),
        start(
            "invalid_parameters_combination",
            -32602,
            "The combination of parameters is not permitted",
            early_switching=True,
        ),
        start(
            "direction_not_allowed",
            -32002,
            "Calls in the direction international are not permitted",
            {"direction": "international"},
            contact="442071838750",
        ),
        start("data_type_error", -32602, "Data supplied is of wrong type", contact=79260000000),
        start("invalid_parameter_value", -32602, "Invalid parameter value", first_call="operator"),
        start(
            "unexpected_parameters", -32602, "Unexpected method parameter(s)", operator="1234567"
        ),
        Asked(
            "required_parameter_missed",
            -32602,
            "The required parameter has been missed",
            "start.employee_call",
        ),
    ]


def _of_live_calls() -> list[Asked]:
    def of_talk(
        method: str, mnemonic: str, message: str, code: int = -32602, **params: object
    ) -> Asked:
        return Asked(mnemonic, code, message, method, {**TALK, **params})

    return [
        Asked(
            "call_session_not_found",
            -32602,
            "Call session not found",
            "release.call",
            {"call_session_id": 1},
        ),
        of_talk(
            "unhold.call",
            "invalid_state",
            "This method can not be called in this state",
            -32004,
        ),
        of_talk("add.coach", "coach_not_found", "The coach not found in your settings"),
        of_talk(
            "record.call", "record_already_stopped", "The call record is not enabled", action="off"
        ),
        Asked(
            "tag_not_found",
            -32602,
            "Tag with 404 not found",
            "tag.call",
            {**TALK, "tag_id": 404},
            {"tag_id": 404},
        ),
        of_talk("tag.call", "duplicate_tag", "Duplicate tag", tag_id=7),
        of_talk("disconnect.leg", "leg_not_found", "The call's leg not found", leg_id=1),
        of_talk("call.talk_option", "talk_option_not_found", "Talk option not found", button="*9"),
        of_talk("call.talk_option", "forbidden", "Permission denied", -32003, button="*5"),
    ]


def _of_envelopes(path: str) -> list[Asked]:
    return [
        Asked(mnemonic, code, message, "-", body=body, path=path)
        for mnemonic, code, message, body in [
            ("parse_error", -32700, "Invalid JSON was received by the server.", "{"),
            (
                "invalid_request",
                -32600,
                "Invalid Request The JSON sent is not a valid Request object",
                "{}",
            ),
            (
                "batch_opreations_not_supported",
                -32099,
                "Batch operations not supported",
                '[{"jsonrpc":"2.0","id":1,"method":"list.calls"}]',
            ),
            (
                "notifications_not_supported",
                -32099,
                "Notifications not supported",
                '{"jsonrpc":"2.0","method":"list.calls"}',
            ),
            (
                "method_not_found",
                -32601,
                "The method does not exist / is not available",
                '{"jsonrpc":"2.0","id":1,"method":"no.such"}',
            ),
            (
                "access_token_invalid",
                -32001,
                "Access token is invalid",
                '{"jsonrpc":"2.0","id":1,"method":"logout.user","params":{"access_token":"x"}}',
            ),
            (
                "auth_error",
                -32001,
                "Login or password is wrong",
                (
                    '{"jsonrpc":"2.0","id":1,"method":"login.user",'
                    '"params":{"login":"x","password":"x"}}'
                ),
            ),
        ]
    ]


def _of_data() -> list[Asked]:
    rows: list[tuple[str, str, str, Mapping[str, object]]] = [
        (
            "sort_prohibited",
            "Sort by parameter is prohibited",
            "get.employees",
            {"sort": [{"field": "groups"}]},
        ),
        (
            "filter_prohibited",
            "Filter by parameter is prohibited",
            "get.calls_report",
            {
                "date_from": "2026-05-01 00:00:00",
                "date_till": "2026-05-02 00:00:00",
                "filter": {"field": "full_record_file_link", "operator": "=", "value": "x"},
            },
        ),
        (
            "date_interval_limit_reached",
            "Max value of requested date interval is 3 months",
            "get.calls_report",
            MONTHS,
        ),
        *(
            (
                "date_interval_limit_reached",
                "Max value of requested date interval is 366 days",
                newer,
                {**MONTHS, "date_from": "2025-01-01"},
            )
            for newer in ("get.call_details", "get.api_requests", "get.notifications")
        ),
        ("entity_not_found", "Entity not found", "delete.tags", {"id": 404}),
        ("duplicate_entity", "Duplicate entity", "create.tags", {"name": "Лид"}),
        (
            "dependency_error",
            "You have interdependent entities",
            "delete.employees",
            {"id": 29},
        ),
        (
            "required_parameter_missed",
            "The required parameter has been missed",
            "get.calls_report",
            {},
        ),
    ]
    return [
        Asked(mnemonic, -32602, message, method, params, path="/v2.0")
        for mnemonic, message, method, params in rows
    ]


ASKED = [
    *_of_calls(),
    *_of_live_calls(),
    *_of_envelopes("/v4.0"),
    *_of_envelopes("/v2.0"),
    *_of_data(),
]
