"""What every test may ask for: independent programs to call, by the marker ``peer``."""

import shutil

import pytest

# The Debian package that brings each program; scripts/setup_peers.sh installs the same.
PACKAGES = {"sipp": "sip-tester", "baresip": "baresip-core", "tshark": "tshark"}


LONGEST = "tests/real/"
"Real calls take real time: they go first, so that none is left alone at the end of a run."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out, saying why, where a program it marks as its ``peer`` is not installed."""
    for marker in item.iter_markers("peer"):
        for program in marker.args:
            if shutil.which(program) is None:
                pytest.skip(f"needs {program}: apt-get install {PACKAGES[program]}")
