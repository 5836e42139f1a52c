"""The pytest plugin: fixtures that give a test a sandbox of its own.

pytest loads this in every project Callwright is installed for. So it imports nothing until a test
asks for a fixture.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from callwright.sandbox.client import Sandbox


@pytest.fixture(scope="session")
def callwright_sandbox_options() -> Sequence[str]:
    """Options of ``callwright sandbox``; a project's conftest.py may give others."""
    return ("--clock", "stepped")


@pytest.fixture(scope="session")
def callwright_sandbox_process(
    callwright_sandbox_options: Sequence[str],
) -> "Iterator[Sandbox]":
    """A sandbox for the whole run, on a free port; each worker of pytest-xdist has its own."""
    from callwright.sandbox.client import running

    with running(*callwright_sandbox_options) as up:
        yield up


@pytest.fixture
def callwright_sandbox(callwright_sandbox_process: "Sandbox") -> "Sandbox":
    """The sandbox as at its beginning: nothing of the test before is left."""
    callwright_sandbox_process.reset()
    return callwright_sandbox_process
