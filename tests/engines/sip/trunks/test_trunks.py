"""The list of trunks: what goes by it, whenever the engine is told it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import pytest

from callwright.engines.network import Trunk, TrunkRegistration, TrunkState
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.trunks import trunk_hosts as hosts_module
from callwright.engines.sip.trunks.trunks import Trunks
from callwright.engines.sip.wire.hop import Hop
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

NAMED = Trunk("named", "carrier.example")
ADDRESSES = {"carrier.example": "192.0.2.7", "pbx.example": "192.0.2.8"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class WatchedFront(Admission):
    """Says how often it has been told addresses."""

    def __init__(self) -> None:
        super().__init__("callwright", b"secret")
        self._told = asyncio.Event()

    def use_hosts(self, hosts: Mapping[str, Sequence[str]]) -> None:
        super().use_hosts(hosts)
        self._told.set()

    async def told(self) -> None:
        async with asyncio.timeout(WITHIN):
            await self._told.wait()
        self._told.clear()


async def look_up(hop: Hop) -> Sequence[Hop]:
    return [Hop(ADDRESSES[hop.host])]


async def test_calls_are_known_by_the_addresses_of_the_trunks_there_are_now() -> None:
    admission = WatchedFront()
    trunks = Trunks(admission)
    trunks.use([NAMED])
    following = asyncio.create_task(trunks.follow_hosts(look_up))
    await admission.told()
    assert admission.knows(Hop("192.0.2.7"))

    # Told anew while it runs, as the service does it at its start and at every change.
    trunks.use([Trunk("other", "pbx.example")])
    await admission.told()
    assert admission.knows(Hop("192.0.2.8"))
    assert not admission.knows(Hop("192.0.2.7"))

    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_names_are_looked_up_again_and_keep_their_addresses_while_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hosts_module, "LOOKED_UP_EVERY", 0.01)
    front = WatchedFront()
    trunks = Trunks(front)
    trunks.use([NAMED])
    answers = [[Hop("192.0.2.7")], [], [Hop("192.0.2.9")]]

    async def moved(hop: Hop) -> Sequence[Hop]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    following = asyncio.create_task(trunks.follow_hosts(moved))
    for address in ("192.0.2.7", "192.0.2.7", "192.0.2.9"):
        await front.told()
        assert front.knows(Hop(address))
    assert not front.knows(Hop("192.0.2.7"))

    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_before_the_engine_runs_no_trunk_is_registered_at() -> None:
    assert Trunks(WatchedFront()).told is None
    trunks = Trunks(WatchedFront())
    trunks.use([NAMED])
    assert trunks.told == trunks.named == {"named": NAMED}
    assert trunks.states() == [TrunkState("named", TrunkRegistration.OFF)]
