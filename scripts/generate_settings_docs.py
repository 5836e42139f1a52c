#!/usr/bin/env python
"""Write docs/settings.md from the settings themselves: names, types, defaults, descriptions.

``--check`` writes nothing and fails where the file is not what would be written.
"""

import argparse
import ast
import itertools
import sys
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from callwright import config
from callwright.config import Settings

FILE = Path(__file__).parents[1] / "docs" / "settings.md"

Schema = Mapping[str, Any]

# What each section is about; the fields say the rest themselves.
SECTIONS = {
    "http": "Where the API listens.",
    "api": "What the API takes, and how much of it.",
    "calls": "How long phones are rung and people talk, and how many at once.",
    "sip": "Where SIP and RTP go out and come in, over UDP, TCP and TLS; see [sip.md](sip.md).",
    "media": "Audio on the line, and files that are uploaded.",
    "speech": "Spoken texts.",
    "prices": "What calls cost, for get.financial_call_legs_report.",
    "prompts": "What the service itself says.",
    "webhooks": "Events that are told to URLs of the account's; see [webhooks.md](webhooks.md).",
    "history": "How long it is kept what has happened; what is older is removed within an hour.",
    "hooks": "Requests to URLs of customers': where scenarios ask which way a call goes.",
    "metrics": "Who may see `GET /metrics`; see [watching.md](watching.md).",
    "traces": "Traces of calls, for OpenTelemetry.",
    "console": "The web console; see [console.md](console.md).",
}

FORMATS = {
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
    "ipv4network": "IPv4 network",
    "ipv6network": "IPv6 network",
    "path": "path",
}
NETWORKS = (IPv4Network, IPv6Network)

START = """\
<!-- Made by scripts/generate_settings_docs.py; edit the settings in src/callwright/config.py. -->

# Settings

One TOML file, `callwright.toml`. A command finds it by `--config`, else by the environment variable
`CALLWRIGHT_CONFIG`, else in the working directory; without one, everything has its default. A
setting that does not exist is a fault, as is a value out of its range: nothing starts then, and
every fault is told with its line. A running service reads its settings once, at its start.

What an account owns (numbers, people, trunks, messages) is not here but in the
[directory file](directory-file.md)."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="fail where the file is stale")
    text = "\n".join(page()) + "\n"
    if not arguments.parse_args().check:
        FILE.write_text(text, "utf-8")
    elif not FILE.exists() or FILE.read_text("utf-8") != text:
        print("docs/settings.md is stale. Run: scripts/generate_settings_docs.py", file=sys.stderr)
        return 1
    return 0


def page() -> Iterator[str]:
    """The lines of docs/settings.md."""
    schema = Settings.model_json_schema()
    yield from (START, "", "## At the top of the file", "")
    told = _descriptions()
    yield from _table(Settings(), schema["properties"], told["Settings"])
    for name, value in Settings():
        if isinstance(value, BaseModel):
            kind = type(value).__name__
            yield from ("", f"## [{name}]", "", SECTIONS[name], "")
            yield from _table(value, schema["$defs"][kind]["properties"], told[kind])


def _descriptions() -> dict[str, dict[str, str]]:
    """What stands under each field of each class of the settings."""
    tree = ast.parse(Path(config.__file__).read_text("utf-8"))
    return {
        made.name: {
            field.target.id: text
            for field, below in itertools.pairwise(made.body)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if isinstance(text := below.value.value, str)
        }
        for made in tree.body
        if isinstance(made, ast.ClassDef)
    }


def _table(
    defaults: BaseModel, fields: Mapping[str, Schema], told: Mapping[str, str]
) -> Iterator[str]:
    yield "| Setting | Value | Default | |"
    yield "|---|---|---|---|"
    for name, value in defaults:
        if not isinstance(value, BaseModel):
            field = fields[name]
            description = " ".join(told.get(name, "").split())
            yield f"| `{name}` | {_type(field)} | {_default(value)} | {description} |"


def _type(field: Schema) -> str:
    if "anyOf" in field:
        kinds = [_type(kind) for kind in field["anyOf"] if kind.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    match field["type"]:
        case "array" if "prefixItems" in field:
            return f"list of {len(field['prefixItems'])}: {_type(field['prefixItems'][0])}"
        case "array" if "$ref" in field["items"]:
            return "list of tables"
        case "array":
            return f"list: {_type(field['items'])}"
        case "string":
            return FORMATS.get(field.get("format", ""), "text")
        case "boolean":
            return "`true` or `false`"
        case kind:
            return {"integer": "whole number", "number": "number"}[kind] + _range(field)


def _range(field: Schema) -> str:
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    above = "more than " if "exclusiveMinimum" in field else ""
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f", {above or 'at least '}{low:g}"
        case _:
            return f", {above}{low:g} to {high}"


def _default(value: object) -> str:
    match value:
        case None:
            return "unset"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple() | list():
            plain = [str(one) if isinstance(one, NETWORKS) else one for one in value]
            return f"`{plain}`"
        case int() | float():
            return f"`{value}`"
        case _:
            return f'`"{value}"`'


if __name__ == "__main__":
    sys.exit(main())
