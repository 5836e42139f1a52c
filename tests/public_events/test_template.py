"""Templates: what is put where, and what is refused when a webhook is set up."""

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from callwright.directory.webhook import TEMPLATE_AT_MOST, Verb
from callwright.public_events.parameters import read_template_of
from callwright.public_events.template import (
    NESTED_AT_MOST,
    Form,
    TemplateFault,
    read_template,
)

VALUES: dict[str, JsonValue] = {
    "call_session_id": 4294967296,
    "contact_phone_number": "79260000000",
    "employee_full_name": 'Анна "Аня" \\ Орлова\n',
    "external_id": None,
    "is_transfer": False,
    "tag_names": ["Лид", "a&b=c"],
    "talk_time_duration": 10.5,
}
NAMES = [*VALUES, "lost_reason"]
TOO_DEEP = f"^its JSON is nested more than {NESTED_AT_MOST} deep$"


def rendered(text: str, *, query: bool = False) -> str:
    return read_template(text, NAMES, query=query).render(VALUES)


def nested(opening: str, closing: str, deep: int) -> str:
    return opening * deep + "{{call_session_id}}" + closing * deep


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"id": {{call_session_id}}}', {"id": 4294967296}),
        ('{"who": {{ employee_full_name }}}', {"who": VALUES["employee_full_name"]}),
        ('{"a": {{external_id}}, "b": {{is_transfer}}}', {"a": None, "b": False}),
        ('{"tags": {{tag_names}}}', {"tags": VALUES["tag_names"]}),
        # A parameter that the event does not have.
        ('{"why": {{lost_reason}}}', {"why": None}),
        # Quotes around a placeholder alone change nothing.
        ('{"id": "{{call_session_id}}"}', {"id": 4294967296}),
        ('{"who": "{{employee_full_name}}"}', {"who": VALUES["employee_full_name"]}),
        ('{"why": "{{lost_reason}}"}', {"why": None}),
        # Inside a longer text there is its text.
        (
            '{"text": "Звонок {{call_session_id}}: {{employee_full_name}}{{lost_reason}}."}',
            {"text": f"Звонок 4294967296: {VALUES['employee_full_name']}."},
        ),
        ('{"t": "{{tag_names}} {{is_transfer}}"}', {"t": '["Лид","a&b=c"] false'}),
        ('{"{{contact_phone_number}}": 1}', {"79260000000": 1}),
        ('{"{{call_session_id}}" : 1}', {"4294967296": 1}),
        # As nested as one likes, with a } right behind.
        ('{"a":{"b":[{"c":{{call_session_id}}}]}}', {"a": {"b": [{"c": 4294967296}]}}),
        ("[{{call_session_id}},1]", [4294967296, 1]),
        ("{{tag_names}}", VALUES["tag_names"]),
        ('"{{contact_phone_number}}"', "79260000000"),
        (r'{"quote": "\"{{call_session_id}}\""}', {"quote": '"4294967296"'}),
        ('{"constant": "без параметров"}', {"constant": "без параметров"}),
    ],
)
def test_json(template: str, expected: object) -> None:
    read = read_template(template, NAMES, query=False)
    assert read.form is Form.JSON
    assert json.loads(read.render(VALUES)) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("id={{call_session_id}}", [("id", "4294967296")]),
        ("id={{call_session_id}}&key=5", [("id", "4294967296"), ("key", "5")]),
        ("who={{employee_full_name}}", [("who", VALUES["employee_full_name"])]),
        ("tags={{tag_names}}&x={{lost_reason}}", [("tags", '["Лид","a&b=c"]'), ("x", "null")]),
        ("a=+{{contact_phone_number}}.", [("a", " 79260000000.")]),
        ("a=%2B{{contact_phone_number}}&b=", [("a", "+79260000000"), ("b", "")]),
        (" id={{ call_session_id }}\n", [("id", "4294967296")]),
    ],
)
@pytest.mark.parametrize("query", [True, False])
def test_pairs(template: str, expected: list[tuple[str, str]], query: bool) -> None:
    read = read_template(template, NAMES, query=query)
    assert read.form is Form.PAIRS
    assert parse_qsl(read.render(VALUES), keep_blank_values=True) == expected


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            '{"a": {{visitor_country}}, "b": "x {{Call_Session_Id}}"}',
            r"^there is no parameter \{\{visitor_country\}\}, \{\{Call_Session_Id\}\}$",
        ),
        ('{"a": {{}}}', r"there is no parameter \{\{\}\}"),
        ('{"a": {{call_session_id}}', "no JSON once its parameters are put: .*, line 1"),
        ('{\n"a": {{call_session_id}} {{external_id}}}', "no JSON .*, line 2"),
        ('{"a": x{{call_session_id}}}', "no JSON"),
        ("{{{call_session_id}}: 1}", "no JSON"),
        ('{"a": "unfinished}', "no JSON"),
        ('{"a": NaN}', "NaN is no JSON"),
        (nested("[", "]", NESTED_AT_MOST + 1), TOO_DEEP),
        (nested('{"a":', "}", NESTED_AT_MOST + 1), TOO_DEEP),
        ("[" * TEMPLATE_AT_MOST, TOO_DEEP),
        ("[" * NESTED_AT_MOST, "no JSON"),
        ("", "no JSON"),
        ("Звонок {{call_session_id}}", "neither JSON nor pairs"),
        ("a=1&&b=2", "pair 2"),
        ("=1", "neither JSON nor pairs"),
        ("{{call_session_id}}=1&a=2", "neither JSON nor pairs"),
        ("a={{call_session_id}}b={{external_id}}", "a & is missing in"),
        ("a=б", "percent-encode"),
        ("a=b c", "percent-encode"),
        ("a=" + "x" * TEMPLATE_AT_MOST, "longer than"),
    ],
)
def test_what_is_refused(template: str, reason: str) -> None:
    with pytest.raises(TemplateFault, match=reason):
        read_template(template, NAMES, query=False)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_how_deep_a_template_may_be_nested(opening: str, closing: str) -> None:
    told = rendered(nested(opening, closing, NESTED_AT_MOST))
    assert told == opening * NESTED_AT_MOST + "4294967296" + closing * NESTED_AT_MOST


def test_only_what_stands_within_each_other_is_nested() -> None:
    side_by_side = "[" + "[{}]," * NESTED_AT_MOST + "[{}]]"
    assert rendered(side_by_side) == side_by_side
    text = '["' + "[{" * NESTED_AT_MOST + ' {{call_session_id}}"]'
    assert json.loads(rendered(text)) == ["[{" * NESTED_AT_MOST + " 4294967296"]


def test_a_query_is_pairs() -> None:
    with pytest.raises(TemplateFault, match="pairs"):
        read_template('{"id": {{call_session_id}}}', NAMES, query=True)
    with pytest.raises(TemplateFault, match="pairs"):
        read_template_of("{{call_session_id}}", Verb.GET)
    assert read_template_of("{{call_session_id}}", Verb.POST).form is Form.JSON


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=5,
)


@given(JSON_VALUES)
def test_whatever_the_value_what_is_sent_is_well_formed(value: JsonValue) -> None:
    values = {"external_id": value}
    template = '{"a": {{external_id}}, "b": "<{{external_id}}>", "c": "{{external_id}}"}'
    told = json.loads(read_template(template, NAMES, query=False).render(values))
    assert told["a"] == value
    assert told["c"] == value
    assert told["b"].startswith("<")
    pairs = read_template("a={{external_id}}&b=1", NAMES, query=True).render(values)
    names = [name for name, _ in parse_qsl(pairs, keep_blank_values=True)]
    assert names == ["a", "b"]
