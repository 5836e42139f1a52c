"""No two classes of the service share a name: whoever looks for one finds one."""

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "callwright"


def classes(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """The modules in which each class is defined, by its name. ``sources``: texts by module."""
    found = defaultdict(list)
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(module)
    return dict(found)


def shared(sources: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: where for name, where in classes(sources).items() if len(where) > 1}


def test_each_class_has_its_name_alone() -> None:
    sources = {
        str(file.relative_to(SOURCE)): file.read_text("utf-8") for file in SOURCE.rglob("*.py")
    }
    assert len(classes(sources)) > 500
    assert shared(sources) == {}


def test_a_name_for_two_things_is_found() -> None:
    sources = {"one": "class Line: ...", "two": "class Other:\n    class Line: ..."}
    assert shared(sources) == {"Line": ["one", "two"]}
