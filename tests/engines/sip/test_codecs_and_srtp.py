"""The SIP engine with its media against baresip: wideband codecs, SRTP, and who refuses whom."""

import asyncio
import logging
import re
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from callwright.config import SipSettings
from callwright.engines.media.srtp import Srtp
from callwright.engines.network import Trunk
from callwright.engines.port import (
    Address,
    BridgeId,
    Cause,
    DtmfReceived,
    EngineEvent,
    LegConnected,
    LegId,
    LegOffered,
    LegReleased,
    Media,
    PlaybackFinished,
    PlaybackId,
)
from callwright.engines.sip.engine import SipEngine
from demo.phones import Baresip, Behaviour, Phone, Softphone
from tests.autojump import jumping
from tests.engines.media.ears import strength
from tests.engines.media.engines import rtp_engine
from tests.engines.media.test_clips import write_wav
from tests.engines.sip.media import ids
from tests.rtp_ports import free_range
from tests.waiting import WITHIN

pytestmark = [pytest.mark.anyio]
baresip = pytest.mark.peer("baresip")

Event = TypeVar("Event", bound=EngineEvent)

A, B = LegId(1), LegId(2)
TALK = 2.0
"Seconds until the phones hang up."


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Switchboard:
    """A SIP engine with real media."""

    def __init__(self, settings: SipSettings) -> None:
        self.media = rtp_engine(ports=free_range(6))
        self.engine = SipEngine(settings, self.media, next_leg=ids())
        self.events: list[EngineEvent] = []
        self._more = asyncio.Event()

    def deliver(self, event: EngineEvent) -> None:
        self.events.append(event)
        self._more.set()

    async def told(self, kind: type[Event], leg: LegId | None = None) -> Event:
        async with asyncio.timeout(WITHIN):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and leg in (None, event.leg):
                        return event
                self._more.clear()
                await self._more.wait()

    def codec(self, leg: LegId) -> str:
        return self.media._line(leg).media.codec.name

    def ring(self, leg: LegId, phone: Phone, *, srtp: bool = False) -> None:
        to = Address("25", phone=phone.uri, srtp=srtp)
        self.engine.ring(leg, to, caller_id="74950000000")


@asynccontextmanager
async def switchboard(*codecs: str) -> AsyncIterator[Switchboard]:
    settings = SipSettings.model_validate({"port": 0, **({"codecs": codecs} if codecs else {})})
    board = Switchboard(settings)
    ready = asyncio.Event()
    running = asyncio.create_task(board.engine.run(board.deliver, started=ready.set))
    try:
        async with asyncio.timeout(WITHIN):
            await ready.wait()
        yield board
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@dataclass(slots=True)
class Judged:
    """What came to legs with SRTP."""

    senders: set[bytes] = field(default_factory=set)
    "SSRCs of RTP that was genuine."
    refused: list[bytes] = field(default_factory=list)
    "RTP and RTCP that was not."


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Judged:
    judged = Judged()
    unprotect, unprotect_rtcp = Srtp.unprotect, Srtp.unprotect_rtcp

    def rtp(srtp: Srtp, packet: bytes) -> bytes | None:
        plain = unprotect(srtp, packet)
        if plain is None:
            judged.refused.append(packet)
        else:
            judged.senders.add(plain[8:12])
        return plain

    def rtcp(srtp: Srtp, packet: bytes) -> bytes | None:
        plain = unprotect_rtcp(srtp, packet)
        if plain is None:
            judged.refused.append(packet)
        return plain

    monkeypatch.setattr(Srtp, "unprotect", rtp)
    monkeypatch.setattr(Srtp, "unprotect_rtcp", rtcp)
    return judged


BEGINNING = 18
"Bytes."


def sent_in_the_clear(sender: bytes) -> set[bytes]:
    """The `BEGINNING` of the RTCP that baresip 1.0 does not protect, even if it insists on SRTP.

    As it answers it opens the way through a NAT, before it has keys; when it has hung up it says
    good-bye, after it has put SRTP away. As a rule the leg has no keys yet when the one is read,
    and is closed when the other comes. But where we are kept from running, the answer or the BYE
    waits together with that packet, and either may be read first. A leg that has keys is right to
    refuse: with SRTP all RTCP is to be authenticated (RFC 3711 section 3.4).
    """
    return {
        b"\x80\xcc\x00\x03" + sender + b"PINGPONG",
        b"\x81\xcb\x00\x03" + sender + b"\x04Adjo\0\0\0" + b"\x81\xca",  # its name (SDES) follows
    }


Start = Callable[..., AbstractAsyncContextManager[Phone]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    names = iter(["one", "other"])

    @asynccontextmanager
    async def started(
        behaviour: Behaviour, make: Callable[..., Phone] = Baresip
    ) -> AsyncIterator[Phone]:
        phone = make(tmp_path / next(names), behaviour)
        await phone.start()
        try:
            yield phone
        finally:
            await phone.stop()

    return started


def hears(phone: Phone, hertz: float, *, begin: float = 0.5, end: float = 0.9) -> float:
    """How strong a tone was in a part of the call, whose parts are 0 to 1."""
    assert phone.heard is not None
    with wave.open(str(phone.heard.path), "rb") as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    part = sound[int(len(sound) * begin) : int(len(sound) * end)]
    assert len(part) > rate // 4
    return strength(part, hertz, rate)


async def talk(
    board: Switchboard, one: Phone, other: Phone, *codecs: str, srtp: bool = False
) -> None:
    """Join two phones, each with its codec, until they hang up."""
    board.ring(A, one, srtp=srtp)
    board.ring(B, other, srtp=srtp)
    await board.told(LegConnected, A)
    await board.told(LegConnected, B)
    assert [board.codec(A), board.codec(B)] == list(codecs)
    board.engine.bridge(BridgeId(1), A, B)
    for phone in (one, other):
        await phone.events.wait("recorded", within=WITHIN)


@pytest.mark.realtime
@baresip
@pytest.mark.parametrize(
    ("one", "other"),
    [("G722", "G722"), ("opus", "opus"), ("G722", "opus"), ("opus", "PCMA"), ("G722", "PCMU")],
)
async def test_two_baresips_hear_each_other(start: Start, one: str, other: str) -> None:
    async with (
        switchboard() as board,
        start(Behaviour(codec=one, says=600, hangs_up_after=TALK)) as ann,
        start(Behaviour(codec=other, says=1000, hangs_up_after=TALK)) as bob,
    ):
        await talk(board, ann, bob, one, other)
        assert hears(ann, 1000) > 2000
        assert hears(ann, 600) < 200
        assert hears(bob, 600) > 2000
        assert hears(bob, 1000) < 200


@pytest.mark.realtime
@baresip
@pytest.mark.parametrize("codec", ["G722", "opus"])
async def test_what_lies_above_4000_hz_gets_from_phone_to_phone(start: Start, codec: str) -> None:
    async with (
        switchboard() as board,
        start(Behaviour(codec=codec, says=6000, hangs_up_after=TALK)) as ann,
        start(Behaviour(codec=codec, says=5000, hangs_up_after=TALK)) as bob,
    ):
        await talk(board, ann, bob, codec, codec)
        assert hears(ann, 5000) > 1500
        assert hears(bob, 6000) > 1500


@pytest.mark.realtime
@baresip
@pytest.mark.parametrize("codec", ["G722", "opus"])
async def test_a_message_and_keys_in_wideband(start: Start, codec: str, tmp_path: Path) -> None:
    message = Media(write_wav(tmp_path / "message.wav", 1.5, 6000))
    async with (
        switchboard() as board,
        start(Behaviour(codec=codec, keys=[(0.3, "5")])) as ann,
    ):
        board.ring(A, ann)
        await board.told(LegConnected, A)
        assert board.codec(A) == codec
        board.engine.play(A, PlaybackId(1), message)
        await board.told(PlaybackFinished, A)
        assert await board.told(DtmfReceived, A) == DtmfReceived(A, "5")
        board.engine.send_key(A, "7")
        await ann.events.wait("key", within=WITHIN)
        await ann.hang_up()
        await ann.events.wait("recorded", within=WITHIN)
        assert hears(ann, 6000, begin=0.3, end=0.6) > 1500
        assert [key.key for key in ann.keys] == ["7"]


@pytest.mark.realtime
@baresip
@pytest.mark.parametrize("codec", ["PCMA", "G722"])
async def test_srtp_with_a_phone_that_asks_for_it(
    start: Start, codec: str, caplog: pytest.LogCaptureFixture, judged: Judged
) -> None:
    """Each packet of audio is genuine, and of their RTCP nothing is refused but what must be."""
    caplog.set_level(logging.DEBUG)
    async with (
        switchboard() as board,
        start(Behaviour(codec=codec, srtp=True, says=600, hangs_up_after=TALK)) as ann,
        start(Behaviour(codec=codec, srtp=True, says=1000, hangs_up_after=TALK)) as bob,
    ):
        await talk(board, ann, bob, codec, codec, srtp=True)
        assert hears(ann, 1000) > 2000
        assert hears(bob, 600) > 2000
        assert board.media.packets_unauthentic == len(judged.refused)
    assert len(judged.senders) == 2
    clear = [packet for sender in judged.senders for packet in sent_in_the_clear(sender)]
    for packet in judged.refused:
        assert packet[:BEGINNING] in clear, (len(packet), packet)
        clear.remove(packet[:BEGINNING])  # each comes once
    assert "inline:" not in caplog.text
    assert not re.search(r"[A-Za-z0-9+/]{40}", caplog.text)


@baresip
async def test_a_phone_without_srtp_is_not_talked_to_where_it_is_required(start: Start) -> None:
    async with switchboard() as board, start(Behaviour()) as ann:
        board.ring(A, ann, srtp=True)
        ended = await board.told(LegReleased, A)
        assert ended.cause is Cause.UNREACHABLE
        assert "SRTP" in ended.raw


async def test_a_softphone_of_plain_rtp_behind_a_trunk_with_srtp(start: Start) -> None:
    async with switchboard() as board, start(Behaviour(), Softphone) as ann:
        port = int(ann.uri.rpartition(":")[2])
        board.engine.use_trunks([Trunk("main", "127.0.0.1", port, srtp=True)])
        board.engine.ring(A, Address("79260000001", trunk="main"), caller_id="74950000000")
        ended = await board.told(LegReleased, A)
        assert ended.cause is Cause.UNREACHABLE
        assert "SRTP" in ended.raw


@jumping
@pytest.mark.parametrize("secure", [True, False])
async def test_two_engines_of_ours(
    tmp_path: Path, secure: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """One is the other's trunk; what each plays, the other's phone would hear."""
    caplog.set_level(logging.DEBUG)
    async with switchboard("opus") as near, switchboard("opus") as far:
        near.engine.use_trunks([Trunk("far", *far.engine.address, srtp=secure)])
        far.engine.use_trunks([Trunk("near", *near.engine.address, srtp=secure)])
        near.engine.ring(A, Address("79260000001", trunk="far"), caller_id="74950000000")
        offered = await far.told(LegOffered)
        far.engine.answer(offered.leg)
        await near.told(LegConnected, A)
        await far.told(LegConnected, offered.leg)
        near.engine.send_key(A, "4")
        assert await far.told(DtmfReceived, offered.leg) == DtmfReceived(offered.leg, "4")
        far.engine.send_key(offered.leg, "2")
        assert await near.told(DtmfReceived, A) == DtmfReceived(A, "2")
        assert near.media.packets_unauthentic == far.media.packets_unauthentic == 0
    assert "inline:" not in caplog.text


@jumping
async def test_a_caller_without_srtp_is_refused_where_the_trunk_requires_it() -> None:
    async with switchboard() as near, switchboard() as far:
        near.engine.use_trunks([Trunk("far", *far.engine.address)])
        far.engine.use_trunks([Trunk("near", *near.engine.address, srtp=True)])
        near.engine.ring(A, Address("79260000001", trunk="far"), caller_id="74950000000")
        ended = await near.told(LegReleased, A)
        assert (ended.cause, ended.raw) == (Cause.UNREACHABLE, "488 Not Acceptable Here")
        assert far.events == []
