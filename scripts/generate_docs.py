#!/usr/bin/env python
"""Write the docs that come from the definitions in the code.

In docs/sandbox.md and docs/webhooks.md only the tables do.

``--check`` writes nothing and fails where a file is not what would be written.
"""

import argparse
import dataclasses
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from callwright.calls.state import LIVE, TRANSITIONS, State
from callwright.methods.api_error import ApiError
from callwright.methods.data.list_fields import ListedField, Listing
from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.data.registry import DATA_CATALOGUE
from callwright.methods.errors import ERRORS
from callwright.methods.method import Declaration
from callwright.methods.registry import CATALOGUE
from callwright.public_events.catalogue import CATALOGUE as EVENTS
from callwright.public_events.parameters import FACTS as EVENT_FACTS
from callwright.public_events.parameters import OWN as OWN_PARAMETERS
from callwright.public_events.parameters import WITHOUT_VALUE
from callwright.public_events.payloads import LegPayload, Payload
from callwright.public_events.timeline import TIMELINE_ONLY
from callwright.query import OPERATORS, FieldKind, Operator
from callwright.rpc.openrpc import COMMON, OF_REQUESTS, OF_TOKENS, TOKEN_DESCRIPTION, describe
from callwright.sandbox.methods import DECLARATIONS as OF_SANDBOX
from callwright.sandbox.numbers import FAMILIES
from compatibility_docs import compatibility
from sip_state_docs import sip_states

BLOCK = "<!-- Made by scripts/generate_docs.py from "
BLOCK_END = "<!-- end -->"
DOCS = Path(__file__).parents[1] / "docs"
NOTE = "<!-- Made by scripts/generate_docs.py; edit the definitions in src/callwright/methods. -->"
EVENTS_NOTE = (
    "<!-- Made by scripts/generate_docs.py; edit src/callwright/public_events/*payloads.py. -->"
)
EVENTS_HEAD = """\
What the account is told of its calls. An event is a fact, told in order, in one shape:

```json
{
  "event_id": "4294967296-7",
  "type": "leg.answered",
  "sequence": 7,
  "time": "2026-05-01T12:00:04.250Z",
  "call_session_id": 4294967296,
  "external_id": "334otr01",
  "data": {"leg_id": 4294967297, "role": "contact", "...": "..."}
}
```

`event_id` is the same whenever and however often the event is told: whoever has seen it may drop
it. `sequence` puts the events of one session in order; numbers are missing in it where something
happened that only the timeline of `get.call` shows. `time` is when it happened, in UTC.
`external_id` is what the client gave the session at its start, or null.

New types and new facts are added in time; what is here stays. Durations are whole seconds, halves
rounded up, numbers E.164 digits without `+` or SIP numbers."""
REPEATS = (
    "With the header `Idempotency-Key` (1 to 255 visible ASCII characters) a request may be sent "
    "again: within 24 hours the same key with the same parameters begins no second call and is "
    "given the first result, with `metadata.idempotent_replayed: true`. A request that failed may "
    "be sent again with its key. A replay takes a point, like any request that succeeds."
)

LISTS = """\
Methods that give a list take the same parameters, and answer with `metadata.total_items`: how many
rows there are without `limit` and `offset`.

Null for a parameter that is not required means that it is not given, unless the parameter says what
null means: in methods that change something it takes away what may be without, such as a coach.

- `fields` names what is shown; left out, the fields are that the list marks as *default*.
- `sort` is `[{"field": "name", "order": "desc"}]`. Null comes before everything else.
- `filter` is a comparison, `{"field": "id", "operator": ">", "value": 5}`, or a tree:
  `{"filters": [...], "condition": "and"}`, where `or` is the other condition and filters may be
  trees again. A tree has at most 100 comparisons and 20 levels; of more the error
  `error` says how many were sent.
- Null is compared by `=` and `!=`. A field that is null differs from every value, and no other
  operator holds for it. Texts are compared by case, and ordered by the code points of Unicode.
- In `like`, `%` stands for any characters and `_` for one; a backslash before them takes that away.
  `regexp` takes expressions of [RE2](https://github.com/google/re2/wiki/Syntax), POSIX classes
  included, without references back and look-around; it is found anywhere in a text unless anchored.
- What is in an array or an object is filtered by `jsquery`, in the language of that extension of
  PostgreSQL: `{"field": "tags", "operator": "jsquery", "value": "#.tag_id = 7"}`. A path of names,
  `#` (any element), `%` (any key) and `*` (anything) leads to a value; `=`, `!=`, `<`, `>`, `<=`,
  `>=`, `IN (…)` and `= *` (it is there) say what it is; `AND`, `OR`, `NOT` and brackets join them.
  Equal to null is what is empty.
- Moments are shown as `YYYY-MM-DD hh:mm:ss` in the account's time zone, and compared by whole
  seconds. They are also taken without seconds or a time of day, and as ISO 8601 with a zone.
- Words (`DESC`, `AND`, `IN`) may be in any case, numbers and booleans may be strings. An empty
  `filter`, `fields` or `filters` is as none.
- What nothing is known of is null: `=` null finds every row, any other comparison none.

Of every list there is a table of its fields: their types; whether a field may be *null*; what the
list may be *filtered* and *sorted* by; and what is in the *default* answer."""

Schema = dict[str, Any]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="fail where a file is stale")
    check = arguments.parse_args().check
    stale = False
    files = {
        "api.md": api(),
        "data-api.md": data_api(),
        "errors.md": errors(),
        "states.md": states(),
        "sip-states.md": sip_states(),
        "events.md": events(),
        "sandbox.md": sandbox(),
        "webhooks.md": webhooks(),
        "compatibility.md": compatibility(),
    }
    for name, lines in files.items():
        file, text = DOCS / name, "\n".join(lines) + "\n"
        if not check:
            DOCS.mkdir(exist_ok=True)
            file.write_text(text, "utf-8")
        elif not file.exists() or file.read_text("utf-8") != text:
            print(f"docs/{name} is stale. Run: python scripts/generate_docs.py", file=sys.stderr)
            stale = True
    return int(stale)


def api() -> Iterator[str]:
    """docs/api.md: every method with its parameters, its result and its errors."""
    yield from (NOTE, "", "# Methods", "")
    yield "`POST /v4.0`, one JSON-RPC 2.0 request per HTTP request; the answer is always HTTP 200."
    yield "Types are strict; null for a parameter that is not required means that it is not given."
    yield "The same for programs: `GET /openrpc.json`."
    yield ""
    yield from _methods(CATALOGUE)


def data_api() -> Iterator[str]:
    """docs/data-api.md: how lists are asked, and every method of the Data API."""
    yield from (NOTE, "", "# Methods of the Data API", "")
    yield "`POST /v2.0`, one JSON-RPC 2.0 request per HTTP request, with the tokens and the limits"
    yield "of `/v4.0`. The same for programs: `GET /v2.0/openrpc.json`."
    yield from ("", LISTS, "")
    yield from _table("Type of the field", *(f"`{operator}`" for operator in Operator))
    for kind, operators in OPERATORS.items():
        yield _row(kind.value, *("●" if one in operators else "" for one in Operator))
    yield ""
    yield from _methods(DATA_CATALOGUE)


def _fields(listing: Listing, schema: Schema, schemas: Schema) -> Iterator[str]:
    """What the rows of a list have."""
    fields = listing.fields.values()
    if not any(field.known for field in fields):
        yield from _asked_of_nothing(listing)
        return
    yield from ("Rows (`result.data`):", "")
    yield from _table("Field", "Type", "Null", "Filter", "Sort", "Default", "")
    for name, field in listing.fields.items():
        if field.known:
            yield from _field(field, schema[name], schemas)
    yield ""
    nothing: tuple[object, ...] = ([], {}, None)
    for empty in nothing:
        names = [
            name
            for name, field in listing.fields.items()
            if not field.known and field.empty == empty
        ]
        if names:
            told = ", ".join(f"`{name}`" for name in names)
            shown = "null" if empty is None else f"`{json.dumps(empty)}`"
            yield f"Also of the published API; nothing is known of them here: {told}."
            yield from (f"They are {shown}, and taken for null by filters.", "")


def _asked_of_nothing(listing: Listing) -> Iterator[str]:
    """What may be asked of a list that is always empty."""
    fields = listing.fields.values()
    for what, names in (
        ("Fields", [one.name for one in fields]),
        ("Of them in the default answer", listing.defaults),
        ("Filtered by", [one.name for one in fields if one.filterable]),
        ("Sorted by", [one.name for one in fields if one.sortable]),
    ):
        yield from (f"{what}: {', '.join(f'`{name}`' for name in names)}.", "")


def _field(field: ListedField, schema: Schema, schemas: Schema) -> Iterator[str]:
    """The row of a field, and those of its members."""
    marks = (field.nullable, field.filterable, field.sortable, field.default)
    is_moment = field.kind is FieldKind.MOMENT
    yield _row(
        f"`{field.name}`",
        _field_type(schema, schemas, field.kind),
        *("●" if mark else "" for mark in marks),
        "" if is_moment else str(schema.get("description", "")),
    )
    yield from _members_of(field.name, schema, schemas)


def _members_of(name: str, schema: Schema, schemas: Schema) -> Iterator[str]:
    plain = _plain(schema, schemas)
    plain = _plain(plain.get("items", plain), schemas)
    for member, part in plain.get("properties", {}).items():
        null = {"type": "null"} in part.get("anyOf", ())
        described = str(part.get("description", ""))
        yield _row(
            f"`{name}.{member}`",
            _type(_plain(part, schemas), schemas),
            "●" if null else "",
            *("", "", ""),
            described,
        )
        yield from _members_of(f"{name}.{member}", part, schemas)


def _field_type(schema: Schema, schemas: Schema, kind: FieldKind) -> str:
    """The kind of a field, or the values it may have, or what a structure is made of."""
    plain = _plain(schema, schemas)
    if "enum" in plain or "const" in plain or kind is FieldKind.STRUCTURE:
        return _type(plain, schemas)
    return kind.value


def _methods(catalogue: Sequence[Declaration[Any]]) -> Iterator[str]:
    described = describe(catalogue, version="")
    schemas = described["components"]["schemas"]
    for method, shown in zip(catalogue, described["methods"], strict=True):
        yield from _method(method, shown, schemas)


def errors() -> Iterator[str]:
    """docs/errors.md: every error, when it is raised, and by which methods."""
    yield from (NOTE, "", "# Errors", "")
    yield "Branch on `error.data.mnemonic`. `error.data.field` names the parameter to blame, if one"
    yield "is, and `error.data.value` what was sent for it (but for tokens and passwords)."
    yield ""
    yield from _table("Mnemonic", "Code", "Message", "When", "Methods")
    for error in (one for each in ERRORS.values() for one in (each, *each.variants.values())):
        yield _row(
            f"`{error.mnemonic}`",
            _codes(error),
            error.message,
            " ".join((error.__doc__ or "").split()).replace("``", "`"),
            _raised_by(error),
        )


def states() -> Iterator[str]:
    """docs/states.md: the states of a session, and which method is allowed in which."""
    yield from (NOTE, "", "# States of a session", "", "```mermaid", "stateDiagram-v2")
    yield f"    [*] --> {State.SESSION}"
    for state, followers in TRANSITIONS.items():
        for follower in sorted(followers, key=list(State).index):
            yield f"    {state} --> {follower}"
    yield from (f"    {State.FINISHING} --> [*]", "```", "")
    for state in State:
        lines = inspect.getsource(State).split(f"{state.name} = ", 1)[1].splitlines()
        meaning = lines[1].strip().strip('"')
        yield f"- **{state}**: {meaning}"
    yield ""
    yield "A is the contact, B the employee or operator, C a third party. In any other state than"
    yield "those marked a method is answered `invalid_state`."
    yield ""
    live = [state for state in State if state in LIVE]
    yield from _table("Method", *live)
    for method in CATALOGUE:
        if method.states:
            marks = ("●" if state in method.states else "" for state in live)
            yield _row(f"`{method.name}`", *marks)


TIMELINE = """\
## The timeline of get.call

`get.call` shows the same facts under the same names: each entry of its `timeline` has `type`,
`sequence`, `time` (as here, in UTC), `offset` (seconds since the session began) and the facts of
its type, but for those of every event, which stand in the call. There are also, with the facts of a
leg, types that are told to nobody, for there are too many of them:
"""


def events() -> Iterator[str]:
    """docs/events.md: every public event, and the facts it carries."""
    yield from (EVENTS_NOTE, "", "# Events", "", *EVENTS_HEAD.splitlines())
    yield from ("", "## The types", "", *_table("Type", "When"))
    for event in EVENTS:
        yield _row(f"[`{event.type}`](#{event.type.replace('.', '')})", _docstring(event)[0])
    yield from ("", *TIMELINE.splitlines(), "", *_table("Type", "When"))
    for event in TIMELINE_ONLY:
        own = ", ".join(f"`{name}`" for name in _own(event))
        yield _row(f"`{event.type}`", f"{_docstring(event)[0]} {own}".strip())
    yield from ("", "## Facts of every event", "", *_facts(Payload))
    yield from ("", "## Facts of every event of a leg", "", *_facts(LegPayload))
    for event in EVENTS:
        yield from ("", f"## {event.type}", "", *_docstring(event))
        if issubclass(event, LegPayload):
            yield from ("", "With the facts of a leg.")
        if facts := [*_facts(event)]:
            yield from ("", *facts)


def _facts(event: type[Payload]) -> Iterator[str]:
    """A table of an event's own facts; nothing if it has none."""
    schema = TypeAdapter(event).json_schema()
    schemas = schema.get("$defs", {})
    own = {name: schema["properties"][name] for name in _own(event)}
    if own:
        yield from _table("Fact", "Type", "")
    for name, fact in own.items():
        yield from _fact(name, fact, schemas)


def _own(event: type[Payload]) -> list[str]:
    """The names of an event's own facts."""
    parents = {field.name for base in event.__mro__[1:-1] for field in dataclasses.fields(base)}
    return [field.name for field in dataclasses.fields(event) if field.name not in parents]


def _fact(name: str, fact: Schema, schemas: Schema) -> Iterator[str]:
    """The row of a fact, and those of its members."""
    description = " ".join(fact.get("description", "").replace("``", "`").split())
    yield _row(f"`{name}`", _type(fact, schemas), description)
    for member, part in _plain(fact, schemas).get("properties", {}).items():
        yield from _fact(f"{name}.{member}", part, schemas)


def _docstring(event: type[Payload]) -> list[str]:
    return (inspect.getdoc(event) or "").splitlines()


def sandbox() -> Iterator[str]:
    """docs/sandbox.md, as it is, with what stands in it of the code made anew."""
    return _with_blocks("sandbox.md", {"numbers": _numbers, "methods": _sandbox_methods})


def webhooks() -> Iterator[str]:
    """docs/webhooks.md, likewise."""
    return _with_blocks("webhooks.md", {"parameters": _parameters})


def _with_blocks(name: str, blocks: Mapping[str, Callable[[], Iterator[str]]]) -> Iterator[str]:
    old = False
    for line in (DOCS / name).read_text("utf-8").splitlines():
        old &= line != BLOCK_END
        if not old:
            yield line
        if line.startswith(BLOCK):
            old = True
            yield from ("", *blocks[line.removesuffix(" -->").rpartition(" ")[2]](), "")


def _parameters() -> Iterator[str]:
    """What templates of webhooks may name."""
    yield from _table("Parameter", "", "Events")
    for name, parameter in OWN_PARAMETERS.items():
        yield _row(f"`{name}`", parameter.meaning, "all")
    for name, types in EVENT_FACTS.items():
        owner = next(
            base
            for base in (Payload, LegPayload, types[0])
            if name in {field.name for field in dataclasses.fields(base)}
        )
        schema = TypeAdapter(owner).json_schema()["properties"][name]
        # What one type says of it need not be so of another.
        told = schema.get("description", "") if owner is not types[0] or len(types) == 1 else ""
        events = {Payload: "all", LegPayload: "all of a leg"}.get(
            owner, ", ".join(f"`{one.type}`" for one in types)
        )
        yield _row(f"`{name}`", " ".join(told.replace("``", "`").split()), events)
    for name in WITHOUT_VALUE:
        yield _row(
            f"`{name}`", "Null: of the published service, and nothing is known of it.", "all"
        )


def _numbers() -> Iterator[str]:
    yield from _table("FF", "The phone", "For example", "")
    for family in FAMILIES:
        yield _row(family.code, family.does, f"`{family.number}`", family.shows)


def _sandbox_methods() -> Iterator[str]:
    described = describe(OF_SANDBOX, version="")
    schemas = described["components"]["schemas"]
    lines: list[str] = []
    for method, shown in zip(OF_SANDBOX, described["methods"], strict=True):
        heading, *rest = _method(method, shown, schemas)
        lines += [f"#{heading}", *rest]
    yield from lines[:-1]


def _method(method: Declaration[Any], shown: Schema, schemas: Schema) -> Iterator[str]:
    yield from (f"## {method.name}", "", method.summary, "")
    if method.component:
        yield from (f"Component: {method.component.value}.", "")
    if method.never_refused:
        yield "It takes a point like every method, but is served where none is left."
        yield ""
    if method.takes_idempotency_key:
        yield from (REPEATS, "")
    yield from _table("Parameter", "Type", "Default", "")
    if method.takes_token:
        yield _row("`access_token`", "string", "required", TOKEN_DESCRIPTION)
    params = {param["name"]: param for param in shown["params"]}
    # In the order of the model, behind what belongs to every method.
    common = [name for name in params if name not in {"access_token", *method.params.model_fields}]
    for name in (*common, *method.params.model_fields):
        schema = params[name]["schema"] | {"description": params[name].get("description", "")}
        yield from _rows(name, schema, params[name]["required"], schemas)
    yield ""
    result = shown["result"]["schema"]["properties"]["data"]
    if isinstance(method, ListDeclaration):
        yield from _fields(method.listing, _plain(result["items"], schemas)["properties"], schemas)
    elif result:
        yield from ("Result (`result.data`):", "")
        yield from ("```", *_shape(result, schemas, ""), "```", "")
    if method.errors:
        own = ", ".join(f"`{mnemonic}`" for mnemonic in method.errors)
        yield from (f"Errors of its own: {own}. All are in [errors.md](errors.md).", "")


def _rows(name: str, schema: Schema, required: bool, schemas: Schema) -> Iterator[str]:
    """The row of a parameter, and those of its members; ``[]``: of each of an array."""
    plain = _plain(schema, schemas)
    default = json.dumps(schema["default"]) if schema.get("default") is not None else ""
    yield _row(
        f"`{name}`",
        _type(plain, schemas),
        "required" if required else default,
        str(schema.get("description") or plain.get("description") or ""),
    )
    if plain.get("type") == "array":
        name, plain = f"{name}[]", _plain(plain.get("items", {}), schemas)
    for member, part in plain.get("properties", {}).items():
        yield from _rows(f"{name}.{member}", part, member in plain.get("required", ()), schemas)


def _shape(schema: Schema, schemas: Schema, indent: str, label: str = "") -> Iterator[str]:
    """A result drawn as indented names and types."""
    plain = _plain(schema, schemas)
    if plain.get("type") == "array":
        items = _plain(plain.get("items", {}), schemas)
        if "properties" in items:
            yield from _members(items, schemas, indent, f"{label}[", "]")
            return
    if "properties" in plain:
        yield from _members(plain, schemas, indent, f"{label}{{", "}")
        return
    described = f"  # {schema['description']}" if "description" in schema else ""
    yield f"{indent}{label}{_type(schema, schemas)}{described}"


def _members(
    plain: Schema, schemas: Schema, indent: str, opening: str, closing: str
) -> Iterator[str]:
    yield f"{indent}{opening}"
    for name, part in plain["properties"].items():
        yield from _shape(part, schemas, indent + "  ", f"{name}: ")
    yield f"{indent}{closing}"


def _plain(schema: Schema, schemas: Schema) -> Schema:
    """What stands behind a reference, or beside null."""
    if "$ref" in schema:
        return _plain(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    rest = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    return _plain(rest[0], schemas) if len(rest) == 1 else schema


def _type(schema: Schema, schemas: Schema) -> str:
    """A type in the words of the contract: JSON's, or the values allowed."""
    nullable = {"type": "null"} in schema.get("anyOf", ())
    plain = _plain(schema, schemas)
    if "const" in plain or "enum" in plain:
        words = [plain["const"]] if "const" in plain else plain["enum"]
        shown = ", ".join(json.dumps(word, ensure_ascii=False) for word in words)
    elif plain.get("type") == "array":
        shown = f"array of {_type(plain.get('items', {}), schemas)}"
    else:
        name = str(plain.get("type", "any"))
        shown = "number" if name == "integer" else name
    return f"{shown} or null" if nullable else shown


def _codes(error: type[ApiError]) -> str:
    others = (f"{code} in {method}" for method, code in error.code_in.items())
    return "; ".join((str(error.code), *others))


def _raised_by(error: type[ApiError]) -> str:
    if error in OF_REQUESTS:
        return "any request"
    if error in COMMON:
        return "all"
    if error in OF_TOKENS:
        return "all with a token"
    return ", ".join(
        method.name
        for method in {method.name: method for method in (*CATALOGUE, *DATA_CATALOGUE)}.values()
        if error.mnemonic in method.errors
        and ERRORS[error.mnemonic].of_method(method.name) is error
    )


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield _row(*("---" for _ in titles))


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
