"""The architecture: who may import whom.

A request goes rpc → methods → calls → engines, and imports go the same way, never against it.
Everything is wired together in ``app.py``, which therefore may import everything.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "callwright"

# Part of the package → what it may import of callwright, beside itself. A name stands for the
# module and all below it. The longest matching name on the left is the rule of a module; a module
# without a rule fails, so that a new part gets one.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    # Where in a TOML file something stands.
    "config": ("config_faults", "directory.lines"),
    "config_faults": ("directory.lines",),
    "background": (),
    "clock": (),
    "figures": (),
    "logs": (),
    "pattern": (),
    "query": (),
    "requests": ("directory",),
    "directory": ("engines.network", "engines.port"),
    # Webhooks of the file name events and their facts; what says which there are, knows no storage.
    "directory.webhook_checks": (
        "directory",
        "notify.catalogue",
        "notify.parameters",
        "notify.template",
    ),
    "engines": (),
    "engines.network": (),
    "engines.port": ("engines.network",),
    "engines.far_end": ("engines.port",),
    "engines.simulated": (
        "engines.far_end",
        "engines.network",
        "engines.port",
        "engines.simulated_hearing",
        "engines.simulated_recording",
    ),
    "engines.simulated_hearing": ("engines.far_end", "engines.port"),
    "engines.simulated_recording": (),
    "engines.media": ("engines.port", "figures", "logs"),
    "engines.sip": (
        "engines.network",
        "engines.port",
        "engines.media.media",
        "figures",
        "config",
    ),
    # SIP by the layers of RFC 3261, from the wire upwards; what stands beside them uses them all.
    # The table of codecs is what SDP talks about.
    "engines.sip.wire": ("engines.media.media", "engines.media.codec"),
    "engines.sip.transport": ("engines.sip.wire", "config"),
    "engines.sip.transaction": ("engines.sip.transport", "engines.sip.wire"),
    "engines.sip.dialog": (
        "engines.sip.transaction",
        "engines.sip.transport",
        "engines.sip.wire",
        "engines.media.media",
        "engines.network",
        "engines.port",
    ),
    "engines.sip.admission": (
        "engines.sip.dialog",
        "engines.sip.transaction",
        "engines.sip.wire",
        "engines.network",
    ),
    "engines.sip.trunks": (
        "engines.sip.admission",
        "engines.sip.dialog",
        "engines.sip.transaction",
        "engines.sip.wire",
        "engines.network",
    ),
    "calls": ("engines.port", "clock", "figures"),
    # Spoken audio goes through the normaliser of uploaded audio, to be equally loud.
    "speech": ("calls.plan", "directory.audio", "engines.port", "config"),
    "storage": (
        "directory",
        "pattern",
        "query",
        "requests",
        "calls.plan",
        "calls.events",
        "calls.journal",
        "calls.source",
        "calls.state",
        "engines.network",
        "engines.port",
        "clock",
        "figures",
    ),
    "hooks": (),
    "downloads": (),
    "methods": (
        "hooks",
        "downloads",
        "calls",
        "directory",
        "engines.port",
        "config",
        "pattern",
        "query",
    ),
    # What happens in calls is stored first, and told to the outside from there.
    "notify": (
        "storage",
        "hooks",
        "clock",
        "figures",
        "calls.plan",
        "calls.events",
        "directory",
        "engines.port",
        "config",
    ),
    "notify.catalogue": (
        "notify.payloads",
        "notify.notice",
        "calls",
        "directory.model",
        "engines.port",
    ),
    "notify.parameters": (
        "notify.catalogue",
        "notify.payloads",
        "notify.notice",
        "notify.template",
        "directory.webhook",
    ),
    # How long a template may be.
    "notify.template": ("directory.webhook",),
    # Whoever watches hears what has been written, and is asked for by whoever looks.
    "watch": ("storage", "calls.plan", "calls.events", "engines.port", "figures"),
    "rpc": ("requests", "methods", "notify", "downloads", "directory", "calls.plan", "config"),
}
MAY_IMPORT_EVERYTHING = ("app", "wiring", "sandbox", "cli", "__main__", "pytest_plugin")

# Part of the package → what it may not import from outside, and why.
MAY_NOT_IMPORT: dict[str, tuple[tuple[str, ...], str]] = {
    "calls": (
        ("asyncio", "socket", "threading", "time", "sqlalchemy", "starlette", "pydantic"),
        "a call waits through anyio alone, so that its stories can be told on a test's clock",
    ),
    "engines.network": (("asyncio", "anyio", "socket"), "these are words of the port"),
    "engines.port": (("asyncio", "anyio", "socket"), "the port is a page of words"),
    **{
        f"engines.sip.{layer}": (
            ("asyncio", "anyio", "socket", "threading", "time"),
            "a protocol takes bytes and the time, so that its tests need neither sleep nor socket",
        )
        for layer in ("wire", "transaction", "dialog", "admission")
    },
    "methods": (("sqlalchemy", "starlette", "socket"), "a method knows plans and the directory"),
}


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement's target, as a full dotted name."""

    target: str
    line: int


def within(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


def rule_of(module: str) -> str | None:
    """The longest name of `MAY_IMPORT` that covers ``module``."""
    return max((part for part in MAY_IMPORT if within(module, part)), key=len, default=None)


def imports(source: str, package: str) -> Iterator[Import]:
    """Every import of a module, in functions and under TYPE_CHECKING too.

    ``package``: the full name of the package the module is in, for relative imports.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield Import(name.name, node.lineno)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                start = ".".join([*base, *([module] if module else [])])
                for name in names:
                    # `from callwright.engines import port` takes a module, not a name in one.
                    yield Import(f"{start}.{name.name}", node.lineno)


def faults(module: str, source: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and reason of every import in ``module`` that goes against the rules.

    ``module``: dotted name below callwright; empty for the package itself.
    """
    whole = f"callwright.{module}".rstrip(".")
    package = whole if is_package else whole.rpartition(".")[0]
    found = list(imports(source, package))

    for part, (names, reason) in MAY_NOT_IMPORT.items():
        if within(module, part):
            for imported in found:
                if any(within(imported.target, name) for name in names):
                    yield imported.line, f"{part} may not import {imported.target}: {reason}"

    if any(within(module, part) for part in MAY_IMPORT_EVERYTHING):
        return
    rule = rule_of(module)
    for imported in found:
        if not within(imported.target, "callwright"):
            continue
        target = imported.target.removeprefix("callwright").lstrip(".")
        if rule is None:
            yield imported.line, f"no rule says what {module or 'callwright'} may import"
        elif not any(within(target, part) for part in (rule, *MAY_IMPORT[rule])):
            allowed = ", ".join(MAY_IMPORT[rule]) or "nothing"
            yield imported.line, f"{rule} may import {allowed} of callwright, not {target}"


def test_every_import_goes_along_the_way_of_a_request() -> None:
    found = []
    for file in sorted(SOURCE.rglob("*.py")):
        parts = file.relative_to(SOURCE).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        found += [
            f"{file.relative_to(SOURCE.parents[1])}:{line}: {reason}"
            for line, reason in faults(module, file.read_text("utf-8"), is_package=is_package)
        ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("calls.session", "from callwright.engines.port import LegId"),
        ("calls.session", "from callwright.engines import port"),
        ("calls.session", "from .plan import Role"),
        ("calls.session", "import anyio"),
        ("methods.start_calls", "from callwright.calls.manager import CallManager"),
        ("engines.sip.engine", "from callwright.engines.media.media import MediaEngine"),
        ("engines.sip.dialog.dialog", "from callwright.engines.sip.wire.hop import Hop"),
        ("engines.sip.user_agent", "from callwright.engines.sip.trunks.trunks import Trunks"),
        ("app", "from callwright.engines.sip.engine import SipEngine"),
    ],
)
def test_imports_along_the_way_are_allowed(module: str, source: str) -> None:
    assert list(faults(module, source)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("calls.session", "from callwright.storage.sessions import SessionStore"),
        ("calls.session", "from callwright.engines.sip.engine import SipEngine"),
        ("calls.session", "from callwright.engines import sip"),
        ("calls.session", "from ..engines.sip import engine"),
        ("calls.session", "def later():\n    import asyncio.events"),
        ("calls.session", "from sqlalchemy.ext.asyncio import AsyncEngine"),
        ("calls.session", "from socket import socket"),
        ("engines.sip.engine", "from callwright.calls.plan import Role"),
        (
            "engines.media.player",
            "if TYPE_CHECKING:\n    from callwright.engines.sip import engine",
        ),
        ("methods.start_calls", "from callwright.rpc.http import HttpApi"),
        ("rpc.http", "from callwright.calls.manager import CallManager"),
        ("engines.sip.dialog.call_leg", "from time import monotonic"),
        ("engines.sip.wire.sdp", "from callwright.engines.sip.dialog.dialog import Dialog"),
        ("engines.sip.transport.udp", "from callwright.engines.sip.transaction import layer"),
        ("engines.sip.transaction.layer", "from callwright.engines.sip.dialog import dialog"),
        ("engines.sip.dialog.dialog", "from callwright.engines.sip.admission import bindings"),
        ("engines.sip.admission.bindings", "from callwright.engines.sip.trunks import trunks"),
        ("engines.sip.trunks.trunks", "from callwright.engines.sip.user_agent import UserAgent"),
        ("novelty.thing", "import callwright.config"),
    ],
)
def test_imports_against_the_way_are_found(module: str, source: str) -> None:
    assert len(list(faults(module, source))) == 1
