"""One server for the tests of a module; every test calls it as somebody new."""

from collections.abc import Iterator

import pytest

from tests.rpc.world import Api, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Api]:
    with serving() as api:
        yield api


@pytest.fixture
def api(server: Api) -> Api:
    return server.for_new_user()
