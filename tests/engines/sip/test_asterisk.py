"""A trunk registered at a default Asterisk: calls both ways, and what it refuses."""

import asyncio
from dataclasses import replace

import pytest

from callwright.engines.network import TrunkRegistration, TrunkState
from callwright.engines.port import (
    Address,
    Cause,
    LegConnected,
    LegId,
    LegOffered,
    LegReleased,
)
from tests.engines.sip.asterisk import asterisk
from tests.engines.sip.desk import Desk, running
from tests.waiting import WITHIN

pytestmark = [pytest.mark.anyio, pytest.mark.peer("asterisk")]

OUR_NUMBER = "74993720693"
LEG = LegId(1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def registered(desk: Desk) -> TrunkState:
    """Wait until Asterisk has us registered, and has said something to our OPTIONS."""
    async with asyncio.timeout(WITHIN):
        while True:
            [state] = desk.engine.trunk_states()
            is_registered = state.registration is TrunkRegistration.REGISTERED
            if is_registered and state.reachable is not None:
                return state
            await asyncio.sleep(0.02)


async def test_a_call_goes_out_and_another_comes_in_through_the_registered_trunk() -> None:
    async with asterisk() as pbx, running() as desk:
        trunk = replace(pbx.trunk, from_user="6001", caller_id_header="pai", options_ping=30.0)
        desk.engine.use_trunks([trunk])
        assert (await registered(desk)).ping_refusal == ""
        desk.engine.ring(LEG, Address("79260000001", trunk="pbx"), caller_id=OUR_NUMBER)
        # Its dial plan puts that number through to us: by our Contact, from the caller id of PAI.
        offered = await desk.told(LegOffered)
        assert isinstance(offered, LegOffered)
        assert (offered.caller, offered.called) == (OUR_NUMBER, "74993720692")
        assert offered.trunk == "pbx"
        desk.engine.answer(offered.leg)
        await desk.event(LegConnected(offered.leg))
        await desk.event(LegConnected(LEG))
        desk.engine.hang_up(LEG)
        await desk.event(LegReleased(offered.leg, Cause.HUNG_UP, ""))
        assert desk.engine.trunk_states()[0].call_refusal == ""


async def test_a_call_under_a_number_asterisk_does_not_know_is_refused_and_shown() -> None:
    async with asterisk() as pbx, running() as desk:
        desk.engine.use_trunks([replace(pbx.trunk, options_ping=30.0)])
        assert (await registered(desk)).ping_refusal == ""
        desk.engine.ring(LEG, Address("79260000001", trunk="pbx"), caller_id=OUR_NUMBER)
        await desk.event(LegReleased(LEG, Cause.UNREACHABLE, "401 Unauthorized"))
        assert desk.engine.trunk_states()[0].call_refusal == "401 Unauthorized"
