"""What every test may ask for: independent programs, a machine to itself; and who goes first."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import KINDS, POSTGRESQL, SQLITE, Kind, PostgresqlServer, StoredIn
from tests.namespaces import lacking
from tests.peers import program_of_peer
from tests.postgresql import shared_server

# How long an example takes, or the making of one, says how busy the machine is.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

# How each program is had; scripts/setup_peers.sh does the same.
HAD_BY = {
    "sipp": "apt-get install sip-tester",
    "baresip": "apt-get install baresip-core",
    "tshark": "apt-get install tshark",
    "node": "apt-get install nodejs npm",
    "tsc": "npm ci --prefix examples/typescript",
    "asterisk": "scripts/setup_asterisk.sh",
    "pjsua2": "scripts/setup_pjsua.sh",
}

LONGEST = (
    "tests/engines/sip/test_sip_contract_in_real_time.py",
    "tests/engines/sip/test_codecs_and_srtp.py",
    "tests/engines/sip/test_sipp.py",
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
    """Leave a test out, saying why, where what it is marked to need is not to be had."""
    for marker in item.iter_markers("peer"):
        for program in marker.args:
            if program_of_peer(program) is None:
                pytest.skip(f"needs {program}: {HAD_BY[program]}")
    if item.get_closest_marker("kernel_relay") and (why := lacking()):
        pytest.skip(f"needs root, iproute2 and Linux 6.6: {why}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for ``stored_in``, itself or by a fixture, on either database.

    But not what is about SQLite: marked so, or about its file.
    """
    if "stored_in" in metafunc.fixturenames:
        about_sqlite = (
            metafunc.definition.get_closest_marker("sqlite")
            or "database_path" in metafunc.definition.fixturenames
        )
        about_postgresql = metafunc.definition.get_closest_marker("postgresql")
        kinds = (SQLITE,) if about_sqlite else (POSTGRESQL,) if about_postgresql else KINDS
        metafunc.parametrize("stored_in", kinds, indirect=True, scope="module")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlServer]:
    """The server of this run, which its processes share."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with shared_server(folder / "postgresql") as server:
        yield PostgresqlServer(server)


@pytest.fixture(scope="module")
def stored_in(request: pytest.FixtureRequest) -> StoredIn:
    """Which database the tests of a module are stored in, this time."""
    kind: Kind = request.param
    if kind == SQLITE:
        return StoredIn()
    return StoredIn(request.getfixturevalue("postgresql"))
