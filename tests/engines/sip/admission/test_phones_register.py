"""Programs that nobody here has written register with us, are rung, and call us."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callwright.config import SipSettings
from callwright.engines.media.engine import RtpEngine
from callwright.engines.network import SipAccount
from callwright.engines.port import (
    Address,
    Cause,
    EngineEvent,
    LegConnected,
    LegId,
    LegOffered,
    LegReleased,
    LegRinging,
)
from callwright.engines.sip.engine import SipEngine
from demo.phones import Baresip, Behaviour
from tests.engines.sip.media import ids
from tests.rtp_ports import own_ports
from tests.waiting import WITHIN

pytestmark = [pytest.mark.anyio, pytest.mark.peer("baresip")]

A = LegId(1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Office:
    """An engine with its media, and what it has told."""

    def __init__(self) -> None:
        media = RtpEngine("127.0.0.1", None, own_ports(), lost_after=30.0)
        self.engine = SipEngine(SipSettings(port=0), media, next_leg=ids())
        self.events: list[EngineEvent] = []
        self._more = asyncio.Event()

    def deliver(self, event: EngineEvent) -> None:
        self.events.append(event)
        self._more.set()

    async def told(self, wanted: type[EngineEvent], leg: LegId | None = None) -> EngineEvent:
        async with asyncio.timeout(WITHIN):
            while True:
                for event in self.events:
                    if isinstance(event, wanted) and leg in (None, event.leg):
                        return event
                self._more.clear()
                await self._more.wait()

    @property
    def registrar(self) -> str:
        return f"127.0.0.1:{self.engine.address[1]}"


@asynccontextmanager
async def office() -> AsyncIterator[Office]:
    made = Office()
    ready = asyncio.Event()
    run = asyncio.create_task(made.engine.run(made.deliver, started=ready.set))
    await ready.wait()
    made.engine.use_phones([SipAccount("101", "geheim-101")])
    try:
        yield made
    finally:
        run.cancel()
        await asyncio.wait({run})


@asynccontextmanager
async def baresip(
    folder: Path, where: Office, *, password: str = "geheim-101", answers_after: float = 0.0
) -> AsyncIterator[Baresip]:
    phone = Baresip(
        folder,
        Behaviour(says=440, answers_after=answers_after),
        number="101",
        registrar=where.registrar,
        password=password,
    )
    await phone.start()
    try:
        yield phone
    finally:
        await phone.stop()


async def test_baresip_registers_and_is_rung_by_its_number(tmp_path: Path) -> None:
    async with office() as here, baresip(tmp_path, here, answers_after=0.1) as phone:
        await phone.events.wait("registered", within=WITHIN)
        here.engine.ring(A, Address("101"), caller_id="74993720692")
        await here.told(LegConnected)
        assert [type(event) for event in here.events] == [LegRinging, LegConnected]
        invited = await phone.events.wait("invite", within=WITHIN)
        assert invited.details["caller"] == "74993720692"
        await phone.hang_up()
        ended = await here.told(LegReleased)
        assert isinstance(ended, LegReleased)
        assert ended.cause is Cause.HUNG_UP


async def test_two_phones_of_one_number_are_rung_and_one_answers(tmp_path: Path) -> None:
    async with (
        office() as here,
        baresip(tmp_path / "desk", here, answers_after=60.0) as desk,
        baresip(tmp_path / "cell", here, answers_after=0.3) as cell,
    ):
        for phone in (desk, cell):
            await phone.events.wait("registered", within=WITHIN)
        here.engine.ring(A, Address("101"), caller_id="74993720692")
        await here.told(LegConnected)
        await desk.events.wait("invite", within=WITHIN)
        await desk.events.wait("cancelled", within=WITHIN)
        assert not cell.events.all("cancelled")
        here.engine.hang_up(A)
        await cell.events.wait("ended", within=WITHIN)


async def test_baresip_with_a_wrong_password_is_not_rung(tmp_path: Path) -> None:
    async with office() as here, baresip(tmp_path, here, password="guess") as phone:
        await phone.events.wait("not_registered", within=WITHIN)
        here.engine.ring(A, Address("101"), caller_id="74993720692")
        assert await here.told(LegReleased) == LegReleased(A, Cause.UNREACHABLE, "not registered")


async def test_baresip_calls_in_and_is_answered(tmp_path: Path) -> None:
    async with office() as here, baresip(tmp_path, here) as phone:
        await phone.events.wait("registered", within=WITHIN)
        await phone.call(f"sip:74993720692@{here.registrar}")
        offered = await here.told(LegOffered)
        assert isinstance(offered, LegOffered)
        leg = offered.leg
        assert offered == LegOffered(leg, "101", "74993720692", None)
        here.engine.ring_back(leg)
        await phone.events.wait("ringing", within=WITHIN)
        here.engine.answer(leg)
        await here.told(LegConnected, leg)
        await phone.events.wait("first_rtp", within=WITHIN)
        here.engine.hang_up(leg)
        await phone.events.wait("bye", within=WITHIN)


async def test_baresip_calls_in_and_is_refused(tmp_path: Path) -> None:
    async with office() as here, baresip(tmp_path, here) as phone:
        await phone.events.wait("registered", within=WITHIN)
        await phone.call(f"sip:0000@{here.registrar}")
        leg = (await here.told(LegOffered)).leg
        here.engine.reject(leg, Cause.WRONG_NUMBER)
        rejected = await phone.events.wait("rejected", within=WITHIN)
        assert rejected.details["status"] == 404
        assert await here.told(LegReleased, leg) == LegReleased(
            leg, Cause.WRONG_NUMBER, "404 Not Found"
        )


async def test_baresip_calls_in_and_gives_up(tmp_path: Path) -> None:
    async with office() as here, baresip(tmp_path, here) as phone:
        await phone.events.wait("registered", within=WITHIN)
        await phone.call(f"sip:74993720692@{here.registrar}")
        leg = (await here.told(LegOffered)).leg
        here.engine.ring_back(leg)
        await phone.events.wait("ringing", within=WITHIN)
        await phone.hang_up()
        ended = await here.told(LegReleased, leg)
        assert isinstance(ended, LegReleased)
        assert ended.cause is Cause.HUNG_UP
