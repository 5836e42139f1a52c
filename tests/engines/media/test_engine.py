"""The engine with real sockets, on a clock that jumps: who hears whom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from callwright.engines.media.clock import SLOT
from callwright.engines.media.engine import RtpEngine
from callwright.engines.media.g711 import FRAME, SILENCE, Law
from callwright.engines.media.media import (
    MediaEngine,
    MediaEvent,
    MediaLost,
    NoPorts,
    RtpStream,
)
from callwright.engines.media.rtp import Packet
from callwright.engines.port import (
    BridgeId,
    DtmfReceived,
    DtmfSent,
    LegGone,
    LegId,
    Media,
    PlaybackFinished,
    PlaybackId,
)
from callwright.engines.quality import Quality
from tests import autojump
from tests.rtp_ports import free_range
from tests.waiting import WITHIN

from .desk import EVENT, assert_one_stream
from .engines import rtp_engine
from .phones import ANN, BOB, HOST, MESSAGE, MUSIC, Phone, RtcpEar, only
from .test_clips import write_wav

ONE, OTHER = LegId(1), LegId(2)
BRIDGE = BridgeId(1)


EngineT = TypeVar("EngineT", bound=MediaEngine)


class Board(Generic[EngineT]):
    """A running engine and what it tells."""

    def __init__(self, engine: EngineT) -> None:
        self.engine = engine
        self.events: list[MediaEvent] = []
        self._changed = asyncio.Event()

    def deliver(self, event: MediaEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def told(self, event: MediaEvent) -> None:
        async with asyncio.timeout(WITHIN):
            while event not in self.events:
                self._changed.clear()
                await self._changed.wait()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for what the engine does not tell by an event."""
        async with asyncio.timeout(WITHIN):
            while not true():  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(SLOT)

    def up(self, leg: LegId, phone: Phone) -> tuple[str, int]:
        """Open, connect and answer a leg to a phone that talks."""
        at = self.engine.open(leg)
        phone.talk(at)
        self.engine.connect(leg, phone.stream)
        self.engine.answered(leg)
        return at


class Switchboard(Board[RtpEngine]):
    """With the engine of this process."""


class Setting:
    """Where the stories are told: what makes the engine, and the loop it runs on."""

    engine: Callable[[str, str | None, tuple[int, int], float], RtpEngine] = staticmethod(
        rtp_engine
    )
    run: Callable[[Coroutine[Any, Any, None]], None] = staticmethod(autojump.run)


@asynccontextmanager
async def switchboard(
    ports: tuple[int, int] | None = None, lost_after: float = 30.0
) -> AsyncIterator[Switchboard]:
    engine = Setting.engine(HOST, None, ports or free_range(4), lost_after)
    board = Switchboard(engine)
    running = asyncio.create_task(engine.run(board.deliver))
    await asyncio.sleep(0)  # one that never ran has nothing to close
    try:
        yield board
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def story(tell: Callable[[Switchboard], Awaitable[None]], lost_after: float = 30.0) -> None:
    async def told() -> None:
        async with switchboard(lost_after=lost_after) as board:
            await tell(board)

    Setting.run(told())


@pytest.fixture
def message(tmp_path: Path) -> Media:
    return Media(write_wav(tmp_path / "message.wav", 0.3, MESSAGE))


@pytest.fixture
def music(tmp_path: Path) -> Media:
    return Media(write_wav(tmp_path / "music.wav", 0.25, MUSIC))


def test_it_is_a_media_engine() -> None:
    async def told() -> None:
        async with switchboard() as board:
            engine: MediaEngine = board.engine
            assert engine.open(ONE)[0] == HOST

    Setting.run(told())


@pytest.mark.parametrize("law", Law)
def test_a_message_is_heard_to_its_end_and_then_silence(message: Media, law: Law) -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN, law) as ann:
            board.up(ONE, ann)
            board.engine.play(ONE, PlaybackId(7), message, loop=False)
            await board.told(PlaybackFinished(ONE, PlaybackId(7)))
            await ann.hear(10)
            assert ann.tones() == only(MESSAGE)
            assert await ann.hear(10) == only()
            assert_one_stream(ann.packets)
            sound = [p for p in ann.packets if p.payload != SILENCE[law]]
            assert abs(len(sound) - 15) <= 1
            assert len(board.events) == 1

    story(tell)


def test_the_first_packet_goes_out_with_the_connection() -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann:
            board.engine.open(ONE)
            connected = asyncio.get_running_loop().time()
            board.engine.connect(ONE, ann.stream)
            await ann.until(lambda: bool(ann.came))
            assert ann.packets[0].marker
            assert ann.packets[0].payload == SILENCE[Law.A]
            assert ann.came[0][0] <= connected + SLOT + 1e-9

    story(tell)


def test_music_loops_until_a_message_replaces_it_and_stop_brings_silence(
    message: Media, music: Media
) -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            board.engine.play(ONE, PlaybackId(1), music, loop=True)
            await ann.until(lambda: ann.tones()[MUSIC])
            assert await ann.hear(30) == only(MUSIC)
            board.engine.play(ONE, PlaybackId(2), message, loop=False)
            await board.told(PlaybackFinished(ONE, PlaybackId(2)))
            board.engine.play(ONE, PlaybackId(3), music, loop=True)
            await ann.hear(3)
            assert await ann.hear(10) == only(MUSIC)
            board.engine.stop(PlaybackId(3))
            board.engine.stop(PlaybackId(3))
            await ann.hear(2)
            assert await ann.hear(10) == only()
            assert board.events == [PlaybackFinished(ONE, PlaybackId(2))]
            assert_one_stream(ann.packets)

    story(tell)


@pytest.mark.parametrize("law", Law)
def test_bridged_phones_hear_each_other_and_not_themselves(law: Law) -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann, Phone(BOB, law) as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            await ann.hear(3)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            await ann.hear(3)
            await bob.hear(3)
            assert await ann.hear(20) == only(BOB)
            assert await bob.hear(20) == only(ANN)
            board.engine.unbridge(BRIDGE)
            board.engine.unbridge(BRIDGE)
            await ann.hear(2)
            await bob.hear(2)
            assert await ann.hear(10) == only()
            assert await bob.hear(10) == only()
            assert_one_stream(ann.packets)
            assert_one_stream(bob.packets)

    story(tell)


def test_a_message_over_a_bridge_is_heard_by_its_leg_alone(message: Media) -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann, Phone(BOB) as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            await bob.hear(5)
            began = len(bob.came)
            board.engine.play(ONE, PlaybackId(1), message, loop=False)
            await ann.until(lambda: ann.tones(-5)[MESSAGE])
            assert await ann.hear(5) == only(MESSAGE)
            await board.told(PlaybackFinished(ONE, PlaybackId(1)))
            assert bob.tones(began) == only(ANN)
            await ann.hear(2)
            assert await ann.hear(10) == only(BOB)
            assert_one_stream(ann.packets)
            assert_one_stream(bob.packets)

    story(tell)


def test_a_second_bridge_replaces_the_first() -> None:
    async def tell(board: Switchboard) -> None:
        third = LegId(3)
        async with Phone(ANN) as ann, Phone(BOB) as bob, Phone(MUSIC) as carl:
            for leg, phone in ((ONE, ann), (OTHER, bob), (third, carl)):
                board.up(leg, phone)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            await ann.hear(5)
            board.engine.bridge(BridgeId(2), ONE, third)
            for phone in (ann, bob, carl):
                await phone.hear(5)
            assert await ann.hear(10) == only(MUSIC)
            assert await carl.hear(10) == only(ANN)
            assert await bob.hear(10) == only()
            board.engine.unbridge(BRIDGE)
            assert await ann.hear(10) == only(MUSIC)
            board.engine.close(third)
            await ann.hear(3)
            assert await ann.hear(10) == only()

    story(tell)


def test_keys_go_out_and_come_in() -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann, Phone(BOB, dtmf=None) as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            board.engine.send_key(ONE, "4")
            board.engine.send_key(ONE, "2")
            assert board.events == []
            await board.told(DtmfSent(ONE, "2"))
            await ann.until(lambda: [p.payload_type for p in ann.packets].count(EVENT) == 14)
            events = [packet for packet in ann.packets if packet.payload_type == EVENT]
            assert [p.payload[0] for p in events] == [4] * 7 + [2] * 7
            assert_one_stream(ann.packets)
            ann.hush()
            ann.send(Packet(EVENT, 1000, 5000, 5, b"\x0b\x0a\x00\xa0", marker=True))
            ann.send(Packet(EVENT, 1001, 5000, 5, b"\x0b\x8a\x03\x20"))
            ann.send(Packet(EVENT, 1002, 9000, 5, b"\x0b\x8a\x03\x20"))
            await board.until(lambda: board.events.count(DtmfReceived(ONE, "#")) == 2)
            with pytest.raises(ValueError, match="no DTMF key"):
                board.engine.send_key(ONE, "12")

    story(tell)


def test_a_file_that_cannot_be_read_is_over_at_once_and_stops_no_call(
    tmp_path: Path, message: Media
) -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            board.engine.play(ONE, PlaybackId(1), Media(tmp_path / "none.wav"), loop=False)
            assert board.events == []
            await board.told(PlaybackFinished(ONE, PlaybackId(1)))
            board.engine.play(ONE, PlaybackId(2), Media(tmp_path / "none.wav"), loop=True)
            board.engine.play(ONE, PlaybackId(3), Media(tmp_path / "none.wav"), loop=False)
            board.engine.stop(PlaybackId(3))
            board.engine.play(ONE, PlaybackId(4), message, loop=False)
            await board.told(PlaybackFinished(ONE, PlaybackId(4)))
            assert len(board.events) == 2

    story(tell)


def test_a_playback_stopped_or_closed_before_its_end_does_not_finish(message: Media) -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann, Phone(BOB) as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            board.engine.play(ONE, PlaybackId(1), message, loop=False)
            board.engine.play(OTHER, PlaybackId(2), message, loop=False)
            await ann.until(lambda: ann.tones()[MESSAGE])
            board.engine.stop(PlaybackId(1))
            report = board.engine.close(OTHER)
            assert report.sent >= 1
            await ann.hear(30)
            assert board.events == []

    story(tell)


def test_a_leg_that_falls_silent_is_told_once() -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            board.engine.open(OTHER)  # never answered: nothing is expected of it
            await ann.hear(20)
            assert board.events == []
            ann.hush()
            await board.told(MediaLost(ONE))
            await ann.hear(40)
            assert board.events == [MediaLost(ONE)]

    story(tell, lost_after=0.3)


def test_closing_frees_the_port_reports_and_says_good_bye() -> None:
    async def tell(board: Switchboard) -> None:
        ear = RtcpEar()
        board.engine.open(ONE)
        board.engine.connect(ONE, RtpStream(ear.address, "PCMA", 8))
        await board.until(lambda: board.engine.qualities() == [(ONE, Quality(sent=1))])
        assert board.engine.close(ONE) == Quality(sent=1)
        good_bye = await asyncio.to_thread(ear.next_report)
        assert good_bye is not None
        assert good_bye.bye
        ear.close()
        assert board.engine.close(ONE) == Quality()

    story(tell)


def test_the_report_counts_what_came_and_what_did_not() -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            ann.hush()
            for sequence in (1, 2, 3, 6, 7, 7):
                ann.send(Packet(8, sequence, sequence * FRAME, 9, bytes(FRAME)))
            await board.until(lambda: board.engine.packets_overtaken == 1)
            report = board.engine.close(ONE)
            assert (report.received, report.lost) == (5, 2)
            assert report.sent >= 1

    story(tell)


def test_ports_run_out_and_come_back() -> None:
    async def told() -> None:
        async with switchboard(free_range(2)) as board:
            ports = {board.engine.open(ONE)[1], board.engine.open(OTHER)[1]}
            assert len(ports) == 2
            with pytest.raises(NoPorts):
                board.engine.open(LegId(3))
            board.engine.close(ONE)
            assert board.engine.open(LegId(3))[1] in ports
            with pytest.raises(ValueError, match="open already"):
                board.engine.open(OTHER)

    Setting.run(told())


def test_a_new_leg_on_an_old_port_hears_nothing_of_the_old_calls_packets() -> None:
    async def told() -> None:
        async with switchboard(free_range(1)) as board, Phone(ANN) as ann, Phone(BOB) as bob:
            at = board.up(ONE, ann)
            await ann.hear(3)
            board.engine.close(ONE)
            assert board.engine.open(OTHER) == at
            board.engine.connect(OTHER, bob.stream)
            bob.talk(at)
            await board.until(lambda: board.engine.packets_forged > 3)
            await bob.hear(5)
            assert board.engine.close(OTHER).lost == 0

    Setting.run(told())


def test_commands_to_a_leg_that_is_not_there() -> None:
    async def tell(board: Switchboard) -> None:
        engine = board.engine
        engine.open(ONE)
        commands: list[Callable[[], None]] = [
            lambda: engine.connect(OTHER, RtpStream((HOST, 9), "PCMA", 8)),
            lambda: engine.answered(OTHER),
            lambda: engine.play(OTHER, PlaybackId(1), Media(Path("x")), loop=False),
            lambda: engine.send_key(OTHER, "1"),
            lambda: engine.bridge(BRIDGE, ONE, OTHER),
        ]
        for command in commands:
            with pytest.raises(LegGone):
                command()
        with pytest.raises(ValueError, match="itself"):
            engine.bridge(BRIDGE, ONE, ONE)
        with pytest.raises(ValueError, match="G729"):
            engine.connect(ONE, RtpStream((HOST, 9), "G729", 18))

    story(tell)


def test_commands_may_be_given_from_inside_an_event(message: Media) -> None:
    """A far end presses two keys; at the first the call is ended: nothing more is told."""

    async def told() -> None:
        engine = Setting.engine(HOST, None, free_range(2), 30.0)
        events: list[MediaEvent] = []
        other_told = asyncio.Event()

        def deliver(event: MediaEvent) -> None:
            events.append(event)
            if event.leg == ONE:
                engine.close(ONE)
                engine.send_key(OTHER, "9")
            else:
                other_told.set()

        running = asyncio.create_task(engine.run(deliver))
        async with Phone(ANN) as ann, Phone(BOB) as bob:
            for leg, phone in ((ONE, ann), (OTHER, bob)):
                phone.talk(engine.open(leg))
                phone.hush()
                engine.connect(leg, phone.stream)
            engine.send_key(ONE, "1")
            engine.play(ONE, PlaybackId(1), message, loop=False)
            async with asyncio.timeout(WITHIN):
                await other_told.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert events == [DtmfSent(ONE, "1"), DtmfSent(OTHER, "9")]

    Setting.run(told())


def test_time_is_kept_in_the_middle_of_a_long_turn_of_the_loop() -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            await ann.until(lambda: bool(ann.came))
            [(_, before)] = board.engine.qualities()
            clock = autojump.clock()
            for _ in range(102):  # ms without a turn of the loop
                clock.now += 0.001
                board.engine.keep_time()
            [(_, after)] = board.engine.qualities()
            assert after.sent - before.sent == 5

    story(tell)


def test_nothing_is_told_of_a_leg_that_was_closed_in_the_same_turn() -> None:
    """Keys begin to go out on three legs in one slot; all are closed when told of the first."""

    async def told() -> None:
        engine = Setting.engine(HOST, None, free_range(4), 30.0)
        events: list[MediaEvent] = []

        def deliver(event: MediaEvent) -> None:
            events.append(event)
            for leg in legs:
                engine.close(leg)

        *legs, last = (LegId(number) for number in range(4))
        async with Phone(ANN) as ann:
            for leg in legs:
                engine.open(leg)
                engine.send_key(leg, "1")
                engine.connect(leg, ann.stream)  # the key goes out with it
            running = asyncio.create_task(engine.run(deliver))
            await ann.until(lambda: bool(events))
            engine.open(last)
            engine.send_key(last, "2")
            engine.connect(last, ann.stream)
            await ann.until(lambda: DtmfSent(last, "2") in events)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            assert events == [DtmfSent(legs[0], "1"), DtmfSent(last, "2")]

    Setting.run(told())


def test_events_of_the_time_before_it_runs_are_told_when_it_does(tmp_path: Path) -> None:
    async def told() -> None:
        engine = Setting.engine(HOST, "198.51.100.1", free_range(1), 30.0)
        board = Switchboard(engine)
        assert engine.open(ONE)[0] == "198.51.100.1"
        async with Phone(ANN) as ann:
            engine.connect(ONE, ann.stream)
            engine.play(ONE, PlaybackId(1), Media(tmp_path / "none.wav"), loop=False)
            running = asyncio.create_task(engine.run(board.deliver))
            await board.told(PlaybackFinished(ONE, PlaybackId(1)))
            await ann.hear(5)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    Setting.run(told())


def test_lateness_of_what_the_clock_sends_is_kept(music: Media) -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            await ann.hear(20)
            lateness = board.engine.send_lateness
            assert lateness.sent >= 15
            assert 0 < lateness.quantile(0.5) <= lateness.quantile(0.99)
            assert lateness.late <= lateness.sent

    story(tell)


def test_packets_are_collected_when_there_are_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other way in, here from a few packets on, loses nothing, and nor does the way back."""
    monkeypatch.setattr("callwright.engines.media.engine._COLLECT_FROM", 12)

    async def tell(board: Switchboard) -> None:
        async with Phone(ANN) as ann, Phone(BOB) as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            await board.until(lambda: board.engine.collecting)
            assert await bob.hear(20) == only(ANN)
            ann.hush()
            bob.hush()
            await board.until(lambda: not board.engine.collecting)
            ann.talk_on()
            await bob.until(lambda: bob.tones(-5)[ANN])
            assert_one_stream(bob.packets)

    story(tell)
