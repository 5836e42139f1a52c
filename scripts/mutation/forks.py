"""Forks: pytest in children of a process that has imported everything but the project itself.

Most mutants are found by the first test; without this, nearly all the time would go into imports.
"""

import ast
import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest


class Forks:
    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "mutation.forks"],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def run(self, arguments: Sequence[str], output: Path, within: float) -> int | None:
        """Run pytest; return its exit code, negative for a signal, or None if it took too long.

        ``within``: seconds. ``output``: the file for what it says. Whatever it has left running
        is ended with it.
        """
        told, answers = self._server.stdin, self._server.stdout
        assert told
        assert answers
        told.write(json.dumps([str(output), *arguments]).encode() + b"\n")
        child = int(answers.readline())
        in_time = bool(select.select([answers], [], [], within)[0])
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        code = int(answers.readline())
        return code if in_time else None

    def close(self) -> None:
        with self._server:  # it ends with its input
            pass


def _serve() -> None:
    for name in sorted(_not_ours(Path.cwd())):
        with suppress(Exception):
            importlib.import_module(name)
    for line in sys.stdin:
        output, *arguments = json.loads(line)
        child = os.fork()
        if not child:
            _run(output, arguments)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(output: str, arguments: Sequence[str]) -> None:
    os.setsid()
    said, nothing = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), os.open(os.devnull, 0)
    for descriptor, place in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(descriptor, place)
    code = 1
    try:
        code = pytest.main([*arguments])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _not_ours(root: Path) -> set[str]:
    """The modules that source and tests import, without the project's own."""
    ours = {
        file.stem for folder in (root, root / "src", root / "scripts") for file in folder.glob("*")
    }
    found = {
        name
        for folder in (root / "src", root / "tests")
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_bytes()))
        for name in _imported(node)
    }
    return {name for name in found if name.partition(".")[0] not in ours}


def _imported(node: ast.AST) -> Sequence[str]:
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
    return ()


if __name__ == "__main__":
    _serve()
