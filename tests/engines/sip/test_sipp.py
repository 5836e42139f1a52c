"""The SIP engine against SIPp, a peer that nobody here has written."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callwright.config import SipSettings
from callwright.engines.network import SipAccount, Trunk, TrunkRegistration
from callwright.engines.port import (
    Address,
    Cause,
    EarlyMediaStarted,
    EngineEvent,
    LegConnected,
    LegId,
    LegReleased,
    LegRinging,
)
from callwright.engines.simulated.far_end import Answers, Rings
from callwright.engines.sip.engine import SipEngine
from demo.ports import free_port
from tests.engines.sip.media import RememberingMedia, ids
from tests.engines.sip.phone import Phone
from tests.waiting import WITHIN

pytestmark = [pytest.mark.anyio, pytest.mark.peer("sipp")]

SCENARIOS = Path(__file__).parent / "sipp"
A = LegId(1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Sipp:
    """One SIPp that plays a scenario once, and listens already."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def is_content(self) -> None:
        """Wait for its end, and let it say what it missed."""
        async with asyncio.timeout(WITHIN):
            output, _ = await self._process.communicate()
        assert self._process.returncode == 0, output.decode(errors="replace")[-3000:]


@asynccontextmanager
async def sipp(
    scenario: str,
    folder: Path,
    *,
    over: str = "udp",
    towards: tuple[str, int] | None = None,
    keys: Mapping[str, object] | None = None,
) -> AsyncIterator[Sipp]:
    """``towards``: whom it calls, if the scenario begins; ``keys``: words of the scenario."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *("sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-m", "1", "-nostdin"),
        *("-i", "127.0.0.1", "-p", str(port), "-timeout", f"{WITHIN:.0f}s", "-timeout_error"),
        *("-t", "t1" if over == "tcp" else "u1"),
        *(word for key, value in (keys or {}).items() for word in ("-key", key, str(value))),
        *([f"{towards[0]}:{towards[1]}"] if towards else []),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        await listens(port, over)
        yield Sipp(process, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def listens(port: int, over: str) -> None:
    """Wait until a socket is bound to a port, without sending it anything."""
    bound, sockets = f"0100007F:{port:04X} ", Path(f"/proc/net/{over}")
    async with asyncio.timeout(WITHIN):
        # The kernel has no event for it.
        while bound not in await asyncio.to_thread(sockets.read_text):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Desk:
    def __init__(self, settings: SipSettings) -> None:
        self.engine = SipEngine(settings, RememberingMedia(), next_leg=ids())
        self.events: list[EngineEvent] = []
        self._more = asyncio.Event()

    def deliver(self, event: EngineEvent) -> None:
        self.events.append(event)
        self._more.set()

    async def told(self, wanted: EngineEvent) -> None:
        async with asyncio.timeout(WITHIN):
            while wanted not in self.events:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def running(settings: SipSettings | None = None) -> AsyncIterator[Desk]:
    desk = Desk(settings or SipSettings(port=0))
    ready = asyncio.Event()
    run = asyncio.create_task(desk.engine.run(desk.deliver, started=ready.set))
    await ready.wait()
    try:
        yield desk
    finally:
        run.cancel()
        await asyncio.wait({run})


def phone(peer: Sipp) -> Address:
    return Address("25", phone=f"sip:25@127.0.0.1:{peer.port}")


async def test_answers_then_hangs_up(tmp_path: Path) -> None:
    async with sipp("answers-then-hangs-up", tmp_path) as peer, running() as desk:
        desk.engine.ring(A, phone(peer), caller_id="1234567")
        await desk.told(LegReleased(A, Cause.HUNG_UP, "Q.850 16"))
        assert desk.events[:2] == [LegRinging(A), LegConnected(A)]
        await peer.is_content()


async def test_answers_until_hung_up(tmp_path: Path) -> None:
    async with sipp("answers-until-hung-up", tmp_path) as peer, running() as desk:
        desk.engine.ring(A, phone(peer), caller_id="1234567")
        await desk.told(LegConnected(A))
        desk.engine.hang_up(A)
        await peer.is_content()


@pytest.mark.parametrize(
    ("scenario", "raw"),
    [
        ("answers-then-hangs-up", "Q.850 16"),
        ("busy", "486 Busy Here"),
        ("answers-until-hung-up", ""),
    ],
)
async def test_over_tcp(scenario: str, raw: str, tmp_path: Path) -> None:
    async with sipp(scenario, tmp_path, over="tcp") as peer, running() as desk:
        there = Address("25", phone=f"sip:25@127.0.0.1:{peer.port};transport=tcp")
        desk.engine.ring(A, there, caller_id="1234567")
        if not raw:
            await desk.told(LegConnected(A))
            desk.engine.hang_up(A)
        await peer.is_content()
        (ended,) = [event for event in desk.events if isinstance(event, LegReleased)]
        assert ended.raw == raw


async def test_busy(tmp_path: Path) -> None:
    async with sipp("busy", tmp_path) as peer, running() as desk:
        desk.engine.ring(A, phone(peer), caller_id="1234567")
        await desk.told(LegReleased(A, Cause.BUSY, "486 Busy Here"))
        await peer.is_content()


async def test_rings_then_answers(tmp_path: Path) -> None:
    async with sipp("rings-then-answers", tmp_path) as peer, running() as desk:
        desk.engine.ring(A, phone(peer), caller_id="1234567")
        await desk.told(LegConnected(A))
        assert desk.events == [EarlyMediaStarted(A), LegConnected(A)]
        desk.engine.hang_up(A)
        await peer.is_content()


async def test_rings_until_cancelled(tmp_path: Path) -> None:
    async with sipp("rings-until-cancelled", tmp_path) as peer, running() as desk:
        desk.engine.ring(A, phone(peer), caller_id="1234567")
        await desk.told(LegRinging(A))
        desk.engine.hang_up(A)
        await peer.is_content()


@pytest.mark.parametrize("scenario", ["challenges-with-401", "challenges-with-407"])
async def test_challenges(scenario: str, tmp_path: Path) -> None:
    async with sipp(scenario, tmp_path) as peer, running() as desk:
        trunk = Trunk("out", "127.0.0.1", peer.port, user="carol", password="secret")
        desk.engine.use_trunks([trunk])
        desk.engine.ring(A, Address("74950000000", trunk="out"), caller_id="1234567")
        await desk.told(LegConnected(A))
        desk.engine.hang_up(A)
        await peer.is_content()


async def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    async with sipp("challenges-with-401", tmp_path) as peer, running() as desk:
        trunk = Trunk("out", "127.0.0.1", peer.port, user="carol", password="wrong")
        desk.engine.use_trunks([trunk])
        desk.engine.ring(A, Address("74950000000", trunk="out"), caller_id="1234567")
        await desk.told(LegReleased(A, Cause.REJECTED, "403 Forbidden"))


async def test_holds_and_resumes(tmp_path: Path) -> None:
    async with sipp("holds-and-resumes", tmp_path) as peer, running() as desk:
        desk.engine.ring(A, phone(peer), caller_id="1234567")
        await desk.told(LegReleased(A, Cause.HUNG_UP, "Q.850 16"))
        await peer.is_content()


async def test_wants_longer_sessions(tmp_path: Path) -> None:
    async with sipp("wants-longer-sessions", tmp_path) as peer, running() as desk:
        desk.engine.ring(A, phone(peer), caller_id="1234567")
        await desk.told(LegReleased(A, Cause.HUNG_UP, "Q.850 16"))
        assert desk.events[0] == LegConnected(A)
        await peer.is_content()


async def test_is_refreshed(tmp_path: Path) -> None:
    """The shortest interval we keep to is 30 s, so this takes half of that."""
    async with sipp("is-refreshed", tmp_path) as peer, running() as desk:
        desk.engine.ring(A, phone(peer), caller_id="1234567")
        await desk.told(LegReleased(A, Cause.HUNG_UP, "Q.850 16"))
        await peer.is_content()


async def test_sipp_registers_and_its_phone_is_rung(tmp_path: Path) -> None:
    # SIPp 3.6 reads the first challenge only, and gives up where that is not MD5.
    settings = SipSettings(port=0, digests=["MD5"])
    async with running(settings) as desk, Phone([(0, Rings()), (0.05, Answers())]) as desk_phone:
        desk.engine.use_phones([SipAccount("101", "geheim-101")])
        keys = {"contact_port": desk_phone.address[1]}
        towards = desk.engine.address
        async with sipp("registers", tmp_path, towards=towards, keys=keys) as peer:
            await peer.is_content()
        desk.engine.ring(A, Address("101"), caller_id="1234567")
        await desk.told(LegConnected(A))
        invite = await desk_phone.got("INVITE")
        assert str(invite.uri) == f"sip:101@127.0.0.1:{desk_phone.address[1]}"


async def test_we_register_at_sipp_and_take_it_back(tmp_path: Path) -> None:
    async with sipp("takes-registrations", tmp_path) as peer:
        async with running() as desk:
            trunk = Trunk(
                "out", "127.0.0.1", peer.port, user="carol", password="secret", register=True
            )
            desk.engine.use_trunks([trunk])
            async with asyncio.timeout(WITHIN):
                while desk.engine.trunk_states()[0].registered_for is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            [state] = desk.engine.trunk_states()
            assert state.registration is TrunkRegistration.REGISTERED
            assert 800 < (state.registered_for or 0) <= 900
        await peer.is_content()
