"""The SIP engine keeps its contract over TCP, and with its media in other processes."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from callwright.engines.media import worker_supervisor as seat
from callwright.engines.media.worker_pool import WorkerPool
from tests.engines.contract import CLAUSES, Line
from tests.engines.media.engines import rtp_engine
from tests.engines.sip.stream_phone import StreamPhone
from tests.engines.sip.test_sip_contract import line
from tests.rtp_ports import own_ports
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
async def test_clause_over_tcp(clause: Callable[[Line], Awaitable[None]], tmp_path: Path) -> None:
    async with line(tmp_path, rtp_engine(), StreamPhone) as one:
        await clause(one)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
async def test_clause_with_media_workers(
    clause: Callable[[Line], Awaitable[None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A worker that is kept from running says nothing, and is as good as any.
    monkeypatch.setattr(seat, "SILENT_AT_MOST", WITHIN)
    media = WorkerPool(2, "127.0.0.1", None, own_ports(), lost_after=30.0)
    async with line(tmp_path, media) as one:
        await clause(one)
