"""The trial of a mutant: its tests are run in a copy of the tree, until one of them fails.

Tests that have found mutants are run once more without any: one that fails then, too, has found
nothing, and is not asked again. Where it is only the machine that is slow, tests are given more
time.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from mutation.choice import Chosen
from mutation.mutants import Mutant

FIRST_RUN = 8.0
"Seconds of tests, the nearest ones, that are run before all the others are begun with."
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
        self._temporary = folder / "tmp"
        self._slower = SLOWER
        self._changes = 0
        self.unreliable: set[str] = set()
        "Tests that have failed without any mutant."

    def record(self, files: Sequence[str], calls: Path) -> None:
        """Record what the tests of these files call; see `mutation.calls`."""
        options = ("-q", "--tb=no", "-p", "mutation.calls", f"--calls-of-tests={calls}")
        subprocess.run(self._pytest(options, files), cwd=self._root, env=self._environment)

    def try_out(self, mutant: Mutant, tests: Sequence[Chosen]) -> Verdict:
        began = time.monotonic()
        found = next(filter(None, (self._find(mutant, run) for run in _runs(tests))), None)
        fate, by = found or (Fate.SURVIVED if tests else Fate.UNTRIED, "")
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
        options = ("-x", "-q", "--tb=no", "--no-header", "-p", "no:cacheprovider")
        shutil.rmtree(self._temporary, ignore_errors=True)
        # No pipe: what a test has left running would hold it open.
        with TemporaryFile("w+", errors="replace") as output:
            process = subprocess.Popen(
                self._pytest(
                    (*options, f"--basetemp={self._temporary}", *more), [one.name for one in tests]
                ),
                cwd=self._root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code: int | None = process.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _end(process)
            output.seek(0)
            said = output.read()
        return _Run(code, said)

    def _pytest(self, options: Sequence[str], tests: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "pytest", *options, *tests]

    @property
    def _environment(self) -> dict[str, str]:
        paths = (self._root / "src", self._root / "scripts")
        return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it has begun: it is the first of a session of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _runs(tests: Sequence[Chosen]) -> Iterator[list[Chosen]]:
    """Some first, then the rest: most mutants do not come that far."""
    first: list[Chosen] = []
    for test in tests:
        if first and sum(one.seconds for one in first) + test.seconds > FIRST_RUN:
            break
        first.append(test)
    yield first
    yield list(tests[len(first) :])
