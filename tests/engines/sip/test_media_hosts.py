"""Names in c= of SDP: the audio is connected at once, and again when the name is found."""

import asyncio
from collections.abc import Sequence

import pytest

from callwright.engines.media.media import RtpStream
from callwright.engines.port import Cause, LegId, LegReleased
from callwright.engines.simulated.far_end import Answers
from callwright.engines.sip.media_hosts import MediaHosts
from callwright.engines.sip.wire.hop import Hop
from tests.engines.sip.desk import running, to
from tests.engines.sip.media import RememberingMedia
from tests.engines.sip.phone import Phone
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

LEG = LegId(1)
NAMED = RtpStream(("media.example", 7000), "PCMA", 8)
ADDRESS = RtpStream(("192.0.2.9", 7000), "PCMA", 8)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Places:
    """Finds a name when it is told to; and remembers what was connected."""

    def __init__(self, *found: Hop) -> None:
        self.found = found
        self.connected: list[RtpStream] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.more = asyncio.Event()
        self.hosts = MediaHosts(self._connect, self._targets)

    def _connect(self, leg: LegId, stream: RtpStream) -> None:
        assert leg == LEG
        self.connected.append(stream)
        self.more.set()

    async def _targets(self, hop: Hop) -> Sequence[Hop]:
        assert hop == Hop("media.example", 7000)
        self.asked.set()
        await self.may_answer.wait()
        return self.found


async def test_an_address_is_connected_once() -> None:
    places = Places()
    places.hosts.connect(LEG, ADDRESS)
    assert places.connected == [ADDRESS]
    assert not places.asked.is_set()


async def test_a_name_is_connected_again_when_it_is_found() -> None:
    places = Places(Hop("192.0.2.9", 7000), Hop("192.0.2.10", 7000))
    places.hosts.connect(LEG, NAMED)
    assert places.connected == [NAMED]
    places.more.clear()
    places.may_answer.set()
    async with asyncio.timeout(WITHIN):
        await places.more.wait()
    assert places.connected == [NAMED, ADDRESS]


async def test_what_is_found_too_late_is_not_connected() -> None:
    places = Places(Hop("192.0.2.10", 7000))
    places.hosts.connect(LEG, NAMED)
    await places.asked.wait()
    places.hosts.connect(LEG, ADDRESS)
    places.may_answer.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert places.connected == [NAMED, ADDRESS]


async def test_a_leg_that_is_over_is_not_connected() -> None:
    places = Places(Hop("192.0.2.10", 7000))
    places.hosts.connect(LEG, NAMED)
    await places.asked.wait()
    places.hosts.forget(LEG)
    places.hosts.forget(LEG)
    places.may_answer.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert places.connected == [NAMED]


class Connected(RememberingMedia):
    """Tells where audio goes."""

    def __init__(self) -> None:
        super().__init__()
        self.remotes: list[str] = []
        self.twice = asyncio.Event()

    def connect(self, leg: LegId, stream: RtpStream) -> None:
        super().connect(leg, stream)
        self.remotes.append(stream.remote[0])
        if len(self.remotes) == 2:
            self.twice.set()


async def test_a_phone_that_names_itself_is_heard_at_its_address() -> None:
    media = Connected()
    async with Phone([(0, Answers())]) as phone, running(media=media) as desk:
        phone.sdp = phone.sdp.replace("c=IN IP4 127.0.0.1", "c=IN IP4 phone.localhost")
        desk.engine.ring(LEG, to(phone), caller_id="74993720692")
        async with asyncio.timeout(WITHIN):
            await media.twice.wait()
    assert media.remotes == ["phone.localhost", "127.0.0.1"]


async def test_audio_over_the_other_ip_is_no_call_without_sound() -> None:
    async with Phone([(0, Answers())]) as phone, running() as desk:
        phone.sdp = phone.sdp.replace("c=IN IP4 127.0.0.1", "c=IN IP6 2001:db8::9")
        desk.engine.ring(LEG, to(phone), caller_id="74993720692")
        ended = await desk.told(LegReleased)
    assert ended == LegReleased(LEG, Cause.UNREACHABLE, "488 no IPv4 address in the SDP")
