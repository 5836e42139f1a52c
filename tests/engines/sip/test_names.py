"""No class of the SIP engine shares its name with another: whoever looks for one finds one."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "src" / "callwright"


def classes(files: Iterator[Path]) -> Iterator[str]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name


def test_each_class_of_the_sip_engine_has_its_name_alone() -> None:
    counted = Counter(classes(SOURCE.rglob("*.py")))
    of_sip = set(classes((SOURCE / "engines" / "sip").rglob("*.py")))
    assert len(of_sip) > 80
    assert {name for name in of_sip if counted[name] > 1} == set()
