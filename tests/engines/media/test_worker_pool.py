"""Media workers: the engine's stories told again by them, and what becomes of calls when one dies.

Nothing here is simulated: workers are processes, and are killed.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
import wave
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from callwright.engines.media import worker_supervisor as seat
from callwright.engines.media.media import (
    MediaEngine,
    MediaWorkerLost,
    NoPorts,
    RtpStream,
    SrtpKeys,
    SrtpSuite,
)
from callwright.engines.media.wav import seconds_of
from callwright.engines.media.worker_pool import WorkerPool
from callwright.engines.port import (
    BridgeId,
    DtmfSent,
    LegGone,
    LegId,
    Media,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
)
from callwright.engines.quality import Quality
from tests.rtp_ports import free_range
from tests.waiting import WITHIN

from .phones import ANN, BOB, HOST, MESSAGE, MUSIC, Phone, RtcpEar
from .test_clips import write_wav
from .test_engine import BRIDGE, ONE, OTHER, Board, Setting, message, music

# The stories that are about the words of `MediaEngine` alone, and in which nothing is listened to.
# The fixture below has them told by a worker; for the others see `test_workers_in_real_time`.
from .test_engine import (  # isort: skip
    test_a_file_that_cannot_be_read_is_over_at_once_and_stops_no_call,
    test_commands_may_be_given_from_inside_an_event,
    test_keys_go_out_and_come_in,
)
from .test_hearing import test_commands_that_make_no_sense  # isort: skip

__all__ = [
    "message",
    "music",
    "test_a_file_that_cannot_be_read_is_over_at_once_and_stops_no_call",
    "test_commands_may_be_given_from_inside_an_event",
    "test_commands_that_make_no_sense",
    "test_keys_go_out_and_come_in",
]

THIRD = LegId(3)


@pytest.fixture(autouse=True)
def told_by_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Setting, "engine", partial(WorkerPool, 1))
    monkeypatch.setattr(Setting, "run", asyncio.run)
    # A worker that is kept from running says nothing, and is as good as any.
    monkeypatch.setattr(seat, "SILENT_AT_MOST", WITHIN)


class Workshop(Board[WorkerPool]):
    """A switchboard of workers."""

    @property
    def workers(self) -> WorkerPool:
        return self.engine

    def beside(self, leg: LegId, other: LegId, phone: Phone) -> None:
        phone.talk(self.engine.open(leg, [other]))
        self.engine.connect(leg, phone.stream)
        self.engine.answered(leg)


@asynccontextmanager
async def board_of(
    count: int, ports: tuple[int, int] | None = None, *, waits: bool = True
) -> AsyncIterator[Workshop]:
    """Workers that run; if ``waits``, all of them are at work."""
    board = Workshop(WorkerPool(count, HOST, None, ports or free_range(16), 30.0))
    started = asyncio.Event()
    running = asyncio.create_task(board.workers.run(board.deliver, started=started.set))
    await asyncio.sleep(0)
    if waits:
        async with asyncio.timeout(WITHIN):
            await started.wait()
    try:
        yield board
    finally:
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()


def story(tell: Callable[[Workshop], Awaitable[None]], workers: int = 2) -> None:
    async def told() -> None:
        async with board_of(workers) as board:
            await tell(board)

    asyncio.run(told())


def test_they_are_a_media_engine() -> None:
    async def tell(board: Workshop) -> None:
        engine: MediaEngine = board.workers
        assert engine.open(ONE)[0] == HOST

    story(tell)


def test_the_offered_address_is_the_advertised_one() -> None:
    async def told() -> None:
        workers = WorkerPool(1, HOST, "198.51.100.1", free_range(1), 30.0)
        running = asyncio.create_task(workers.run(lambda event: None))
        await asyncio.sleep(0)
        assert workers.open(ONE)[0] == "198.51.100.1"
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(told())


def test_legs_beside_one_another_share_a_worker_and_others_are_spread() -> None:
    async def tell(board: Workshop) -> None:
        workers = board.workers
        for leg in (ONE, OTHER):
            workers.open(leg)
        workers.open(THIRD, [LegId(77), OTHER])  # 77 has ended, or never was
        workers.open(LegId(4))  # goes to where there is one leg, not two
        carriers = [await carrying(board, LegId(number)) for number in (1, 2, 3, 4)]
        assert carriers[0] == carriers[3] != carriers[1] == carriers[2]

    story(tell)


def test_legs_that_were_not_opened_beside_one_another_come_together(music: Media) -> None:
    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann, Phone(BOB) as bob, Phone(ANN) as cat:
            at = board.up(ONE, ann)
            board.up(OTHER, bob)
            board.engine.play(ONE, PlaybackId(1), music, loop=True)
            await ann.until(lambda: ann.tones(-5)[MUSIC])
            assert await carrying(board, ONE) != await carrying(board, OTHER)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            await bob.until(lambda: bob.tones(-5)[ANN])
            # What held of the leg holds where it is now: it is on its old port, and hears music.
            await ann.hears(MUSIC)
            board.engine.stop(PlaybackId(1))
            await ann.hears(BOB)
            assert board.workers.port_of(ONE) == at[1]
            board.up(THIRD, cat)
            board.engine.bridge(BridgeId(2), OTHER, THIRD)
            await cat.hears(BOB)
            await ann.hears()
            assert board.events == []

    story(tell)


def test_legs_that_are_joined_with_others_stay_where_they_are() -> None:
    async def tell(board: Workshop) -> None:
        legs = ONE, OTHER, THIRD, LegId(4)
        board.engine.open(legs[0])
        board.engine.open(legs[1])
        board.engine.open(legs[2], [legs[0]])
        board.engine.open(legs[3], [legs[1]])
        board.engine.bridge(BRIDGE, legs[0], legs[2])
        board.engine.bridge(BridgeId(2), legs[1], legs[3])
        with pytest.raises(ValueError, match="elsewhere"):
            board.engine.bridge(BridgeId(3), legs[0], legs[1])

    story(tell)


def test_commands_to_a_leg_that_is_not_there() -> None:
    async def tell(board: Workshop) -> None:
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
        with pytest.raises(ValueError, match="open already"):
            engine.open(ONE)
        engine.stop(PlaybackId(1))
        engine.unbridge(BRIDGE)
        assert engine.close(OTHER) == Quality()

    story(tell)


def test_a_command_that_fails_over_there_costs_nobody_else_anything() -> None:
    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann:
            board.engine.open(OTHER)
            board.engine.connect(OTHER, RtpStream((HOST, 9), "G729", 18))
            board.up(ONE, ann)
            board.engine.send_key(ONE, "1")
            await board.told(DtmfSent(ONE, "1"))

    story(tell, workers=1)


def test_a_playback_that_was_stopped_while_its_end_was_on_the_way_does_not_finish(
    message: Media,
) -> None:
    """Its end lies in the channel when the stop is given: this process has slept over it."""

    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann, Phone(BOB) as bob:
            board.up(ONE, ann)
            board.beside(OTHER, ONE, bob)
            board.engine.play(ONE, PlaybackId(1), message, loop=False)
            board.engine.play(OTHER, PlaybackId(2), message, loop=False)
            await ann.until(lambda: ann.tones()[MESSAGE])
            time.sleep(1.0)  # noqa: ASYNC251 - three times the message
            board.engine.stop(PlaybackId(1))
            board.engine.close(OTHER)
            board.engine.send_key(ONE, "1")
            await board.told(DtmfSent(ONE, "1"))
            assert board.events == [DtmfSent(ONE, "1")]

    story(tell, workers=1)


def test_ports_run_out_and_come_back() -> None:
    async def told() -> None:
        async with board_of(2, free_range(2)) as board:
            ports = {board.engine.open(ONE)[1], board.engine.open(OTHER)[1]}
            assert len(ports) == 2
            with pytest.raises(NoPorts, match="rtp_ports"):
                board.engine.open(THIRD)
            board.engine.close(ONE)

            def is_free() -> bool:  # as soon as the worker has closed it
                try:
                    return board.engine.open(THIRD)[1] in ports
                except NoPorts:
                    return False

            await board.until(is_free)

    asyncio.run(told())


def test_the_quality_is_what_the_worker_last_told() -> None:
    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            quality = Quality()

            def told() -> bool:
                nonlocal quality
                quality = dict(board.workers.qualities())[ONE]
                return quality.received > 20

            await board.until(told)
            assert board.engine.close(ONE) == quality
            assert quality.lost == 0
            assert quality.sent > 20
            await ann.until(lambda: len(ann.came) >= quality.sent)

    story(tell, workers=1)


def test_closing_says_good_bye_to_the_far_end() -> None:
    async def tell(board: Workshop) -> None:
        ear = RtcpEar()
        board.engine.open(ONE)
        board.engine.connect(ONE, RtpStream(ear.address, "PCMA", 8))
        await asyncio.to_thread(ear.rtp.recv, 2048)  # who has sent nothing says no good-bye
        board.engine.close(ONE)
        good_bye = await asyncio.to_thread(ear.next_report)
        ear.close()
        assert good_bye is not None
        assert good_bye.bye

    story(tell)


def test_a_killed_worker_ends_its_legs_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann, Phone(BOB) as bob, Phone(ANN) as cat, Phone(BOB) as dan:
            board.up(ONE, ann)
            [first] = await carrying(board, ONE)
            board.up(THIRD, cat)
            board.beside(OTHER, ONE, bob)
            board.beside(LegId(4), THIRD, dan)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            board.engine.bridge(BridgeId(2), THIRD, LegId(4))
            await bob.until(lambda: bob.tones(-5)[ANN])
            await dan.until(lambda: dan.tones(-5)[ANN])
            heard = len(dan.came)
            os.kill(first, signal.SIGKILL)
            await board.told(MediaWorkerLost(ONE))
            await board.told(MediaWorkerLost(OTHER))
            for leg in (ONE, OTHER):
                board.engine.close(leg)
            await dan.hears(ANN, packets=30)
            assert not dan.tones(heard)[BOB]
            await cat.hears(BOB)
            assert len(board.events) == 2
            # Another has taken the place, and new calls are spread as before.
            await board.until(lambda: len(board.workers.process_ids) == 2)
            assert first not in board.workers.process_ids
            ann.hush()
            bob.hush()
            began = len(ann.came)
            board.up(LegId(5), ann)
            board.beside(LegId(6), LegId(5), bob)
            board.engine.bridge(BRIDGE, LegId(5), LegId(6))
            await ann.until(lambda: len(ann.came) > began and ann.tones(-5)[BOB])
            assert await carrying(board, LegId(5)) != await carrying(board, THIRD)

    story(tell)
    assert "media worker lost (it ended), and 2 legs with it" in caplog.text


def test_the_recording_of_a_killed_worker_is_told_and_can_be_heard(tmp_path: Path) -> None:
    async def tell(board: Workshop) -> None:
        file = tmp_path / "cut.wav"
        async with Phone(ANN) as ann, Phone(BOB) as bob:
            board.up(ONE, ann)
            board.beside(OTHER, ONE, bob)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            board.engine.record(RecordingId(7), ONE, OTHER, file)
            with pytest.raises(ValueError, match="of its own"):
                board.engine.record(RecordingId(7), ONE, OTHER, file)
            await board.until(lambda: (seconds_of(file) or 0.0) > 0.5)
            [worker] = await carrying(board, ONE)
            os.kill(worker, signal.SIGKILL)
            await board.told(MediaWorkerLost(ONE))
            await board.until(lambda: len(board.events) == 3)
            [ended] = [each for each in board.events if isinstance(each, RecordingFinished)]
            with wave.open(str(file)) as cut:
                assert cut.getnframes() > 0.5 * cut.getframerate()
                lasted = cut.getnframes() / cut.getframerate()
            assert ended == RecordingFinished(ONE, RecordingId(7), lasted)
            board.engine.stop_recording(RecordingId(7))

    story(tell)


def test_a_recording_that_a_killed_worker_has_not_begun_to_write_is_told_as_cut_off(
    tmp_path: Path,
) -> None:
    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann, Phone(BOB) as bob:
            board.up(ONE, ann)
            board.beside(OTHER, ONE, bob)
            await ann.hear(5)
            [worker] = await carrying(board, ONE)
            os.kill(worker, signal.SIGSTOP)
            board.engine.record(RecordingId(7), ONE, OTHER, tmp_path / "none.wav")
            os.kill(worker, signal.SIGKILL)
            await board.until(lambda: len(board.events) == 3)
            fault = "cut off: the media worker was lost"
            assert RecordingFinished(ONE, RecordingId(7), 0.0, fault) in board.events

    story(tell)


async def carrying(board: Workshop, leg: LegId) -> list[int]:
    """The workers that hold the sockets of a leg."""
    port = board.workers.port_of(leg)

    def holders() -> list[int]:
        return [
            each
            for each in board.workers.process_ids
            if any(used.laddr.port == port for used in psutil.Process(each).net_connections("udp"))
        ]

    await board.until(lambda: bool(holders()))
    return holders()


def test_without_any_worker_nothing_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat, "COMMAND", ("/nowhere/python",))
    monkeypatch.setattr(seat, "FIRST_PAUSE", 60.0)

    async def tell(board: Workshop) -> None:
        board.engine.open(ONE)  # one is about to be started
        await board.told(MediaWorkerLost(ONE))
        assert board.engine.close(ONE) == Quality()
        with pytest.raises(NoPorts, match="worker"):
            board.engine.open(OTHER)

    async def told() -> None:
        async with board_of(1, waits=False) as board:
            await tell(board)

    asyncio.run(told())


@pytest.mark.realtime
def test_a_worker_that_says_nothing_is_replaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(seat, "SILENT_AT_MOST", 3.0)

    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            await ann.hear(5)
            [process] = board.workers.process_ids
            os.kill(process, signal.SIGSTOP)
            await board.told(MediaWorkerLost(ONE))
            await board.until(lambda: board.workers.process_ids not in ([], [process]))
            assert not psutil.pid_exists(process)

    story(tell, workers=1)
    assert "silent for 3 s" in caplog.text


def test_a_signal_is_no_reason_for_a_worker_to_end() -> None:
    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            await ann.hear(5)
            [process] = board.workers.process_ids
            for each in (signal.SIGTERM, signal.SIGINT):
                os.kill(process, each)
            await ann.hear(20)
            assert board.workers.process_ids == [process]
            assert board.events == []

    story(tell, workers=1)


def test_when_they_stop_no_process_is_left() -> None:
    processes: list[int] = []

    async def tell(board: Workshop) -> None:
        await board.until(lambda: len(board.workers.process_ids) == 2)
        processes.extend(board.workers.process_ids)

    story(tell)
    assert processes
    assert not any(psutil.pid_exists(each) for each in processes)


PARENT = """
import asyncio
from callwright.engines.media.worker_pool import WorkerPool
from callwright.engines.media.wav import seconds_of
from callwright.engines.media.worker_pool import WorkerPool
async def main():
    workers = WorkerPool(2, "127.0.0.1", None, ({first}, {last}), 30.0)
    running = asyncio.create_task(workers.run(print))
    while len(workers.process_ids) < 2:
        await asyncio.sleep(0.01)
    print(*workers.process_ids, flush=True)
    await running
asyncio.run(main())
"""


def test_workers_do_not_outlive_a_service_that_is_killed() -> None:
    first, last = free_range(2)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(first=first, last=last)], stdout=subprocess.PIPE
    )
    assert parent.stdout
    workers = [psutil.Process(int(each)) for each in parent.stdout.readline().split()]
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(workers, timeout=WITHIN)
    assert alive == []


def test_a_finished_playback_is_told_once_and_leaves_nothing(tmp_path: Path) -> None:
    async def tell(board: Workshop) -> None:
        short = Media(write_wav(tmp_path / "short.wav", 0.1, MESSAGE))
        async with Phone(ANN) as ann:
            board.up(ONE, ann)
            for number in range(3):
                board.engine.play(ONE, PlaybackId(number), short, loop=False)
                await board.told(PlaybackFinished(ONE, PlaybackId(number)))
            board.engine.stop(PlaybackId(2))
            assert len(board.events) == 3

    story(tell, workers=1)


def test_keys_of_srtp_reach_a_worker_and_no_log(capfd: pytest.CaptureFixture[str]) -> None:
    keys = SrtpKeys(SrtpSuite.AES_80, os.urandom(30), os.urandom(30))

    async def tell(board: Workshop) -> None:
        async with Phone(ANN) as ann, Phone(BOB) as bob:
            board.up(ONE, ann)
            board.beside(OTHER, ONE, bob)
            here, there = LegId(11), LegId(12)
            at = board.engine.open(here, [ONE])
            to = board.engine.open(there, [ONE])
            turned = SrtpKeys(keys.suite, keys.theirs, keys.ours)
            board.engine.connect(here, RtpStream(to, "PCMA", 8, srtp=keys))
            board.engine.connect(there, RtpStream(at, "PCMA", 8, srtp=turned))
            board.engine.bridge(BRIDGE, ONE, here)
            board.engine.bridge(BridgeId(2), there, OTHER)
            await bob.hears(ANN)
            # A command that fails is logged, without what it said.
            board.engine.connect(here, RtpStream(to, "G729", 18, srtp=keys))
            board.engine.play(here, PlaybackId(1), Media(Path("none.wav")), loop=False)
            await board.told(PlaybackFinished(here, PlaybackId(1)))

    story(tell, workers=1)
    logged = capfd.readouterr().err
    assert "connect of 11 failed" in logged
    for key in (keys.ours, keys.theirs):
        for text in (b64encode(key), urlsafe_b64encode(key)):
            assert text.decode() not in logged
