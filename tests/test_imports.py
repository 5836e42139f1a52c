"""The architecture: who may import whom.

A request goes rpc → methods → calls → engines, and imports go the same way, never against it: each
part of the package names the parts it may import, no part is excused, and no folders import each
other in a circle, at any depth. What puts the parts together (``app``, ``wiring`` and those who
start it) may import everything, and nothing may import it.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "callwright"

# Part of the package → what it may import of callwright, beside itself. A name stands for the
# module and all below it. Every rule that covers a module holds, so that what is said of a folder
# cannot be excused for a file in it; a module without a rule fails, so that a new part gets one.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "accept_loop": ("descriptors",),
    "bounded_table": (),
    "clock": (),
    "descriptors": (),
    "fair_share": ("sources",),
    "file_modes": (),
    "figures": (),
    "logs": (),
    "numbering": (),
    "pattern": (),
    "query": (),
    "sources": (),
    "spoken_text": (),
    "texts": (),
    "toml_lines": (),
    "worker_thread": (),
    "config_faults": ("toml_lines",),
    "config": ("config_faults", "spoken_text", "toml_lines"),
    "downloads": (),
    # Of a call as get.call tells it: the API's JSON; of engines only what Python calls audioop.
    "drawing": ("engines.media.g711", "texts"),
    "hooks": ("spoken_text",),
    "engines": (
        "accept_loop",
        "bounded_table",
        "config",
        "descriptors",
        "fair_share",
        "figures",
        "logs",
        "numbering",
        "sources",
        "worker_thread",
    ),
    "engines.network": (),
    "engines.quality": (),
    "engines.trail": (),
    "engines.port": ("engines.network", "engines.quality", "engines.trail"),
    "engines.simulated": ("engines.network", "engines.port", "engines.trail"),
    "engines.media": ("descriptors", "engines.port", "engines.quality", "figures", "logs"),
    "engines.sip": (
        "accept_loop",
        "bounded_table",
        "config",
        "descriptors",
        "engines.media.codec",
        "engines.media.media",
        "engines.network",
        "engines.port",
        "engines.trail",
        "fair_share",
        "figures",
        "numbering",
        "sources",
        "worker_thread",
    ),
    # SIP by the layers of RFC 3261, from the wire upwards; what stands beside them uses them all.
    # The table of codecs is what SDP talks about.
    "engines.sip.wire": ("engines.media.codec", "engines.media.media", "engines.trail"),
    "engines.sip.transport": (
        "accept_loop",
        "config",
        "descriptors",
        "engines.sip.wire",
        "fair_share",
        "sources",
    ),
    "engines.sip.transaction": ("engines.sip.transport", "engines.sip.wire"),
    "engines.sip.dialog": (
        "engines.media.media",
        "engines.network",
        "engines.port",
        "engines.sip.transaction",
        "engines.sip.wire",
        "engines.trail",
    ),
    "engines.sip.admission": (
        "bounded_table",
        "engines.network",
        "engines.sip.dialog",
        "engines.sip.transaction",
        "engines.sip.wire",
        "numbering",
        "sources",
    ),
    "engines.sip.trunks": (
        "engines.network",
        "engines.sip.admission",
        "engines.sip.dialog",
        "engines.sip.transaction",
        "engines.sip.wire",
    ),
    "calls": ("clock", "engines.port", "engines.quality", "engines.trail", "figures"),
    "directory": ("engines.network", "numbering", "spoken_text", "toml_lines"),
    "api_requests": ("directory",),
    # Spoken audio goes through the normaliser of uploaded audio, to be equally loud.
    "speech": ("calls.plan", "config", "directory.audio", "engines.port"),
    # What the outside is told of calls, in which words, and not how it gets there.
    "public_events": ("calls", "directory", "engines.port", "engines.quality", "toml_lines"),
    "storage": (
        "calls.durations",
        "calls.ending",
        "calls.events",
        "calls.journal",
        "calls.plan",
        "clock",
        "directory",
        "engines.network",
        "engines.port",
        "engines.quality",
        "figures",
        "pattern",
        "query",
        "api_requests",
        "toml_lines",
        "worker_thread",
    ),
    # The directory file: webhooks in it name public events and their facts.
    "provisioning": (
        "directory",
        "numbering",
        "public_events",
        "storage",
        "toml_lines",
    ),
    # What happens in calls is stored first, and told to the outside from there.
    "notify": (
        "calls.events",
        "calls.plan",
        "clock",
        "config",
        "directory",
        "figures",
        "hooks",
        "public_events",
        "storage",
    ),
    # Whoever watches hears what has been written, and is asked for by whoever looks.
    "watch": (
        "calls.durations",
        "calls.events",
        "calls.plan",
        "engines.port",
        "engines.quality",
        "figures",
        "storage",
    ),
    "methods": (
        "bounded_table",
        "calls",
        "config",
        "directory",
        "downloads",
        "engines.port",
        "engines.quality",
        "hooks",
        "numbering",
        "pattern",
        "public_events",
        "query",
        "sources",
        "spoken_text",
    ),
    "rpc": (
        "accept_loop",
        "bounded_table",
        "calls.plan",
        "config",
        "descriptors",
        "directory",
        "downloads",
        "fair_share",
        "methods",
        "notify",
        "public_events",
        "sources",
        "api_requests",
    ),
    # A reader beside rpc: what it shows and changes goes through methods, by rpc's own checks.
    "console": (
        "calls.durations",
        "calls.plan",
        "calls.state",
        "directory",
        "drawing",
        "engines.network",
        "figures",
        "methods",
        "rpc",
        "texts",
    ),
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
    "engines.quality": (("asyncio", "anyio", "socket"), "these are words of the port"),
    "engines.trail": (("asyncio", "anyio", "socket"), "these are words of the port"),
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


def rules_of(module: str) -> list[str]:
    """The names of `MAY_IMPORT` that cover ``module``; the longest last."""
    return sorted((part for part in MAY_IMPORT if within(module, part)), key=len)


@cache
def imports(source: str, package: str) -> Sequence[Import]:
    """Every import of a module, in functions and under TYPE_CHECKING too.

    ``package``: the full name of the package the module is in, for relative imports.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [Import(name.name, node.lineno) for name in names]
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                start = ".".join([*base, *([module] if module else [])])
                # `from callwright.engines import port` takes a module, not a name in one.
                found += [Import(f"{start}.{name.name}", node.lineno) for name in names]
    return found


def faults(module: str, source: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and reason of every import in ``module`` that goes against the rules.

    ``module``: dotted name below callwright; empty for the package itself.
    """
    whole = f"callwright.{module}".rstrip(".")
    package = whole if is_package else whole.rpartition(".")[0]
    found = imports(source, package)

    for part, (names, reason) in MAY_NOT_IMPORT.items():
        if within(module, part):
            for imported in found:
                if any(within(imported.target, name) for name in names):
                    yield imported.line, f"{part} may not import {imported.target}: {reason}"

    if any(within(module, part) for part in MAY_IMPORT_EVERYTHING):
        return
    rules = rules_of(module)
    for imported in found:
        if not within(imported.target, "callwright"):
            continue
        target = imported.target.removeprefix("callwright").lstrip(".")
        if not rules:
            yield imported.line, f"no rule says what {module or 'callwright'} may import"
        for rule in rules:
            if not any(within(target, part) for part in (rule, *MAY_IMPORT[rule])):
                allowed = ", ".join(MAY_IMPORT[rule]) or "nothing"
                yield imported.line, f"{rule} may import {allowed} of callwright, not {target}"
                break


def modules() -> dict[str, str]:
    """Every module of the package by its full name, and its source; packages end in ``.``."""
    found = {}
    for file in sorted(SOURCE.rglob("*.py")):
        parts = ("callwright", *file.relative_to(SOURCE).with_suffix("").parts)
        name = ".".join(parts).removesuffix("__init__")
        found[name] = file.read_text("utf-8")
    return found


def circles(sources: Mapping[str, str]) -> list[str]:
    """Return the circles of folders: for each folder, its sub-folders, and its own files as one.

    ``sources``: as `modules` gives them. At the top every file counts by itself.
    """
    folders = {name.rstrip(".") for name in sources if name.endswith(".")}
    names = {name.rstrip(".") for name in sources}
    arrows: dict[tuple[str, str], str] = {}
    for name, source in sources.items():
        module = name.rstrip(".")
        package = module if name.endswith(".") else module.rpartition(".")[0]
        for imported in imports(source, package):
            target = imported.target
            while target and target not in names:
                target = target.rpartition(".")[0]
            for folder in folders:
                if target and within(module, folder) and within(target, folder):
                    one, other = room(module, folder, folders), room(target, folder, folders)
                    if one != other:
                        arrows.setdefault((one, other), f"{module}:{imported.line}")
    return [
        f"{one} → {other} ({where}) closes a circle"
        for (one, other), where in sorted(arrows.items())
        if one in reached_from(other, arrows)
    ]


def room(module: str, folder: str, folders: Iterable[str]) -> str:
    """The sub-folder of ``folder`` that a module in it lies in, or its own files as one."""
    child = ".".join(module.split(".")[: folder.count(".") + 2])
    if child != folder and (child in folders or folder == "callwright"):
        return child
    return f"{folder}.*"


def reached_from(start: str, arrows: Iterable[tuple[str, str]]) -> set[str]:
    reached = {start}
    while more := {other for one, other in arrows if one in reached} - reached:
        reached |= more
    return reached


def test_no_folders_import_each_other_in_a_circle() -> None:
    assert circles(modules()) == []


def test_every_rule_is_needed() -> None:
    """A rule for what is not there, or that allows what nobody imports, has been forgotten."""
    found = {name.rstrip("."): source for name, source in modules().items()}
    packages = {name.rstrip(".") for name in modules() if name.endswith(".")}
    for rule, allowed in MAY_IMPORT.items():
        whole = f"callwright.{rule}"
        assert any(within(name, whole) for name in found), rule
        for part in allowed:
            assert any(
                within(imported.target, f"callwright.{part}")
                for name, source in found.items()
                if within(name, whole)
                for imported in imports(
                    source, name if name in packages else name.rpartition(".")[0]
                )
            ), f"{rule} may import {part}, and does not"


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
        ("app", "from callwright.engines.sip.engine import SipEngine"),
        ("engines.sip.dialog.dialog", "from callwright.engines.sip.wire.hop import Hop"),
        ("engines.sip.user_agent", "from callwright.engines.sip.trunks.trunks import Trunks"),
    ],
)
def test_imports_along_the_way_are_allowed(module: str, source: str) -> None:
    assert list(faults(module, source)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("calls.session", "from callwright.storage.history.sessions import SessionStore"),
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
        ("novelty.thing", "import callwright.config"),
        ("engines.sip.dialog.call_leg", "from time import monotonic"),
        ("engines.sip.wire.sdp", "from callwright.engines.sip.dialog.dialog import Dialog"),
        ("engines.sip.transport.udp", "from callwright.engines.sip.transaction import layer"),
        ("engines.sip.transaction.layer", "from callwright.engines.sip.dialog import dialog"),
        ("engines.sip.dialog.dialog", "from callwright.engines.sip.admission import bindings"),
        ("engines.sip.admission.bindings", "from callwright.engines.sip.trunks import trunks"),
        ("engines.sip.trunks.trunks", "from callwright.engines.sip.user_agent import UserAgent"),
    ],
)
def test_imports_against_the_way_are_found(module: str, source: str) -> None:
    assert len(list(faults(module, source))) == 1


def test_a_circle_of_folders_is_found() -> None:
    sources = {
        "callwright.": "",
        "callwright.one.": "",
        "callwright.one.a": "from callwright.two.b import thing",
        "callwright.two.": "",
        "callwright.two.b": "import callwright.three",
        "callwright.three": "def later():\n    from callwright.one import a",
    }
    assert len(circles(sources)) == 3
    sources["callwright.three"] = ""
    assert circles(sources) == []


def test_a_circle_within_a_folder_is_found() -> None:
    sources = {
        "callwright.": "",
        "callwright.store.": "",
        "callwright.store.base": "from callwright.store.lists import rows",
        "callwright.store.lists.": "",
        "callwright.store.lists.rows": "from callwright.store.base import open",
    }
    assert len(circles(sources)) == 2
    sources["callwright.store.base"] = ""
    assert circles(sources) == []
