"""Every documented field of every method there is: its name, type, presence and nullability."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter

from callwright.directory.webhook import Verb
from callwright.methods.data.list_fields import ListedField
from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.data.registry import DATA_CATALOGUE, LISTS
from callwright.methods.method import Declaration
from callwright.public_events.parameters import FACTS, OWN, WITHOUT_VALUE, read_template_of
from callwright.query import FieldKind
from tests.compat.documented import (
    DOCUMENTED,
    INTEGERS,
    METHODS,
    TEXTS,
    Documented,
    WrongType,
    decode,
    documented,
)

DECLARED: Mapping[str, Declaration[Any]] = {one.name: one for one in DATA_CATALOGUE}
LISTED: Mapping[str, ListDeclaration[Any]] = {one.name: one for one in LISTS}

HERE = [name for name in METHODS if name in DECLARED]
"Of a method that is added, the table has to say what stands in which array or object (`of`)."

OTHERWISE: Mapping[tuple[str, str, str], str] = {}
"Fields that are otherwise than documented, and why."

EMPTY = [one for one in LISTS if one.table is None]
"Lists of what there never is anything of."

KINDS: Mapping[str, tuple[FieldKind, ...]] = {
    **dict.fromkeys(INTEGERS, (FieldKind.INTEGER,)),
    **dict.fromkeys(TEXTS, (FieldKind.TEXT,)),
    "": (FieldKind.TEXT,),
    "money": (FieldKind.NUMBER,),
    "iso8601": (FieldKind.MOMENT,),
    "boolean": (FieldKind.BOOLEAN,),
    "array": (FieldKind.STRUCTURE,),
    "object": (FieldKind.STRUCTURE,),
}


def of_lists() -> Iterator[Documented]:
    for one in DOCUMENTED:
        is_excused = (one.method, one.part, one.path) in OTHERWISE
        is_listed = one.method in LISTED
        if is_listed and one.part == "answer" and not one.of and not is_excused:
            yield one


def field_of(one: Documented) -> ListedField:
    return LISTED[one.method].listing.fields[one.field]


every_field = pytest.mark.parametrize(
    "one", [*of_lists()], ids=lambda one: f"{one.method}:{one.field}"
)


def test_most_methods_there_are_stand_in_the_table() -> None:
    assert len(HERE) >= 35
    assert len(METHODS) == 62
    assert len(DOCUMENTED) > 1400


@every_field
def test_a_field_of_a_list_is_there_and_of_its_type(one: Documented) -> None:
    field = field_of(one)
    assert field.kind in KINDS[one.type]
    assert field.empty == {"array": [], "object": {}}.get(one.type)
    assert not (one.required and field.nullable)


@every_field
def test_a_field_is_in_the_default_answer_where_it_is_documented_to_be(one: Documented) -> None:
    assert field_of(one).default or not one.default


@pytest.mark.parametrize("declared", EMPTY, ids=[one.name for one in EMPTY])
def test_what_is_always_empty_is_asked_exactly_as_documented(
    declared: ListDeclaration[Any],
) -> None:
    """Fields, filters and orders; the members of arrays and objects may be asked for by name."""
    documented_here = documented(declared.name, "answer", None)
    fields = declared.listing.fields
    parts = {one.field: one for one in documented_here if one.of}
    for name, one in (parts | {one.field: one for one in documented_here if not one.of}).items():
        if one.of and name not in fields:
            continue
        assert (fields[name].filterable, fields[name].sortable) == (one.filter, one.sort), name
        assert fields[name].default == (one.default and not one.of), name
        assert not fields[name].known, name
    others = {*fields} - {one.field for one in documented_here}
    assert others <= {"source", "utm_referrer"}, "a published client asks for these"


@pytest.mark.parametrize("name", [name for name in LISTED if name in METHODS])
def test_what_a_field_is_made_of_is_declared(name: str) -> None:
    """The members of arrays and objects; of what is unknown there are none."""
    for one in documented(name, "answer"):
        field = LISTED[name].listing.fields[one.field]
        if not field.known:
            continue
        for part in documented(name, "answer", one.path):
            assert part.field in field.members, part.path
            assert field.members[part.field].kind in KINDS[part.type], part.path


@pytest.mark.parametrize("name", HERE)
def test_what_is_documented_of_a_request_is_taken(name: str) -> None:
    declared = DECLARED[name]
    taken = {*declared.params.model_fields}
    taken |= {"access_token"} if declared.takes_token else set()
    taken |= {"user_id"} if declared.takes_user_id else set()
    sent = {one.field: one for one in documented(name, "request")}
    assert {*sent} <= taken
    for field, known in declared.params.model_fields.items():
        if known.is_required():
            assert sent[field].required, f"{field} is needed here, and nowhere else"


@pytest.mark.parametrize("name", [name for name in HERE if name not in LISTED])
def test_what_is_documented_of_a_result_is_told(name: str) -> None:
    result = documented(name, "answer")
    schema = TypeAdapter(DECLARED[name].result).json_schema()
    if not result:
        assert not schema.get("properties")
        return
    for one in result:
        told = schema["properties"][one.field]["type"]
        assert told == {"number": "integer"}.get(one.type, one.type), one.field
    assert {one.field for one in result} <= {*schema["required"]}


def test_what_is_excused_is_documented_and_has_a_reason() -> None:
    known = {(one.method, one.part, one.path) for one in DOCUMENTED}
    assert {*OTHERWISE} <= known
    assert all(OTHERWISE.values())


GOOD = {
    "id": 1,
    "name": "hello",
    "duration": 6,
    "play_link": "https://calls.example.com/media/1",
    "normalization": True,
    "size": 32044,
    "type": "user",
}


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"id": 1.0}, "id is 1.0"),
        ({"id": True}, "id is True"),
        ({"id": "1"}, "id is '1'"),
        ({"name": 5}, "name is 5"),
        ({"duration": 6.113}, "duration is 6.113"),
        ({"normalization": 1}, "normalization is 1"),
    ],
)
def test_the_decoder_is_strict(wrong: dict[str, object], fault: str) -> None:
    decode("get.media_files", GOOD)
    with pytest.raises(WrongType, match=fault):
        decode("get.media_files", {**GOOD, **wrong})


EMPLOYEE: dict[str, object] = {
    one.field: {"array": [], "object": {}}.get(one.type)
    for one in documented("get.employees", "answer")
}


def test_the_decoder_misses_what_is_not_there() -> None:
    with pytest.raises(WrongType, match="no key id"):
        decode("get.media_files", {})
    with pytest.raises(WrongType, match="phone_id"):
        decode("get.employees", {**EMPLOYEE, "phone_numbers": [{}]})


def test_a_template_may_name_what_reports_do_not_know_either() -> None:
    """One made for the published service is taken as it is."""
    fields = LISTED["get.calls_report"].listing.fields
    unknown = [name for name, field in fields.items() if not field.known]
    assert len(unknown) > 50
    read_template_of(json.dumps({name: f"{{{{{name}}}}}" for name in unknown}), Verb.POST)
    assert not {*WITHOUT_VALUE} & {*OWN, *FACTS}
