"""Where the API may listen."""

import socket

import anyio.from_thread
import httpx
import pytest
from starlette.applications import Starlette

from callwright.config import HttpSettings, StartFault
from callwright.rpc.server import listening, serving, url_of
from tests.waiting import WITHIN


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_the_api_is_served_at_an_address_of_either_version(host: str) -> None:
    with (
        listening(HttpSettings(host=host, port=0)) as listener,
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(listener, Starlette())),
    ):
        assert httpx.get(url_of(listener), timeout=WITHIN, trust_env=False).status_code == 404


def test_every_address_of_version_6_is_every_one_of_version_4_too() -> None:
    with listening(HttpSettings(host="::", port=0)) as listener:
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), timeout=WITHIN).close()


def test_an_address_that_is_taken_is_told_as_it_is_written_in_urls() -> None:
    with listening(HttpSettings(host="::1", port=0)) as listener:
        port = listener.getsockname()[1]
        taken = HttpSettings(host="::1", port=port)
        with pytest.raises(StartFault, match=rf"at \[::1\]:{port} "), listening(taken):
            pass
