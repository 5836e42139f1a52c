"""Every error common to all methods, and the order in which they come: whole answers over HTTP."""

import json
import logging
from ipaddress import ip_network

import pytest

from callwright.config import ApiSettings
from callwright.directory.model import Component, TokenKind
from tests.rpc.world import FULL, NOW, Api, refusal, serving, success

GOOD: dict[str, object] = {
    "first_call": "contact",
    "contact": "79260000000",
    "employee": {"id": 25},
}
UNDERSTOOD = {
    "first_call": "contact",
    "switch": False,
    "contact": "79260000000",
    "text": None,
    "dialing_timeout": 30,
    "keys": [],
    "message": None,
    "employee": {"id": 25, "phone_number": None},
}
TOKEN_INVALID = refusal(
    -32001, "Access token is invalid", "access_token_invalid", field="access_token", limits=None
)
NOT_WHITELISTED = refusal(
    -32003,
    "Your IP 127.0.0.1 is not whitelisted",
    "ip_not_whitelisted",
    params={"ip": "127.0.0.1"},
    limits=None,
)


def test_success_has_data_and_what_is_left_of_the_limits(api: Api) -> None:
    assert api.call("toy.call", GOOD) == success(UNDERSTOOD)


def test_a_result_of_null_is_data(api: Api) -> None:
    assert api.call("toy.managed", {}) == success(None)


# Before a method is known.

PARSE_ERROR = refusal(
    -32700, "Invalid JSON was received by the server.", "parse_error", id=None, limits=None
)
INVALID_REQUEST = (
    -32600,
    "Invalid Request The JSON sent is not a valid Request object",
    "invalid_request",
)


@pytest.mark.parametrize("body", ["", "{", "nonsense", '{"id": 1,}', "{'id': 1}", '"open'])
def test_parse_error(api: Api, body: str) -> None:
    assert api.send(body) == PARSE_ERROR


@pytest.mark.parametrize(
    ("envelope", "shown"),
    [
        ({"method": "toy.text", "id": 1, "params": {}}, 1),
        ({"jsonrpc": "1.0", "method": "toy.text", "id": 1, "params": {}}, 1),
        ({"jsonrpc": 2.0, "method": "toy.text", "id": 1, "params": {}}, 1),
        ({"jsonrpc": "2.0", "id": "a", "params": {}}, "a"),
        ({"jsonrpc": "2.0", "method": 5, "id": "a", "params": {}}, "a"),
        ({"jsonrpc": "2.0", "method": "toy.text", "id": 1, "params": []}, 1),
        ({"jsonrpc": "2.0", "method": "toy.text", "id": 1, "params": None}, 1),
        ({"jsonrpc": "2.0", "method": "toy.text", "id": None, "params": {}}, None),
        ({"jsonrpc": "2.0", "method": "toy.text", "id": True, "params": {}}, None),
        ({"jsonrpc": "2.0", "method": "toy.text", "id": [1], "params": {}}, None),
        ({"jsonrpc": "2.0", "method": "toy.text", "id": {"a": 1}, "params": {}}, None),
        ({}, None),
        ("text", None),
        (5, None),
        (None, None),
        ([], None),
    ],
)
def test_invalid_request(api: Api, envelope: object, shown: str | int | None) -> None:
    assert api.send(json.dumps(envelope)) == refusal(*INVALID_REQUEST, id=shown, limits=None)


@pytest.mark.parametrize("batch", [[{"jsonrpc": "2.0", "method": "toy.text", "id": 1}], [1]])
def test_batch_is_not_supported(api: Api, batch: object) -> None:
    assert api.send(json.dumps(batch)) == refusal(
        -32099,
        "Batch operations not supported",
        "batch_opreations_not_supported",
        id=None,
        limits=None,
    )


def test_a_notification_is_not_supported_whatever_it_calls(api: Api) -> None:
    assert api.send('{"jsonrpc": "2.0", "method": "no.such", "params": {}}') == refusal(
        -32099,
        "Notifications not supported",
        "notifications_not_supported",
        id=None,
        limits=None,
    )


@pytest.mark.parametrize("method", ["no.such", "", "toy.call ", "__init__", "Toy.Call", "\ud800"])
def test_method_not_found_before_the_token(api: Api, method: str) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 5, "method": method, "params": {}})
    assert api.send(body) == refusal(
        -32601,
        "The method does not exist / is not available",
        "method_not_found",
        id=5,
        limits=None,
    )


# Network and token.


@pytest.mark.parametrize("params", ['"params": {"nonsense": 1}', '"params": {}', '"x": 0'])
def test_a_missing_token_is_a_missing_parameter_and_the_first_fault(api: Api, params: str) -> None:
    body = f'{{"jsonrpc": "2.0", "id": "req1", "method": "toy.call", {params}}}'
    assert api.send(body) == refusal(
        -32602,
        "The required parameter has been missed",
        "required_parameter_missed",
        field="access_token",
        limits=None,
    )


@pytest.mark.parametrize("token", [5, None, True, ["token"], {"token": "x"}])
def test_a_token_of_another_type_is_not_shown(api: Api, token: object) -> None:
    assert api.call("toy.call", {"access_token": token}) == refusal(
        -32602,
        "Data supplied is of wrong type",
        "data_type_error",
        field="access_token",
        limits=None,
    )


@pytest.mark.parametrize("token", ["", "nobody's", "\ud800", "токен", "\0"])
def test_an_unknown_token_is_invalid(api: Api, token: str) -> None:
    assert api.call("toy.call", {"access_token": token}) == TOKEN_INVALID


def test_a_session_token_that_is_over_is_like_one_nobody_has(api: Api) -> None:
    elsewhere = api.access.add_user(networks=(ip_network("192.0.2.0/24"),))
    for user in api.user, elsewhere:
        token = api.access.add_token(user, kind=TokenKind.SESSION, expires_at=NOW)
        assert api.call("toy.call", {"access_token": token}) == TOKEN_INVALID


def test_a_session_token_is_good_until_its_last_moment(api: Api) -> None:
    token = api.access.add_token(api.user, kind=TokenKind.SESSION, expires_at=NOW + 0.01)
    assert api.call("toy.call", {**GOOD, "access_token": token}) == success(UNDERSTOOD)


def test_a_blocked_session_token_is_invalid(api: Api) -> None:
    token = api.access.add_token(api.user, kind=TokenKind.SESSION, blocked=True)
    assert api.call("toy.call", {"access_token": token}) == TOKEN_INVALID


def test_a_permanent_token_can_expire(api: Api) -> None:
    token = api.access.add_token(api.user, expires_at=NOW - 1)
    assert api.call("toy.call", {"access_token": token}) == refusal(
        -32001,
        "Access token has been expired",
        "access_token_expired",
        field="access_token",
        limits=None,
    )


def test_a_permanent_token_can_be_blocked(api: Api) -> None:
    token = api.access.add_token(api.user, expires_at=NOW - 1, blocked=True)
    assert api.call("toy.call", {"access_token": token}) == refusal(
        -32001,
        "Access token has been blocked",
        "access_token_blocked",
        field="access_token",
        limits=None,
    )


def test_a_client_in_another_network_learns_its_address_and_nothing_of_the_token(api: Api) -> None:
    user = api.access.add_user(networks=(ip_network("192.0.2.0/24"), ip_network("::/0")))
    for token in (
        api.access.add_token(user),
        api.access.add_token(user, blocked=True),
        api.access.add_token(user, expires_at=NOW - 1),
    ):
        assert api.call("toy.call", {"access_token": token}) == NOT_WHITELISTED


def test_the_token_may_come_in_the_header(api: Api) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": "req1", "method": "toy.managed", "params": {}})
    for scheme in "Bearer", "bearer":
        response = api.post(body, {"Authorization": f"{scheme} {api.token}"})
        assert response.json()["result"]["data"] is None
    null = json.loads(body) | {"params": {"access_token": None}}
    response = api.post(json.dumps(null), {"Authorization": f"Bearer {api.token}"})
    assert response.json()["result"]["data"] is None
    # Another scheme is for a proxy in between.
    response = api.post(body, {"Authorization": f"Basic {api.token}"})
    assert response.json()["error"]["data"]["mnemonic"] == "required_parameter_missed"


def test_header_and_parameter_must_agree(api: Api) -> None:
    other = api.access.add_token(api.user)
    assert api.call("toy.managed", {}, Authorization=f"Bearer {api.token}") == success(None)
    assert api.call("toy.managed", {}, Authorization=f"Bearer {other}") == TOKEN_INVALID
    assert api.call("toy.managed", {}, Authorization="Bearer") == TOKEN_INVALID


def test_two_headers_must_agree(api: Api) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": "req1", "method": "toy.managed", "params": {}})
    other = api.access.add_token(api.user)
    response = api.post(
        body,
        [("Authorization", f"Bearer {api.token}"), ("Authorization", f"Bearer {other}")],
    )
    assert response.json() == TOKEN_INVALID


# What account and user may do.


def test_account_inactive(api: Api) -> None:
    user = api.access.add_user(account_active=False, active=False)
    assert api.call("toy.call", {"access_token": api.access.add_token(user)}) == refusal(
        -32009,
        "Your account has been disabled, contact the support service",
        "account_inactive",
    )


def test_a_user_switched_off_is_forbidden(api: Api) -> None:
    user = api.access.add_user(active=False, disabled=Component)
    assert api.call("toy.call", {"access_token": api.access.add_token(user)}) == refusal(
        -32003, "Permission denied", "forbidden"
    )


def test_component_disabled_before_parameters(api: Api) -> None:
    user = api.access.add_user(disabled=[Component.MANAGEMENT])
    token = api.access.add_token(user)
    assert api.call("toy.managed", {"access_token": token, "nonsense": 1}) == refusal(
        -32008,
        "Component Call API Call management has been disabled",
        "component_disabled",
        params={"component_name": "Call API Call management"},
    )
    assert api.call("toy.call", {**GOOD, "access_token": token}) == success(UNDERSTOOD)
    # A method of no component is always on.
    assert api.call("toy.text", {"access_token": token, "text": "a"}) != success(None)


# Limits.


def test_only_success_takes_a_point_and_without_points_nothing_is_looked_at() -> None:
    with serving(ApiSettings(points_per_minute=2, points_per_day=3)) as api:
        left = FULL | {"minute_limit": 2, "day_limit": 3}

        def points(minute: int, day: int) -> dict[str, int]:
            return left | {"minute_remaining": minute, "day_remaining": day}

        unexpected = ("Unexpected method parameter(s)", "unexpected_parameters")
        assert api.call("toy.managed", {"x": 1}) == refusal(
            -32602, *unexpected, field="x", value="1", limits=points(2, 3)
        )
        assert api.call("toy.managed", {}) == success(None, points(1, 2))
        assert api.call("toy.managed", {"x": 1}) == refusal(
            -32602, *unexpected, field="x", value="1", limits=points(1, 2)
        )
        assert api.call("toy.managed", {}) == success(None, points(0, 1))
        assert api.call("toy.managed", {"x": 1}) == refusal(
            -32029,
            "Limit per minute has been exceeded. Value of current limit per minute is 2",
            "limit_exceeded",
            params={"limit_type": "minute", "limit_max_value": 2},
            limits=points(0, 1),
        )
        # Another account has points of its own.
        assert api.for_new_user().call("toy.managed", {}) == success(None, points(1, 2))

        api.clock.now += 60
        left["day_reset"] -= 60
        assert api.call("toy.managed", {}) == success(None, points(1, 0))
        assert api.call("toy.managed", {}) == refusal(
            -32029,
            "Limit per day has been exceeded. Value of current limit per day is 3",
            "limit_exceeded",
            params={"limit_type": "day", "limit_max_value": 3},
            limits=points(1, 0),
        )


# What the method itself finds.


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (
            "session",
            refusal(
                -32602,
                "Call session not found",
                "call_session_not_found",
                field="call_session_id",
                value="7",
            ),
        ),
        (
            "state",
            refusal(-32004, "This method can not be called in this state", "invalid_state"),
        ),
        (
            "login",
            refusal(-32001, "Login or password is wrong", "auth_error", limits=None),
        ),
        (
            "blacklist",
            refusal(
                -32002,
                "The contact 79260000000 has been found in the blacklist",
                "contact_in_blacklist",
                field="contact",
                value="79260000000",
                params={"contact": "79260000000"},
            ),
        ),
        (
            "tts",
            refusal(
                -32602,
                "The maximum length of Text-to-Speech message is 500. "
                "The length of your message is 501",
                "tts_text_exceeded",
                field="message.value",
                value="x",
                params={"tts_message_max_length": 500, "sent_tts_message_length": 501},
            ),
        ),
        (
            "internal",
            refusal(-32603, "Internal error, contact the support service", "internal_error"),
        ),
    ],
)
def test_an_error_of_a_method_goes_to_the_client(api: Api, failure: str, expected: object) -> None:
    assert api.call("toy.fail", {"text": failure}) == expected


def test_an_error_may_have_another_code_in_another_method(api: Api) -> None:
    assert api.call("start.scenario_call", {}) == refusal(
        -32602,
        "The contact 79260000000 has been found in the blacklist",
        "contact_in_blacklist",
        field="contact",
        value="79260000000",
        params={"contact": "79260000000"},
    )


@pytest.mark.parametrize(
    ("failure", "logged"), [("bug", "a secret detail"), ("a result that is no JSON", "TypeError")]
)
def test_anything_else_is_our_fault_and_its_traceback_stays_here(
    api: Api, caplog: pytest.LogCaptureFixture, failure: str, logged: str
) -> None:
    assert api.call("toy.fail", {"text": failure}) == refusal(
        -32603, "Internal error, contact the support service", "internal_error"
    )
    assert logged in caplog.text
    assert "Traceback" in caplog.text


def test_the_log_has_a_line_for_each_request_and_no_secrets(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.call("toy.call", {**GOOD, "text": "Привет"})
    api.call("toy.call", {**GOOD, "contact": "+79260000000"})
    api.call("toy.call", {**GOOD, "79261112233": 1})
    api.call("secret.method", {})
    lines = [
        record.getMessage() for record in caplog.records if record.name == "callwright.rpc.dispatch"
    ]
    account = f"account {api.user.account}"
    assert [line.rpartition(" in ")[0] for line in lines] == [
        f"{account} toy.call ok",
        f"{account} toy.call invalid_parameter_value (contact)",
        f"{account} toy.call unexpected_parameters",
        "account - - method_not_found",
    ]
    for secret in api.token, "Привет", "79260000000", "79261112233", "secret.method":
        assert secret not in "\n".join(lines)
