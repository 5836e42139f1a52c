"""A pytest plugin: which functions of the source each test calls.

``-p calls_of_tests --calls-of-tests FOLDER`` puts a file into the folder for each test file that
was run to its end: what it was when it was recorded, and by test the seconds it took and the
functions it came to. Tests of one name with other parameters count as one. What another process
calls is not seen.
"""

import hashlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import CodeType, FrameType

import pytest

OPTION = "--calls-of-tests"


@dataclass(slots=True)
class Calls:
    """Of one test."""

    seconds: float = 0.0
    functions: list[str] = field(default_factory=list)
    "As `calls/session.py:Session.end`: file below the package, and qualified name."


@dataclass(slots=True)
class Recorded:
    """Of one test file."""

    digest: str
    tests: dict[str, Calls] = field(default_factory=dict)
    "By what pytest takes as its name, without parameters."

    @classmethod
    def read(cls, file: Path) -> "Recorded":
        read = json.loads(file.read_text("utf-8"))
        return cls(read["digest"], {name: Calls(**one) for name, one in read["tests"].items()})


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def file_for(folder: Path, test_file: str) -> Path:
    """Where the record of a test file is. ``test_file``: as in the names of its tests."""
    return folder / (test_file.replace("/", ".") + ".json")


class Recorder:
    def __init__(self, root: Path, package: Path, folder: Path) -> None:
        self._root = root
        self._prefix = f"{package}/"
        self._folder = folder
        self._file = ""
        self._recorded = Recorded("")
        self._seen: set[CodeType] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        name = item.nodeid.split("[")[0]
        self._turn_to(name.split("::")[0])
        calls = self._recorded.tests.setdefault(name, Calls())
        seen = self._seen = set()
        began = time.monotonic()
        threading.settrace(self._called)
        sys.settrace(self._called)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(lambda *_: None)
            self._seen = set()  # threads that go on have this one
            calls.seconds += time.monotonic() - began
            calls.functions = sorted({*calls.functions, *self._names(seen)})

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._turn_to("")

    def _called(self, frame: FrameType, event: str, argument: object) -> None:
        """Note the function; what is called in it needs no tracing by lines."""
        self._seen.add(frame.f_code)

    def _names(self, seen: set[CodeType]) -> Iterator[str]:
        for code in tuple(seen):
            if code.co_filename.startswith(self._prefix):
                yield f"{code.co_filename.removeprefix(self._prefix)}:{code.co_qualname}"

    def _turn_to(self, file: str) -> None:
        if file == self._file:
            return
        if self._file:
            self._folder.mkdir(parents=True, exist_ok=True)
            file_for(self._folder, self._file).write_text(json.dumps(asdict(self._recorded)))
        self._file = file
        self._recorded = Recorded(digest(self._root / file) if file else "")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, type=Path, help="where to put which functions each test calls")


def pytest_configure(config: pytest.Config) -> None:
    if folder := config.getoption(OPTION):
        [package] = (config.rootpath / "src").glob("*/__init__.py")
        config.pluginmanager.register(Recorder(config.rootpath, package.parent, folder))
