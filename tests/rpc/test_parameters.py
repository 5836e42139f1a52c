"""Faults in parameters: which one is told, of which field, with what was sent. Lenient mode."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import create_model

from callwright.config import ApiSettings
from callwright.methods.api_error import ApiError
from callwright.methods.data.registry import DATA_CATALOGUE
from callwright.methods.errors import InvalidParametersCombination, RequiredParameterMissed
from callwright.methods.method import Declaration
from callwright.methods.registry import CATALOGUE
from callwright.rpc.envelope import Json, read_document
from callwright.rpc.parameters import read_params
from tests.rpc.test_dispatch import GOOD, UNDERSTOOD
from tests.rpc.world import TOY_CALL, TOY_TEXT, Api, refusal, serving, success

UNEXPECTED = (-32602, "Unexpected method parameter(s)", "unexpected_parameters")
MISSED = (-32602, "The required parameter has been missed", "required_parameter_missed")
TYPE = (-32602, "Data supplied is of wrong type", "data_type_error")
VALUE = (-32602, "Invalid parameter value", "invalid_parameter_value")
ENCODING = (-32602, "The character encoding must be UTF-8", "character_encoding_not_allowed")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"nonsense": None}, refusal(*UNEXPECTED, field="nonsense", value="null")),
        (
            {"employee": {"id": 1, "name": {"a": [1, "б"]}}},
            refusal(*UNEXPECTED, field="employee.name", value='{"a": [1, "б"]}'),
        ),
        ({"password": "hunter2"}, refusal(*UNEXPECTED, field="password")),
        ({"employee": {}}, refusal(*MISSED, field="employee.id")),
        ({"message": {"type": "tts"}}, refusal(*MISSED, field="message.value")),
        ({"contact": 79260000000}, refusal(*TYPE, field="contact", value="79260000000")),
        ({"contact": True}, refusal(*TYPE, field="contact", value="true")),
        ({"contact": None}, refusal(*TYPE, field="contact", value="null")),
        ({"employee": {"id": "25"}}, refusal(*TYPE, field="employee.id", value="25")),
        ({"employee": {"id": True}}, refusal(*TYPE, field="employee.id", value="true")),
        ({"employee": [25]}, refusal(*TYPE, field="employee", value="[25]")),
        ({"employee": 25}, refusal(*TYPE, field="employee", value="25")),
        ({"switch": "true"}, refusal(*TYPE, field="switch", value="true")),
        ({"switch": 1}, refusal(*TYPE, field="switch", value="1")),
        ({"first_call": 5}, refusal(*TYPE, field="first_call", value="5")),
        ({"message": {"type": [], "value": "a"}}, refusal(*TYPE, field="message.type", value="[]")),
        ({"keys": ["1", 2]}, refusal(*TYPE, field="keys.1", value="2")),
        ({"first_call": "both"}, refusal(*VALUE, field="first_call", value="both")),
        ({"employee": {"id": 25.5}}, refusal(*VALUE, field="employee.id", value="25.5")),
        ({"employee": {"id": -1}}, refusal(*VALUE, field="employee.id", value="-1")),
        ({"employee": {"id": 1 << 53}}, refusal(*VALUE, field="employee.id", value=str(1 << 53))),
        ({"dialing_timeout": 0}, refusal(*VALUE, field="dialing_timeout", value="0")),
        ({"contact": "+79260000000"}, refusal(*VALUE, field="contact", value="+79260000000")),
        ({"contact": ""}, refusal(*VALUE, field="contact", value="")),
        ({"contact": "7926000000\n"}, refusal(*VALUE, field="contact", value="7926000000\n")),
        ({"contact": "٧٩٢٦"}, refusal(*VALUE, field="contact", value="٧٩٢٦")),
        ({"contact": "7" * 21}, refusal(*VALUE, field="contact", value="7" * 21)),
        ({"text": "a\0b"}, refusal(*VALUE, field="text", value="a\0b")),
        # The texts below are no Unicode; what is no Unicode in them is shown as "?".
        ({"text": "a\ud800b"}, refusal(*ENCODING, field="text", value="a?b")),
        (
            {"message": {"type": "tts", "value": "\udcff"}},
            refusal(*ENCODING, field="message.value", value="?"),
        ),
        ({"\ud800": 1}, refusal(*UNEXPECTED, field="?", value="1")),
    ],
)
def test_a_fault(api: Api, params: dict[str, object], expected: object) -> None:
    assert api.call("toy.call", {**GOOD, **params}) == expected


def test_null_for_what_is_optional_means_not_given(api: Api) -> None:
    nulls = {"switch": None, "dialing_timeout": None, "text": None, "keys": None, "message": None}
    employee = {"id": 25, "phone_number": None}
    sent = {**GOOD, **nulls, "employee": employee}
    assert api.call("toy.call", sent) == success(UNDERSTOOD)


@pytest.mark.parametrize("field", ["contact", "employee"])
def test_null_for_what_is_required_is_a_wrong_type(lenient: Api, field: str) -> None:
    # Beside a null that does no harm, and a text that the lenient mode takes for a number.
    params = {**GOOD, "switch": None, "dialing_timeout": "30", field: None}
    assert lenient.call("toy.call", params) == refusal(*TYPE, field=field, value="null")


@pytest.mark.parametrize("method", [*CATALOGUE, *DATA_CATALOGUE], ids=lambda one: one.name)
def test_every_optional_parameter_of_every_method_may_be_null(method: Declaration[Any]) -> None:
    fields = method.params.model_fields
    optional = [name for name, one in fields.items() if not one.is_required()]
    # What is required is no part of the question, and would be asked for first.
    rest: dict[str, Any] = {name: (Any, None) for name in fields if name not in optional}
    relaxed = create_model("Relaxed", __base__=method.params, **rest)
    try:
        read_params(replace(method, params=relaxed), dict.fromkeys(optional), lenient=False)
    except InvalidParametersCombination:
        # Something of them has to be there.
        assert InvalidParametersCombination.mnemonic in method.errors
    except RequiredParameterMissed:
        # One of two names for the same has to be there.
        assert method.name == "get.chat_messages_report"


def test_a_null_in_an_array_is_a_wrong_type(api: Api) -> None:
    params = {**GOOD, "switch": None, "keys": ["1", None]}
    assert api.call("toy.call", params) == refusal(*TYPE, field="keys.1", value="null")


def members(text: str) -> dict[str, Json]:
    root = read_document(text.encode()).root
    assert isinstance(root, dict)
    return root


@pytest.mark.parametrize(
    ("params", "mnemonic", "field"),
    [
        # Every kind; then without the one that was told.
        (
            '{"contact": 5, "first_call": "x", "employee": {"id": 1, "a": 1}, "b": 1}',
            "unexpected_parameters",
            "employee.a",
        ),
        (
            '{"contact": 5, "first_call": "x", "text": "\\u0000"}',
            "required_parameter_missed",
            "employee",
        ),
        # Two of a kind: the order of the parameter table, not of the request.
        ("{}", "required_parameter_missed", "first_call"),
        ('{"first_call": "contact"}', "required_parameter_missed", "contact"),
        (
            '{"employee": {"id": "1"}, "text": 5, "first_call": "x", "contact": "+7"}',
            "data_type_error",
            "text",
        ),
        (
            '{"employee": {"id": -1}, "first_call": "x", "text": "\\ud800", "contact": "+7"}',
            "character_encoding_not_allowed",
            "text",
        ),
        (
            '{"employee": {"id": -1}, "contact": "+7", "first_call": "x"}',
            "invalid_parameter_value",
            "first_call",
        ),
        ('{"employee": {"id": -1}, "contact": "+7", "first_call": "contact"}', "", "contact"),
    ],
)
def test_of_several_faults_the_first_kind_counts_then_the_parameter_table(
    params: str, mnemonic: str, field: str
) -> None:
    with pytest.raises(ApiError) as raised:
        read_params(TOY_CALL, members(params), lenient=False)
    assert raised.value.mnemonic == (mnemonic or "invalid_parameter_value")
    assert raised.value.field == field


def test_a_method_that_publishes_no_encoding_error_calls_the_value_invalid() -> None:
    with pytest.raises(ApiError) as raised:
        read_params(TOY_TEXT, members('{"text": "\\udcff"}'), lenient=False)
    assert raised.value.mnemonic == "invalid_parameter_value"


@pytest.mark.parametrize(
    ("number", "field"),
    [
        ("25.50", "employee.id"),
        ("1e400", "employee.id"),
        ("-1E400", "dialing_timeout"),
        ("1e400", "dialing_timeout"),
        ("0.10", "dialing_timeout"),
        ("9" * 400, "employee.id"),
        ("9" * 5000, "dialing_timeout"),
    ],
)
def test_a_number_is_shown_as_it_was_written(number: str, field: str) -> None:
    name = field.rpartition(".")[2]
    numbers = {"id": "1", "dialing_timeout": "30"} | {name: number}
    text = (
        '{"first_call": "contact", "contact": "7",'
        f' "employee": {{"id": {numbers["id"]}}}, "dialing_timeout": {numbers["dialing_timeout"]}}}'
    )
    with pytest.raises(ApiError) as raised:
        read_params(TOY_CALL, members(text), lenient=False)
    fault = raised.value
    assert (fault.mnemonic, fault.field, fault.value) == ("invalid_parameter_value", field, number)


@pytest.mark.parametrize("number", ["25", "25.0", "2.5e1", "250E-1"])
def test_a_whole_number_may_be_written_with_a_fraction(number: str) -> None:
    text = f'{{"first_call": "contact", "contact": "7", "employee": {{"id": {number}}}}}'
    params = read_params(TOY_CALL, members(text), lenient=False)
    assert params.employee.id == 25


def test_an_array_does_for_a_tuple() -> None:
    text = '{"first_call": "contact", "contact": "7", "employee": {"id": 1}, "keys": ["1", "#"]}'
    assert read_params(TOY_CALL, members(text), lenient=False).keys == ("1", "#")


# The lenient mode.


@pytest.fixture(scope="module")
def lenient_server() -> Iterator[Api]:
    with serving(ApiSettings(lenient=True)) as api:
        yield api


@pytest.fixture
def lenient(lenient_server: Api) -> Api:
    return lenient_server.for_new_user()


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        ({"employee": {"id": "25"}}, {}),
        ({"switch": "true"}, {"switch": True}),
        ({"switch": "false"}, {"switch": False}),
        ({"dialing_timeout": "12.5"}, {"dialing_timeout": 12.5}),
        ({"dialing_timeout": "12", "switch": "true"}, {"dialing_timeout": 12, "switch": True}),
        ({"contact": "+79260000000"}, {}),
        ({"contact": "89260000000"}, {}),
        ({"contact": "84951234567"}, {"contact": "74951234567"}),
        # No Russian number: +84 is Vietnam, 810 and 8 with fewer digits are something else.
        ({"contact": "+84912345678"}, {"contact": "84912345678"}),
        ({"contact": "8104912345678"}, {"contact": "8104912345678"}),
        ({"contact": "8926"}, {"contact": "8926"}),
        ({"contact": "81234567890"}, {"contact": "81234567890"}),
        # A text that looks like a number is a text.
        ({"text": "25"}, {"text": "25"}),
        ({"text": "+7"}, {"text": "+7"}),
    ],
)
def test_lenient_takes_what_is_meant(
    lenient: Api, sent: dict[str, object], understood: dict[str, object]
) -> None:
    assert lenient.call("toy.call", {**GOOD, **sent}) == success(UNDERSTOOD | understood)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"employee": {"id": "2x5"}}, refusal(*TYPE, field="employee.id", value="2x5")),
        ({"employee": {"id": "٢٥"}}, refusal(*TYPE, field="employee.id", value="٢٥")),
        ({"employee": {"id": "true"}}, refusal(*TYPE, field="employee.id", value="true")),
        ({"employee": {"id": "2.5"}}, refusal(*TYPE, field="employee.id", value="2.5")),
        ({"employee": {"id": "-5"}}, refusal(*VALUE, field="employee.id", value="-5")),
        ({"employee": "25"}, refusal(*TYPE, field="employee", value="25")),
        ({"switch": "1"}, refusal(*TYPE, field="switch", value="1")),
        ({"switch": 1}, refusal(*TYPE, field="switch", value="1")),
        ({"switch": "True"}, refusal(*TYPE, field="switch", value="True")),
        ({"contact": 79260000000}, refusal(*TYPE, field="contact", value="79260000000")),
        ({"contact": "++79260000000"}, refusal(*VALUE, field="contact", value="++79260000000")),
        (
            {"contact": "8 (926) 000-00-00"},
            refusal(*VALUE, field="contact", value="8 (926) 000-00-00"),
        ),
        # What was sent is told, not what was made of it; and a mended one hides no other fault.
        ({"switch": "true", "text": 5}, refusal(*TYPE, field="text", value="5")),
        ({"dialing_timeout": "0"}, refusal(*VALUE, field="dialing_timeout", value="0")),
    ],
)
def test_lenient_is_strict_otherwise(
    lenient: Api, params: dict[str, object], expected: object
) -> None:
    assert lenient.call("toy.call", {**GOOD, **params}) == expected
