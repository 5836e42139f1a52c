"""What every test may ask for: independent programs, a machine to itself; and who goes first."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes, or the making of one, says how busy the machine is.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

# The Debian package that brings each program; scripts/setup_peers.sh installs the same.
PACKAGES = {
    "sipp": "sip-tester",
    "baresip": "baresip-core",
    "tshark": "tshark",
    "node": "nodejs npm",
}
NPM = Path(__file__).parents[1] / "examples/typescript"
"Where `npm ci` brings what is not of Debian's, in locked versions."

LONGEST = (
    "tests/engines/sip/test_sip_contract_in_real_time.py",
    "tests/engines/sip/test_phones_register.py",
    "tests/engines/sip/test_codecs_and_srtp.py",
    "tests/engines/sip/test_sipp.py",
    "tests/notify/test_courier.py",
    "tests/phones/",
    "tests/real/",
    "tests/sandbox/",
    "tests/cli/",
)
"Files that take long go first, so that none is left alone at the end of a run."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What measures real time comes last, the longest before all else; files stay together."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if item.get_closest_marker("realtime"):
        return len(LONGEST) + 1
    starts = (place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start))
    return next(starts, len(LONGEST))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out, saying why, where a program it marks as its ``peer`` is not installed."""
    for marker in item.iter_markers("peer"):
        for program in marker.args:
            places = f"{os.environ.get('PATH', os.defpath)}:{NPM / 'node_modules/.bin'}"
            if shutil.which(program, path=places) is None:
                package = PACKAGES.get(program)
                way = f"apt-get install {package}" if package else f"npm ci --prefix {NPM}"
                pytest.skip(f"needs {program}: {way}")
