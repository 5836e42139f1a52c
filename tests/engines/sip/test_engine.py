"""The SIP engine on real sockets: what it tells the media, the caller and the network."""

import asyncio
import logging
import socket
from ipaddress import IPv4Address
from pathlib import Path

import anyio
import pytest

from callwright.config import SipSettings
from callwright.engines.media.media import (
    KeyForwarded,
    MediaEvent,
    MediaLost,
    MediaWorkerLost,
)
from callwright.engines.network import Trunk
from callwright.engines.port import (
    Address,
    BridgeId,
    Cause,
    DtmfReceived,
    DtmfSent,
    EngineEvent,
    LegConnected,
    LegGone,
    LegId,
    LegOffered,
    LegReleased,
    LegRinging,
    Media,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
    TransferAsked,
)
from callwright.engines.quality import Quality
from callwright.engines.simulated.far_end import Answers, HangsUp, Presses, Rejects, Rings
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.dialog.invite_server import IncomingInvite, read_invite
from callwright.engines.sip.engine import SipEngine
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.transaction.transactions import Timing
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, SipResponse
from callwright.engines.sip.wire.sdp import G711
from tests.engines.sip.desk import Desk, running, to
from tests.engines.sip.media import RememberingMedia, ids
from tests.engines.sip.phone import Phone

pytestmark = pytest.mark.anyio

A, B = LegId(1), LegId(2)
CALLER = "74993720692"


async def test_a_whole_call() -> None:
    async with Phone([(0, Rings()), (0, Answers())]) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        assert desk.events == []
        await desk.told(LegConnected)
        assert desk.media.asked == [("open", A), ("connect", A, "PCMA"), ("answered", A)]
        invite = await phone.got("INVITE")
        assert invite.from_address.uri.user == CALLER
        assert invite.contact[0].uri.port == desk.engine.address[1]
        assert b"m=audio 16386 " in invite.body
        await phone.got("ACK")
        desk.engine.hang_up(A)
        assert desk.events == [LegRinging(A), LegConnected(A)]
        await desk.told(LegReleased)
        assert desk.events[2:] == [LegReleased(A, Cause.RELEASED)]
        assert desk.media.asked[3:] == [("close", A)]
        await phone.got("BYE")


async def test_how_the_audio_came_over_is_told_with_the_end() -> None:
    async with Phone([(0, Answers())]) as phone, running() as desk:
        desk.media.quality = Quality(sent=100, received=98, lost=2, mos=4.1)
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        desk.engine.hang_up(A)
        assert await desk.told(LegReleased) == LegReleased(
            A, Cause.RELEASED, quality=Quality(sent=100, received=98, lost=2, mos=4.1)
        )


async def recorded(desk: Desk, phone: Phone, *recordings: RecordingId) -> None:
    """Ring, and record the leg; nothing of it is closed yet."""
    desk.engine.ring(A, to(phone), caller_id=CALLER)
    desk.engine.ring(B, to(phone), caller_id=CALLER)
    await desk.told(LegConnected)
    for recording in recordings:
        desk.engine.record(recording, A, B, Path("x.wav"))


async def test_the_end_of_a_leg_is_told_after_those_of_its_recordings() -> None:
    one, other = RecordingId(1), RecordingId(2)
    async with Phone([(0, Answers())]) as phone, running() as desk:
        await recorded(desk, phone, one, other)
        desk.engine.hang_up(A)
        await phone.got("BYE")
        for recording in (one, other):
            assert not [event for event in desk.events if isinstance(event, LegReleased)]
            desk.media.say(RecordingFinished(A, recording, 1.5))
        await desk.told(LegReleased)
        assert desk.events[-3:] == [
            RecordingFinished(A, one, 1.5),
            RecordingFinished(A, other, 1.5),
            LegReleased(A, Cause.RELEASED),
        ]
        with pytest.raises(LegGone):
            desk.engine.record(RecordingId(3), A, B, Path("x.wav"))


async def test_a_disk_that_does_not_answer_keeps_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callwright.engines.sip.engine.CLOSED_WITHIN", 0.05)
    recording = RecordingId(1)
    async with Phone([(0, Answers())]) as phone, running() as desk:
        await recorded(desk, phone, recording)
        desk.engine.hang_up(A)
        await desk.told(LegReleased)
        assert desk.events[-2:] == [
            RecordingFinished(A, recording, 0.0, "its file was not closed in time"),
            LegReleased(A, Cause.RELEASED),
        ]
        desk.media.say(RecordingFinished(A, recording, 9.0))
        desk.engine.hang_up(B)
        await desk.event(LegReleased(B, Cause.RELEASED))
        assert RecordingFinished(A, recording, 9.0) not in desk.events


async def test_every_end_is_told_at_the_last_also_of_legs_that_are_recorded() -> None:
    async with Phone([(0, Answers())]) as phone:
        async with running() as desk:
            await recorded(desk, phone, RecordingId(1))
        assert LegReleased(A, Cause.ENGINE_LOST, "shutdown") in desk.events


async def test_a_call_is_hung_up_from_within_an_event() -> None:
    async with Phone([(0, Answers())]) as phone, running() as desk:
        counts: list[int] = []

        def hang_up(event: EngineEvent) -> None:
            if isinstance(event, LegConnected):
                desk.engine.hang_up(event.leg)
                counts.append(len(desk.events))

        desk.on_event = hang_up
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegReleased)
        assert counts == [1]
        await phone.got("BYE")


async def test_commands_go_to_the_media_of_live_legs_only() -> None:
    async with Phone([(0, Answers())]) as phone, Phone([(0, Answers())]) as two, running() as desk:
        engine, media = desk.engine, Media(Path("hello.wav"))
        engine.ring(A, to(phone), caller_id=CALLER)
        engine.ring(B, to(two), caller_id=CALLER)
        engine.play(A, PlaybackId(7), media, loop=True)
        engine.stop(PlaybackId(7))
        engine.send_key(A, "5")
        engine.bridge(BridgeId(9), A, B)
        engine.unbridge(BridgeId(9))
        assert desk.media.asked[2:] == [
            ("play", A, 7, True),
            ("stop", 7),
            ("send_key", A, "5"),
            ("bridge", 9, A, B),
            ("unbridge", 9),
        ]
        engine.hang_up(B)
        with pytest.raises(LegGone):
            engine.bridge(BridgeId(9), A, B)
        with pytest.raises(LegGone):
            engine.play(B, PlaybackId(8), media)
        with pytest.raises(LegGone):
            engine.send_key(LegId(77), "1")
        with pytest.raises(ValueError, match="leg 1 is up"):
            engine.ring(A, to(phone), caller_id=CALLER)
        engine.hang_up(B)


async def test_what_the_media_says_is_passed_on_while_the_leg_lives() -> None:
    async with Phone([(0, Answers())]) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        said: list[MediaEvent] = [
            PlaybackFinished(A, PlaybackId(1)),
            DtmfSent(A, "1"),
            DtmfReceived(A, "2"),
        ]
        for event in said:
            desk.media.say(event)
        desk.media.say(DtmfReceived(B, "2"))
        desk.media.say(MediaLost(A))
        desk.media.say(DtmfReceived(A, "3"))
        ended = await desk.told(LegReleased)
        assert desk.events == [LegConnected(A), *said, ended]
        assert ended == LegReleased(A, Cause.MEDIA_LOST, "no RTP")
        await phone.got("BYE")


async def test_a_key_by_info_goes_to_the_media_which_tells_of_it() -> None:
    async with Phone([(0, Answers()), (0, Presses("5"))]) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.event(DtmfReceived(A, "5"))
        assert ("key_named", A, "5") in desk.media.asked
        assert desk.events.count(DtmfReceived(A, "5")) == 1


async def test_a_key_that_goes_by_the_signalling_is_sent_as_info() -> None:
    async with Phone([(0, Answers())]) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        desk.media.say(KeyForwarded(A, "5"))
        await phone.got("INFO")
        assert desk.events == [LegConnected(A)], "it is none of ours"


async def test_a_transfer_names_the_other_leg_of_the_phone() -> None:
    async with Phone([(0, Answers())]) as one, Phone([(0, Answers())]) as two, running() as desk:
        for leg, phone in ((A, one), (B, two)):
            desk.engine.ring(leg, to(phone), caller_id=CALLER)
            await desk.event(LegConnected(leg))
        invite = await two.got("INVITE")
        ours = invite.headers["From"].partition("tag=")[2]
        named = f"{invite.headers['Call-ID']};to-tag={ours};from-tag=far"
        one.refer("101", named)
        await desk.event(TransferAsked(A, "101", B))
        desk.engine.report_transfer(A, None)
        told = await one.got("NOTIFY", times=2)
        assert told.body == b"SIP/2.0 200 OK\r\n"
        # A call that is not with us: nobody is asked, and the phone keeps its call.
        one.refer("101", named.replace("far", "near"))
        assert (await one.got("NOTIFY", times=4)).body.startswith(b"SIP/2.0 481 ")
        assert sum(isinstance(event, TransferAsked) for event in desk.events) == 1


async def test_a_second_call_of_a_phone_has_its_audio_beside_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may join the two; media workers do not exchange packets."""

    def of_phone(
        _: Admission, request: SipRequest, source: Hop, now: float, *, tag: str
    ) -> IncomingInvite | SipResponse:
        nobody = DigestClient(None, None)
        return read_invite(
            request,
            source,
            caller="25",
            called="102",
            trunk=None,
            digest=nobody,
            speech=G711,
            tag=tag,
            natted=False,
        )

    monkeypatch.setattr(Admission, "invited", of_phone)
    async with Phone([(0, Answers())]) as one, Phone([(0, Answers())]) as two, running() as desk:
        desk.engine.ring(A, to(one), caller_id=CALLER)
        await desk.event(LegConnected(A))
        two.call(("127.0.0.1", desk.engine.address[1]), caller="25", called="102")
        offered = await desk.told(LegOffered)
        assert desk.media.near[offered.leg] == [A]


async def test_a_lost_media_worker_ends_its_legs() -> None:
    async with Phone([(0, Answers())]) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        desk.media.say(MediaWorkerLost(A))
        assert await desk.told(LegReleased) == LegReleased(
            A, Cause.ENGINE_LOST, "media worker lost"
        )
        assert ("close", A) in desk.media.asked
        await phone.got("BYE")


async def test_no_port_is_left() -> None:
    async with running(media=RememberingMedia(ports=0)) as desk:
        desk.engine.ring(A, Address("25", phone="sip:25@127.0.0.1:9"), caller_id=CALLER)
        assert desk.events == []
        assert await desk.told(LegReleased) == LegReleased(
            A, Cause.NO_RESOURCES, "no RTP port left"
        )


@pytest.mark.parametrize(
    ("address", "raw"),
    [
        (Address("7", trunk="nobody"), "no trunk 'nobody'"),
        (Address("7"), "not registered"),
        (Address("7", phone="tel:7"), "contact of the phone: tel is not supported, only sip"),
        (Address("7", phone="25"), "contact of the phone: URI without scheme"),
        (Address("7", phone="sip:25@h\r\nX: y"), "contact of the phone: URI with white space or"),
        (Address("7", phone="sip:25@no-such-host.invalid"), "cannot be sent"),
    ],
)
async def test_an_address_without_a_way(address: Address, raw: str) -> None:
    async with running() as desk:
        desk.engine.ring(A, address, caller_id=CALLER)
        ended = await desk.told(LegReleased)
        assert isinstance(ended, LegReleased)
        assert ended.cause is Cause.UNREACHABLE
        assert ended.raw.startswith(raw)


async def test_a_host_name_is_looked_up() -> None:
    async with Phone([(0, Answers())]) as phone, running() as desk:
        uri = f"sip:25@localhost:{phone.address[1]}"
        desk.engine.ring(A, Address("25", phone=uri), caller_id=CALLER)
        await desk.told(LegConnected)


async def test_a_number_is_rung_through_its_trunk() -> None:
    async with Phone([(0, Rejects(Cause.BUSY, "486 Busy Here"))]) as carrier, running() as desk:
        trunk = Trunk("out", "127.0.0.1", carrier.address[1], caller_id_header="pai")
        desk.engine.use_trunks([trunk])
        desk.engine.ring(A, Address("7495#1 2", trunk="out"), caller_id=CALLER)
        ended = await desk.told(LegReleased)
        assert ended == LegReleased(A, Cause.BUSY, "486 Busy Here")
        invite = await carrier.got("INVITE")
        assert invite.uri.user == "7495#1 2"
        assert str(invite.uri).startswith("sip:7495%231%202@127.0.0.1:")
        assert invite.headers["P-Asserted-Identity"] == f"<sip:{CALLER}@127.0.0.1>"


async def test_nobody_is_shown_without_a_caller_id() -> None:
    async with Phone([(0, Answers())]) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id="")
        invite = await phone.got("INVITE")
        assert str(invite.from_address.uri) == "sip:anonymous@anonymous.invalid"


async def test_the_engine_says_farewell_when_it_is_cancelled() -> None:
    async with (
        Phone([(0, Answers())]) as talking,
        Phone([(0, Rings())]) as ringing,
        Phone([(0, Answers()), (0, HangsUp())]) as gone,
    ):
        async with running() as desk:
            for leg, phone in enumerate((talking, ringing, gone)):
                desk.engine.ring(LegId(leg), to(phone), caller_id=CALLER)
            await desk.told(LegReleased)
            await desk.told(LegRinging)
            await desk.told(LegConnected)
        ended = {event.leg: event.cause for event in desk.events if isinstance(event, LegReleased)}
        assert ended == {
            LegId(0): Cause.ENGINE_LOST,
            LegId(1): Cause.ENGINE_LOST,
            LegId(2): Cause.HUNG_UP,
        }
        assert desk.media.asked[-1] == ("ended",)
        await talking.got("BYE")
        await ringing.got("CANCEL")
        await ringing.got("ACK")
        assert len(talking.requests) == 3


async def test_the_farewell_is_said_in_a_task_group_that_is_cancelled() -> None:
    desk = Desk(RememberingMedia(), SipSettings(port=0), Timing())
    async with Phone([(0, Answers())]) as phone:
        async with anyio.create_task_group() as tasks:
            ready = anyio.Event()
            tasks.start_soon(lambda: desk.engine.run(desk.deliver, started=ready.set))
            await ready.wait()
            desk.engine.ring(A, to(phone), caller_id=CALLER)
            await desk.told(LegConnected)
            tasks.cancel_scope.cancel()
        await phone.got("BYE")
        assert desk.media.ended


async def test_the_farewell_is_bounded() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with running(timing=Timing()) as desk:
            uri = f"sip:25@127.0.0.1:{silent.getsockname()[1]}"
            desk.engine.ring(A, Address("25", phone=uri), caller_id=CALLER)
            began = asyncio.get_running_loop().time()
        # The INVITE itself would be sent for 32 seconds.
        assert asyncio.get_running_loop().time() - began < 16
        assert desk.events == [LegReleased(A, Cause.ENGINE_LOST, "shutdown")]


async def test_a_media_engine_that_fails_takes_the_engine_with_it() -> None:
    media = RememberingMedia()
    desk = Desk(media, SipSettings(port=0), Timing(t1=0.02))
    async with Phone([(0, Answers())]) as phone:
        ready = asyncio.Event()
        run = asyncio.create_task(desk.engine.run(desk.deliver, started=ready.set))
        await ready.wait()
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        media.fault.set_exception(OSError("no sockets"))
        with pytest.raises(OSError, match="no sockets"):
            await run
        assert desk.events[-1] == LegReleased(A, Cause.ENGINE_LOST, "shutdown")
        await phone.got("BYE")


async def test_a_port_that_is_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        engine = SipEngine(
            SipSettings(port=taken.getsockname()[1]), RememberingMedia(), next_leg=ids()
        )
        with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
            await engine.run(lambda event: None, started=lambda: None)


async def test_garbage_between_the_packets_of_a_call() -> None:
    async with Phone([(0, Rings()), (0.05, Answers())]) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegRinging)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for size in (1, 60, 1400):
                stranger.sendto(bytes(range(1, 6)) * size, desk.engine.address)
        await desk.told(LegConnected)
        assert sum(desk.engine.dropped.values()) == 3


async def test_what_the_far_end_is_told_about_us() -> None:
    settings = SipSettings(port=0, advertise=IPv4Address("127.0.0.66"), user_agent="a\r\nB: c")
    async with Phone([]) as phone, running(settings=settings) as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        invite = await phone.got("INVITE")
        assert invite.via[0].host == "127.0.0.66"
        assert invite.contact[0].uri.host == "127.0.0.66"
        assert invite.headers["User-Agent"] == "a B: c"


async def test_no_full_number_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with Phone([(0, Answers())]) as phone, running() as desk:
        desk.engine.ring(A, Address("79261234567", phone=phone.uri), caller_id=CALLER)
        await desk.told(LegConnected)
    assert "4567" in caplog.text
    assert "79261234567" not in caplog.text
    assert CALLER not in caplog.text
