"""Mutation testing: which faults are made, which tests are chosen, and what is said of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from mutate import draw
from mutation import trial
from mutation.calls import Calls
from mutation.choice import Choice, Chosen
from mutation.mutants import Mutant, mutants
from mutation.trial import Copy, Fate

SCRIPTS = Path(__file__).parents[2] / "scripts"


def changes(source: str) -> list[str]:
    """What becomes of the lines that mutants change."""
    found = mutants(source.encode(), "calls/age.py")
    assert all(one.is_sound(source.encode()) for one in found)
    return [
        one.applied(source.encode()).decode().splitlines()[one.line - 1].strip() for one in found
    ]


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("x = a < b", ["x = a <= b", "x = a >= b"]),
        ("x = a >= (b)", ["x = a < (b)", "x = a > (b)"]),
        ("x = a == b", ["x = a != b"]),
        ("x = a is  not None", ["x = a is None"]),
        ("x = a not  in b", ["x = a in b"]),
        ("x = é in b", ["x = é not in b"]),
        ("x = a and (b or c)", ["x = a or (b or c)", "x = a and (b and c)"]),
        ("x = not a", ["x = (a)"]),
        ("x = a - b", ["x = a + b"]),
        ("x = f(True, 7)", ["x = f(False, 7)", "x = f(True, 8)"]),
        ("x = f(0.0, 2.5)", ["x = f(1.0, 2.5)", "x = f(0.0, 5.0)"]),
        ("x = f('word', b'word')", ["x = f('wordx', b'word')", "x = f('word', b'wordx')"]),
        ("x = a if b else c", ["x = a if (not (b)) else c"]),
        ("self.x = a", ["pass"]),
        ("x += a", ["pass", "x -= a"]),
        ("await f(a)", ["pass"]),
        ("del x[a]", ["pass"]),
        ("raise Fault", ["pass"]),
        ("return a", ["return None"]),
        ("return", ["pass"]),
        ("return False", ["return True"]),
    ],
)  # fmt: skip
def test_a_small_fault_is_made_at_every_place(line: str, changed: list[str]) -> None:
    assert sorted(changes(f"async def f():\n    {line}\n")) == sorted(changed)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "AT_MOST = 50_000\n'What that is.'",
        "FIRST, LAST = 0.5, 5.0",
        "class Limits:\n    of_all: int = 32",
        "Id = NewType('Id', int)",
        "__all__ = ['f']",
        "if TYPE_CHECKING:\n    x = f(1)",
        "class Clock(Protocol):\n    def now(self) -> int:\n        return 1",
        "def f(x: 'int', y: Literal['a'] = 1) -> 'str': ...",
        "def f():\n    log.info('came', 1)",
        "def f():\n    assert x == 1, 'why'",
        "def f():\n    x = f'{a - b} of 1' + f'{c}'",
        "def f():\n    x = 'a text in words'",
        "class A:\n    def __repr__(self):\n        return 'A' + 'b'",
        "class A:\n    def __init__(self, x):\n        self.x = x",
    ],
)
def test_what_no_test_should_find_is_left_out(source: str) -> None:
    assert changes(source) == []


def test_functions_are_named_as_python_names_them() -> None:
    source = b"class A:\n    def f(self):\n        def g():\n            return x\n"
    [mutant] = mutants(source, "calls/age.py")
    assert mutant.function == "A.f.<locals>.g"


AGE = """
def may_ring(age):
    return age >= 18


def countdown(left):
    while left > 0:
        left -= 1
    return "over"


def unknown(name):
    return name == "nobody"
"""
TESTS = """
from tiny.calls.age import countdown, may_ring, unknown


def test_who_may_be_rung():
    assert may_ring(18)
    assert not may_ring(17)


def test_it_comes_to_an_end():
    countdown(3)
    unknown("ann")


def test_that_depends_on_nothing_but_fails():
    assert may_ring(0)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for file, text in {
        "src/tiny/__init__.py": "",
        "src/tiny/calls/__init__.py": "",
        "src/tiny/calls/age.py": AGE,
        "tests/calls/test_age.py": TESTS,
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-ra'",
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    (root / "scripts").symlink_to(SCRIPTS)
    return root


def made(line: int, change: str) -> Mutant:
    """The one mutant of `AGE` that changes a line so."""
    source = AGE.encode()
    [mutant] = [
        one
        for one in mutants(source, "calls/age.py")
        if one.applied(source).decode().splitlines()[line - 1].strip() == change
    ]
    return mutant


def test_the_same_seed_draws_the_same_mutants_and_more_begin_with_them(tree: Path) -> None:
    package = tree / "src" / "tiny"
    few, many = (list(draw(package, ["calls"], 7, count)) for count in (3, 6))
    assert many[:3] == few
    assert len(set(many)) == 6
    assert list(draw(package, ["calls"], 8, 6)) != many
    assert list(draw(package, ["elsewhere"], 7, 6)) == []


NAME = "tests/calls/test_age.py::"


def test_those_that_call_the_function_are_chosen_the_nearest_and_quickest_first(
    tree: Path,
) -> None:
    called = ["calls/age.py:may_ring"]
    choice = Choice(
        tree,
        "tiny",
        {
            "tests/real/test_age.py::test_far": Calls(0.1, called),
            "tests/calls/test_age.py::test_slow": Calls(3.0, called),
            "tests/calls/test_age.py::test_quick": Calls(1.0, called),
            "tests/calls/test_age.py::test_other": Calls(1.0, ["calls/age.py:countdown"]),
        },
    )
    mutant = made(3, "return None")
    names = [test.name for test in choice.of(mutant, within=10)]
    assert names == [f"{NAME}test_quick", f"{NAME}test_slow", "tests/real/test_age.py::test_far"]
    names = [test.name for test in choice.of(mutant, within=1.5)]
    assert names == [f"{NAME}test_quick", "tests/real/test_age.py::test_far"]


def test_where_nothing_is_recorded_the_tests_that_import_the_file_are_chosen(tree: Path) -> None:
    [test] = Choice(tree, "tiny", {}).of(made(3, "return None"), within=1)
    assert test.name == "tests/calls/test_age.py"


def test_a_mutant_is_killed_hangs_or_survives(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # On a slow machine too little for pytest to start: then it is given more by itself.
    monkeypatch.setattr(trial, "STARTING", 4.0)
    copy = Copy(tree, tmp_path / "copy")
    request.addfinalizer(copy.close)
    rings = Chosen(f"{NAME}test_who_may_be_rung", 1.0)
    verdict = copy.try_out(made(3, "return age > 18"), [rings])
    assert (verdict.fate, verdict.by) == (Fate.KILLED, rings.name)
    ends = [Chosen(f"{NAME}test_it_comes_to_an_end", 1.0)]
    assert copy.try_out(made(8, "left += 1"), ends).fate is Fate.HUNG
    assert copy.try_out(made(13, 'return name != "nobody"'), ends).fate is Fate.SURVIVED
    assert copy.try_out(made(13, "return None"), []).fate is Fate.UNTRIED
    assert (tree / "src/tiny/calls/age.py").read_text() == AGE


def test_what_fails_without_a_mutant_has_found_none(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    copy = Copy(tree, tmp_path / "copy")
    request.addfinalizer(copy.close)
    tests = [
        Chosen(f"{NAME}{name}", 1.0)
        for name in ("test_that_depends_on_nothing_but_fails", "test_who_may_be_rung")
    ]
    mutant = made(3, "return age > 18")
    assert copy.try_out(mutant, tests).by == tests[0].name
    assert copy.doubtful(tests) == {tests[0].name}
    assert copy.try_out(mutant, tests).by == tests[1].name


def test_the_program_says_what_has_survived(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a tree of its own, where it has to record first what the tests call."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tree / "scripts").unlink()
    (tree / "scripts" / "mutation").mkdir(parents=True)
    for file in [*SCRIPTS.glob("mutate.py"), *SCRIPTS.glob("mutation/*.py")]:
        (tree / file.relative_to(SCRIPTS.parent)).write_text(file.read_text("utf-8"), "utf-8")
    tests = tree / "tests/calls/test_age.py"
    tests.write_text(tests.read_text().replace("assert may_ring(0)", "unknown('ann')"))
    drawn = enumerate(draw(tree / "src" / "tiny", ["calls"], 1, 100), 1)
    [number] = [number for number, one in drawn if one == made(13, 'return name != "nobody"')]
    command = ["scripts/mutate.py", "--folder", "calls", "--count", "100", "--only", str(number)]
    said = subprocess.run(
        [sys.executable, *command], cwd=tree, capture_output=True, text=True, timeout=100
    )
    assert said.returncode == 0, said.stderr
    assert "recording which functions 1 files of tests come to" in said.stdout
    assert "Seed 1, 1 mutants" in said.stdout
    assert f"{number}. survived: calls/age.py:13 unknown (comparison swapped)" in said.stdout
    assert '-    return name == "nobody"\n+    return name != "nobody"' in said.stdout
