"""Whatever bytes a client sends: one JSON-RPC answer over HTTP 200, and the server lives on."""

import json
import socket
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callwright.rpc.envelope import DEEPEST
from tests.rpc.world import Api, refusal
from tests.waiting import WITHIN

PARSE_ERROR = refusal(
    -32700, "Invalid JSON was received by the server.", "parse_error", id=None, limits=None
)


def invalid_request(id: str | int | None) -> object:
    message = "Invalid Request The JSON sent is not a valid Request object"
    return refusal(-32600, message, "invalid_request", id=id, limits=None)


def method_not_found(id: str | float) -> object:
    message = "The method does not exist / is not available"
    return refusal(-32601, message, "method_not_found", id=id, limits=None)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b'{"a": "\x00"}',
        b'{"a": "\n"}',
        '{"jsonrpc": "2.0", "id": 1, "method": "a"}'.encode("utf-16"),
        '{"jsonrpc": "2.0", "id": 1, "method": "a"}'.encode("utf-32-le"),
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b"-Infinity",
        b'{"id": 01}',
        b'{"id": 1e}',
        b"[" * 65_536,
        b'{"a":' * 13_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'"' + b'\\"' * 30_000,
        b"1 2",
        b"{}{}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_no_json(api: Api, body: bytes) -> None:
    assert api.send(body) == PARSE_ERROR


def nested(depth: int) -> str:
    """A request whose params reach down to ``depth``, counting from the request's own braces."""
    arrays = "[" * (depth - 2) + "]" * (depth - 2)
    params = f'{{"a": {arrays}}}'
    return f'{{"jsonrpc": "2.0", "id": "deep", "method": "a", "params": {params}}}'


def test_nesting_has_a_limit(api: Api) -> None:
    assert api.send(nested(DEEPEST)) == method_not_found("deep")
    assert api.send(nested(DEEPEST + 1)) == PARSE_ERROR


@pytest.mark.parametrize(
    "written",
    [
        "0",
        "-1",
        "9007199254740993",
        "123456789012345678901234567890",
        "1" * 5000,
        "1.50",
        "-0.0",
        "1e400",
        "1E-7",
        "2.0",
        '"req1"',
        '""',
        '"1"',
        '"Привет \\n \\u0000 \\" \\\\ / 😀"',
    ],
)
def test_an_id_goes_back_as_it_was_written(api: Api, written: str) -> None:
    body = f'{{"jsonrpc": "2.0", "id": {written}, "method": "no.such"}}'
    response = api.post(body)
    assert response.status_code == 200
    assert id_as_written(response.text) == id_as_written(body)


def id_as_written(text: str) -> object:
    """The id, with numbers left as they are written: 1.50 is not 1.5 here, nor 1 "1"."""

    def number(written: str) -> tuple[str, str]:
        return "number", written

    document: dict[str, object] = json.loads(text, parse_int=number, parse_float=number)
    return document["id"]


@pytest.mark.parametrize("written", ["true", "false", "null", "[]", "{}", '"\\ud800"', "[1]"])
def test_what_is_no_id_is_answered_with_null(api: Api, written: str) -> None:
    body = f'{{"jsonrpc": "2.0", "id": {written}, "method": "no.such"}}'
    assert api.send(body) == invalid_request(None)


@pytest.mark.parametrize(
    ("body", "id"),
    [
        ('{"jsonrpc": "2.0", "id": 1, "method": "a", "method": "b"}', 1),
        ('{"jsonrpc": "2.0", "id": 1, "method": "a", "params": {"to": "1", "to": "2"}}', 1),
        ('{"jsonrpc": "2.0", "id": 1, "method": "a", "params": {"a": {"b": 1, "\\u0062": 1}}}', 1),
        ('{"jsonrpc": "2.0", "id": 1, "id": 1, "method": "a"}', None),
    ],
)
def test_a_name_twice_is_ambiguous(api: Api, body: str, id: int | None) -> None:
    assert api.send(body) == invalid_request(id)


def test_many_names_twice_are_refused_in_linear_time(api: Api) -> None:
    members = ",".join(f'"{number % 4000:x}":0' for number in range(7000))
    assert api.send(f'{{"id": 1, {members}}}') == invalid_request(1)


def test_a_byte_order_mark_is_ignored(api: Api) -> None:
    body = b"\xef\xbb\xbf" + b'{"jsonrpc": "2.0", "id": "a", "method": "no.such"}'
    assert api.send(body) == method_not_found("a")


def test_a_text_in_another_charset_is_the_fault_of_its_parameter(api: Api) -> None:
    request = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": "req1",
            "method": "toy.call",
            "params": {
                "access_token": api.token,
                "first_call": "contact",
                "contact": "7",
                "employee": {"id": 1},
                "message": {"type": "tts", "value": "Привет"},
            },
        },
        ensure_ascii=False,
    )
    assert api.send(request.encode("cp1251")) == refusal(
        -32602,
        "The character encoding must be UTF-8",
        "character_encoding_not_allowed",
        field="message.value",
        value="??????",
    )


def is_one_answer(text: bytes) -> bool:
    answer = json.loads(text.decode("utf-8"))
    assert answer["jsonrpc"] == "2.0"
    return answer.keys() in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"})


FUZZ = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@FUZZ
@given(body=st.binary(max_size=2000))
def test_any_bytes_get_one_answer(api: Api, body: bytes) -> None:
    response = api.post(body)
    assert response.status_code == 200
    assert is_one_answer(response.content)


@FUZZ
@given(value=anything)
def test_any_json_gets_one_answer(api: Api, value: object) -> None:
    response = api.post(json.dumps(value))
    assert response.status_code == 200
    assert is_one_answer(response.content)


PARAMETERS = ["first_call", "contact", "employee", "text", "message", "keys", "switch"]


@FUZZ
@given(
    id=anything,
    method=st.sampled_from(["toy.call", "toy.text", "toy.managed"]) | anything,
    params=st.dictionaries(st.sampled_from(PARAMETERS) | st.text(max_size=5), anything, max_size=7)
    | anything,
    version=st.just("2.0") | anything,
)
def test_any_request_gets_one_answer_and_none_is_our_fault(
    api: Api, id: object, method: object, params: object, version: object
) -> None:
    if isinstance(params, dict):
        params = {"access_token": api.token, **params}
    response = api.post(
        json.dumps({"jsonrpc": version, "id": id, "method": method, "params": params})
    )
    assert response.status_code == 200
    assert is_one_answer(response.content)
    assert b"internal_error" not in response.content


def test_noise_that_is_no_http_leaves_the_server_alive(api: Api) -> None:
    for noise in b"\x16\x03\x01\x02\x00", b"\r\n" * 100, b"GET", b"POST /v4.0 HTTP/9\r\n\r\n":
        with socket.create_connection(api.address, timeout=WITHIN) as connection:
            connection.sendall(noise)
    assert api.send("{}") == invalid_request(None)


def test_requests_on_one_connection_are_answered_in_order(api: Api) -> None:
    def request(id: int) -> bytes:
        body = json.dumps({"jsonrpc": "2.0", "id": id, "method": "no.such"}).encode()
        head = f"POST /v4.0 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    received = b""
    with socket.create_connection(api.address, timeout=WITHIN) as connection:
        connection.sendall(b"".join(map(request, range(5))))
        while received.count(b"extended_helper") < 5:
            chunk = connection.recv(65536)
            assert chunk
            received += chunk
    places = [received.index(f'"id":{id},'.encode()) for id in range(5)]
    assert all(one < other for one, other in pairwise(places))
