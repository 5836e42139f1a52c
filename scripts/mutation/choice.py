"""The choice of tests: which are to try a mutant, the nearest ones first.

Those that call its function, as `mutation.calls` has recorded them. For what is not in a function,
or in one that works in another process, those that come to its file, and whole files of tests that
come to it by their imports.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mutation.calls import Calls
from mutation.mutants import Mutant

SECONDS_OF_A_FILE = 10.0
"What a whole file of tests is taken to need, as long as nobody has recorded it."


@dataclass(frozen=True, slots=True)
class Chosen:
    name: str
    "As pytest takes it: of a function of tests, or of a file of them."
    seconds: float


class Choice:
    def __init__(self, root: Path, package: str, recorded: Mapping[str, Calls]) -> None:
        """``package``: name of the one below ``src``. ``recorded``: by test."""
        self._recorded = recorded
        self._importers = _importers(root, package)
        self._by_function: dict[str, list[str]] = {}
        self._by_file: dict[str, set[str]] = {}
        for test, calls in recorded.items():
            for function in calls.functions:
                self._by_function.setdefault(function, []).append(test)
                self._by_file.setdefault(function.partition(":")[0], set()).add(test)

    def of(self, mutant: Mutant, within: float) -> list[Chosen]:
        """The tests for it, of which the first is always taken, the rest as far as they fit.

        ``within``: seconds.
        """
        tests = self._by_function.get(f"{mutant.file}:{mutant.function}") or sorted(
            self._by_file.get(mutant.file, ())
        )
        chosen = [Chosen(name, self._recorded[name].seconds) for name in tests]
        if not chosen or not mutant.function:
            chosen += [Chosen(file, self._seconds(file)) for file in self._files(mutant.file)]
        chosen.sort(key=lambda test: (_distance(test.name, mutant.file), test.seconds, test.name))
        return list(_fitting(chosen, within))

    def whole(self, test: str) -> Chosen:
        """A test by its name, or a file of them."""
        known = self._recorded.get(test)
        return Chosen(test, known.seconds if known else self._seconds(test))

    def _files(self, file: str) -> Sequence[str]:
        """The files of tests that import it, or else what imports it, or else what that…"""
        seen, level = {file}, [file]
        while level:
            level = sorted({one for name in level for one in self._importers.get(name, ())} - seen)
            seen.update(level)
            if tests := [name for name in level if PurePosixPath(name).name.startswith("test_")]:
                return tests
        return ()

    def _seconds(self, file: str) -> float:
        of_tests = [
            calls.seconds for name, calls in self._recorded.items() if name.startswith(f"{file}::")
        ]
        return sum(of_tests) or SECONDS_OF_A_FILE


def _fitting(tests: Sequence[Chosen], within: float) -> Iterator[Chosen]:
    taken = 0.0
    for test in tests:
        if taken and taken + test.seconds > within:
            continue
        taken += test.seconds
        yield test


def _distance(test: str, file: str) -> int:
    """How far tests are from a file: 0 beside it and of its name, 1 beside it, 2 elsewhere."""
    home, tested = PurePosixPath(test.partition("::")[0]), PurePosixPath(file)
    if home.parent.parts[1:] != tested.parent.parts:
        return 2
    return 0 if home.stem == f"test_{tested.stem}" else 1


def _importers(root: Path, package: str) -> dict[str, set[str]]:
    """By file: the files that import it. Of the package, named below it; of tests, below the root.

    Only those of the package are imported by name; tests also import what is beside them.
    """
    source = root / "src" / package
    files = {_module(file, root / "src"): _below(file, source) for file in source.rglob("*.py")}
    tests = {_module(file, root): _below(file, root) for file in (root / "tests").rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, file in (files | tests).items():
        path = (source if name in files else root) / file
        package_of = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for target in _imported(path, package_of):
            if imported := (files | tests).get(target):
                found.setdefault(imported, set()).add(file)
    return found


def _below(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _module(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(file: Path, package: str) -> Iterator[str]:
    """All that may be modules in what a file imports."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                start = ".".join([*base, *([module] if module else [])])
                yield start
                yield from (f"{start}.{name.name}" for name in names)
