"""The trial of a mutant: its tests are run in a copy of the tree, until one of them fails.

Tests that have found mutants are run once more without any: one that fails then, too, has found
nothing, and is not asked again. Where it is only the machine that is slow, tests are given more
time.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from mutation.choice import Chosen
from mutation.forks import Forks
from mutation.mutants import Mutant

STARTING = 30.0
"Seconds pytest is given before its first test."
SLOWER = 4.0
"How much slower than they were recorded tests may be."
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?:\[.*)?(?: - .*)?$", re.MULTILINE)


class Fate(Enum):
    KILLED = "killed"
    HUNG = "hung"
    "Killed: a test did not come to its end."
    SURVIVED = "survived"
    UNTRIED = "untried"
    "There is no test for it at all."


@dataclass(frozen=True, slots=True)
class Verdict:
    fate: Fate
    by: str = ""
    "The test; empty where it was not one of them, but the run as a whole."
    seconds: float = 0.0
    tests: int = 0
    "How many were there to try it."


@dataclass(frozen=True, slots=True)
class _Run:
    """What has come of running some tests: the exit code, or None if they took too long."""

    code: int | None
    output: str

    @property
    def failed(self) -> list[str]:
        """The tests that have failed, without parameters."""
        return _FAILED.findall(self.output)


class Copy:
    """A copy of the tree, in which one mutant at a time lives."""

    def __init__(self, root: Path, folder: Path) -> None:
        """``folder``: one of its own."""
        self._root = folder / "tree"
        shutil.copytree(root, self._root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        [init] = (self._root / "src").glob("*/__init__.py")
        self._package = init.parent
        self._temporary, self._output = folder / "tmp", folder / "output"
        self._forks = Forks(self._root, self._environment)
        self._slower = SLOWER
        self._changes = 0
        self.unreliable: set[str] = set()
        "Tests that have failed without any mutant."

    def close(self) -> None:
        self._forks.close()

    def record(self, files: Sequence[str], calls: Path) -> None:
        """Record what the tests of these files call; see `mutation.calls`."""
        options = ("-q", "--tb=no", "-p", "mutation.calls", f"--calls-of-tests={calls}")
        command = (sys.executable, "-m", "pytest", *options, *files)
        subprocess.run(command, cwd=self._root, env=self._environment)

    def try_out(self, mutant: Mutant, tests: Sequence[Chosen]) -> Verdict:
        began = time.monotonic()
        fate, by = self._find(mutant, tests) or (Fate.SURVIVED if tests else Fate.UNTRIED, "")
        return Verdict(fate, by, time.monotonic() - began, len(tests))

    def _find(self, mutant: Mutant, tests: Sequence[Chosen]) -> tuple[Fate, str] | None:
        """How these tests find a mutant, and which of them does; None if none does."""
        while left := [one for one in tests if one.name not in self.unreliable]:
            with self._changed(mutant):
                came = self._run(left)
            if came.code == pytest.ExitCode.OK:
                return None
            if came.code == pytest.ExitCode.TESTS_FAILED and came.failed:
                return Fate.KILLED, came.failed[0]
            # It hangs, or cannot be imported, or it has brought Python itself to its end.
            again = self._run(left)
            if again.code == pytest.ExitCode.OK:
                return Fate.HUNG if came.code is None else Fate.KILLED, ""
            if again.code is None:
                self._slower *= 2
            elif again.failed:
                self.unreliable.update(again.failed)
            else:
                raise RuntimeError(f"without a mutant, too:\n{again.output}")
        return None

    def doubtful(self, tests: Sequence[Chosen]) -> set[str]:
        """Those of them that fail without any mutant, too. They are not asked again."""
        if not tests:
            return set()
        while (came := self._run(tests, "--maxfail=0")).code is None:
            self._slower *= 2
        self.unreliable.update(came.failed)
        return set(came.failed)

    @contextmanager
    def _changed(self, mutant: Mutant) -> Iterator[None]:
        file = self._package / mutant.file
        source, status = file.read_bytes(), file.stat()
        self._changes += 1
        file.write_bytes(mutant.applied(source))
        # Compiled code is told from other by the second of its source.
        os.utime(file, (status.st_atime, status.st_mtime + self._changes))
        try:
            yield
        finally:
            file.write_bytes(source)
            os.utime(file, (status.st_atime, status.st_mtime))

    def _run(self, tests: Sequence[Chosen], *more: str) -> _Run:
        limit = STARTING + self._slower * sum(one.seconds for one in tests)
        # Without pytest's own assertions: it is of no interest here why a test fails.
        options = ("-x", "-q", "--tb=no", "--no-header", "--assert=plain", "-p", "no:cacheprovider")
        shutil.rmtree(self._temporary, ignore_errors=True)
        base = f"--basetemp={self._temporary}"
        names = [one.name for one in tests]
        code = self._forks.run([*options, base, *more, *names], self._output, limit)
        return _Run(code, self._output.read_text("utf-8", "replace"))

    @property
    def _environment(self) -> dict[str, str]:
        paths = (self._root / "src", self._root / "scripts")
        return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
