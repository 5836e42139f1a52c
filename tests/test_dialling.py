"""The admission of dialled numbers is the only way to ring somebody: nothing else makes what can be
rung, and nothing else gives it to an engine."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "callwright"


def calls_of(name: str) -> Iterator[str]:
    """The modules that call something of this name."""
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=found) | ast.Attribute(attr=found)) if found == name:
                    yield str(file.relative_to(SOURCE))


def test_only_the_admission_makes_an_address_that_can_be_rung() -> None:
    # `NewType` in the plan declares it: mypy holds every `Target` against that.
    assert set(calls_of("AdmittedAddress")) == {"methods/dialling.py"}


def test_only_a_session_rings_and_only_targets() -> None:
    rings = {file for file in calls_of("ring") if not file.startswith("engines/")}
    assert rings == {"calls/party.py", "calls/ring_group.py", "calls/session.py"}
