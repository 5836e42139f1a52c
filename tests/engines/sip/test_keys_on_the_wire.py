"""Keys as another program sees them on the wire: tshark, told nothing but the port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callwright.config import SipSettings
from callwright.engines.media.engine import RtpEngine
from callwright.engines.port import Address, DtmfSent, EngineEvent, LegConnected, LegId
from callwright.engines.simulated.far_end import Answers
from callwright.engines.sip.engine import SipEngine
from tests.engines.sip.media import ids
from tests.engines.sip.phone import Phone
from tests.rtp_ports import own_ports
from tests.waiting import WITHIN

pytestmark = [pytest.mark.anyio, pytest.mark.peer("tshark"), pytest.mark.realtime]

A = LegId(1)
KEYS = "1590*#"
EVENTS = {"1": 1, "5": 5, "9": 9, "0": 0, "*": 10, "#": 11}
SPACING = 0.16
"Seconds from key to key: 100 ms long, 60 ms apart."
AT_MOST_OFF = 0.04


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def capture(file: Path, port: int) -> AsyncIterator[None]:
    """Capture what goes to a port over the loopback interface while the block runs.

    Something must go there all the time: the block begins when tshark has seen a packet.
    """
    tshark = await asyncio.create_subprocess_exec(
        *("tshark", "-i", "lo", "-f", f"udp dst port {port}", "-w", str(file), "-P", "-l"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert tshark.stdout is not None
    async with asyncio.timeout(WITHIN):
        if not await tshark.stdout.readline():
            _, said = await tshark.communicate()
            pytest.skip(f"tshark may not capture here: {said.decode()[-200:]}")
    try:
        yield
    finally:
        tshark.terminate()
        await tshark.communicate()


async def key_times(file: Path, port: int) -> list[tuple[int, float]]:
    """Each key's number, and the time of its first packet, as tshark reads them."""
    tshark = await asyncio.create_subprocess_exec(
        *("tshark", "-r", str(file), "-d", f"udp.port=={port},rtp"),
        *("-o", "rtpevent.event_payload_type_value:101", "-Y", "rtpevent"),
        *("-T", "fields", "-e", "frame.time_epoch", "-e", "rtpevent.event_id"),
        *("-e", "rtp.timestamp"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(WITHIN):
        output, _ = await tshark.communicate()
    first: dict[str, tuple[int, float]] = {}
    for line in output.decode().splitlines():
        moment, key, timestamp = line.split("\t")
        first.setdefault(timestamp, (int(key), float(moment)))
    return list(first.values())


async def test_keys_go_out_at_their_times(tmp_path: Path) -> None:
    media = RtpEngine("127.0.0.1", None, own_ports(), lost_after=30.0)
    engine = SipEngine(SipSettings(port=0), media, next_leg=ids())
    events: list[EngineEvent] = []
    more = asyncio.Event()

    def deliver(event: EngineEvent) -> None:
        events.append(event)
        more.set()

    async def told(wanted: EngineEvent) -> None:
        async with asyncio.timeout(WITHIN):
            while wanted not in events:
                more.clear()
                await more.wait()

    ready = asyncio.Event()
    run = asyncio.create_task(engine.run(deliver, started=ready.set))
    await ready.wait()
    file = tmp_path / "keys.pcapng"
    async with Phone([(0, Answers())]) as phone:
        engine.ring(A, Address("25", phone=phone.uri), caller_id="74993720692")
        await told(LegConnected(A))
        async with capture(file, phone.rtp_port):
            for key in KEYS:
                engine.send_key(A, key)
            await told(DtmfSent(A, KEYS[-1]))
            # The last key's first packet is on the wire; some more let the file be written.
            for _ in range(10):
                phone.audio.heard.clear()
                await phone.audio.heard.wait()
        run.cancel()
        await asyncio.wait({run})
        found = await key_times(file, phone.rtp_port)
    assert [key for key, _ in found] == [EVENTS[key] for key in KEYS]
    begun = found[0][1]
    for number, (_, at) in enumerate(found):
        assert at - begun == pytest.approx(number * SPACING, abs=AT_MOST_OFF)
