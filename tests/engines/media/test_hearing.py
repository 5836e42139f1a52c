"""Who hears whom, and what is recorded: every party has a tone of its own, on real sockets."""

import asyncio
import stat
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callwright.engines.media import engine as engine_module
from callwright.engines.media.recording import Recording
from callwright.engines.media.rtp import Packet
from callwright.engines.port import (
    BridgeId,
    CoachMode,
    DtmfReceived,
    LegGone,
    LegId,
    Media,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
)

from .desk import EVENT, assert_one_stream
from .ears import strength
from .phones import ANN, BOB, LOUD, MESSAGE, MUSIC, Phone, only
from .test_clips import write_wav
from .test_engine import Switchboard, story

OPERATOR, CONTACT, COACH, SECOND = LegId(1), LegId(2), LegId(3), LegId(4)
BRIDGE, RECORDING = BridgeId(1), RecordingId(1)
CARL = MESSAGE
DORA = MUSIC


async def settled(*phones: Phone) -> None:
    """Wait until nothing of what was before a change is on its way any more."""
    await asyncio.gather(*(phone.hear(10) for phone in phones))


async def heard(*phones: Phone) -> list[dict[float, bool]]:
    """Tell which tones each of them hears, once what was before is over."""
    await settled(*phones)
    return await asyncio.gather(*(phone.hear(12) for phone in phones))


def coached(
    tell: Callable[[Switchboard, Phone, Phone, Phone], Awaitable[None]],
    codecs: tuple[str, str, str] = ("PCMA", "PCMA", "PCMA"),
) -> None:
    """Tell a story with an operator (ANN), a contact (BOB), bridged, and a third (CARL)."""

    async def told(board: Switchboard) -> None:
        async with (
            Phone(ANN, codecs[0]) as ann,
            Phone(BOB, codecs[1]) as bob,
            Phone(CARL, codecs[2]) as carl,
        ):
            for leg, phone in ((OPERATOR, ann), (CONTACT, bob), (COACH, carl)):
                board.up(leg, phone)
            board.engine.bridge(BRIDGE, OPERATOR, CONTACT)
            await tell(board, ann, bob, carl)
            for phone in (ann, bob, carl):
                assert_one_stream(phone.packets)

    story(told)


HEARD = {
    CoachMode.LISTEN: ((BOB,), (ANN,)),
    CoachMode.WHISPER: ((BOB, CARL), (ANN,)),
    CoachMode.BARGE: ((BOB, CARL), (ANN, CARL)),
}
"What the operator and the contact hear in each mode."


@pytest.mark.parametrize("mode", CoachMode)
def test_a_coach_hears_both_and_is_heard_as_the_mode_says(mode: CoachMode) -> None:
    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        board.engine.coach(COACH, OPERATOR, mode)
        operator, contact = HEARD[mode]
        expected = [only(*operator), only(*contact), only(ANN, BOB)]
        assert await heard(ann, bob, carl) == expected
        board.engine.stop_coaching(COACH)
        board.engine.stop_coaching(COACH)
        assert await heard(ann, bob, carl) == [only(BOB), only(ANN), only()]

    coached(tell)


@pytest.mark.parametrize(
    "codecs", [("PCMU", "PCMA", "G722"), ("G722", "opus", "PCMA")], ids=" ".join
)
def test_everybody_is_mixed_whatever_the_codec(codecs: tuple[str, str, str]) -> None:
    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        board.engine.coach(COACH, OPERATOR, CoachMode.BARGE)
        assert await heard(ann, bob, carl) == [only(BOB, CARL), only(ANN, CARL), only(ANN, BOB)]

    coached(tell, codecs)


def test_the_mode_changes_and_coaching_goes_with_the_coached_into_another_bridge() -> None:
    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        board.engine.coach(COACH, OPERATOR, CoachMode.LISTEN)
        board.engine.coach(COACH, OPERATOR, CoachMode.WHISPER)
        assert await heard(ann) == [only(BOB, CARL)]
        board.engine.unbridge(BRIDGE)
        assert await heard(ann, bob, carl) == [only(CARL), only(), only(ANN)]
        async with Phone(DORA) as dora:
            board.up(SECOND, dora)
            board.engine.bridge(BridgeId(2), SECOND, OPERATOR)
            assert await heard(ann, carl, dora) == [only(DORA, CARL), only(ANN, DORA), only(ANN)]
            board.engine.close(OPERATOR)
            assert await heard(carl, dora) == [only(), only()]
        board.engine.stop_coaching(COACH)

    # The operator's stream ends in mid-story, and is one stream up to there.
    coached(tell)


def test_several_coaches_do_not_hear_each_other() -> None:
    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        async with Phone(DORA) as dora:
            board.up(SECOND, dora)
            board.engine.coach(COACH, OPERATOR, CoachMode.WHISPER)
            board.engine.coach(SECOND, OPERATOR, CoachMode.WHISPER)
            assert await heard(ann, bob, carl, dora) == [
                only(BOB, CARL, DORA),
                only(ANN),
                only(ANN, BOB),
                only(ANN, BOB),
            ]
            board.engine.close(COACH)
            assert await heard(ann) == [only(BOB, DORA)]

    coached(tell)


def test_a_muted_leg_is_heard_by_nobody_and_hears_everybody() -> None:
    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        board.engine.coach(COACH, OPERATOR, CoachMode.BARGE)
        board.engine.mute(OPERATOR, muted=True)
        assert await heard(ann, bob, carl) == [only(BOB, CARL), only(CARL), only(BOB)]
        board.engine.mute(OPERATOR, muted=False)
        board.engine.mute(COACH, muted=True)
        assert await heard(ann, bob, carl) == [only(BOB), only(ANN), only(ANN, BOB)]

    coached(tell)


def test_a_playback_is_for_its_own_ear_also_where_several_are_heard(tmp_path: Path) -> None:
    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        message = Media(write_wav(tmp_path / "message.wav", 1.0, MUSIC))
        board.engine.coach(COACH, OPERATOR, CoachMode.WHISPER)
        await settled(ann, carl)
        board.engine.play(OPERATOR, PlaybackId(1), message, loop=False)
        await ann.until(lambda: ann.tones(-5)[MUSIC])
        assert await ann.hear(15) == only(MUSIC)
        assert await carl.hear(15) == only(ANN, BOB)
        await board.told(PlaybackFinished(OPERATOR, PlaybackId(1)))
        assert await heard(ann) == [only(BOB, CARL)]

    coached(tell)


def test_keys_go_to_the_partner_once_and_not_to_the_coach() -> None:
    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        board.engine.coach(COACH, OPERATOR, CoachMode.WHISPER)
        await settled(ann, carl)
        for step in range(1, 5):
            end = 0x80 if step == 4 else 0
            payload = bytes((5, end | 10)) + (160 * step).to_bytes(2)
            # In the stream of the contact's voice, between its packets.
            number, timestamp = bob.sequence + step - 1, 70_000_000
            bob.send(Packet(EVENT, number, timestamp, 5, payload, marker=step == 1))
        bob.sequence += 4
        await board.told(DtmfReceived(CONTACT, "5"))
        await ann.until(lambda: [p.payload_type for p in ann.packets].count(EVENT) == 7)
        assert {p.payload[0] for p in ann.packets if p.payload_type == EVENT} == {5}
        await settled(ann, carl)
        assert EVENT not in {packet.payload_type for packet in carl.packets}
        assert await ann.hear(15) == only(BOB, CARL)

    coached(tell)


def test_commands_that_make_no_sense() -> None:
    async def tell(board: Switchboard) -> None:
        engine = board.engine
        engine.open(OPERATOR)
        gone = LegId(9)
        commands: list[Callable[[], None]] = [
            lambda: engine.mute(gone, muted=True),
            lambda: engine.coach(gone, OPERATOR, CoachMode.LISTEN),
            lambda: engine.coach(OPERATOR, gone, CoachMode.LISTEN),
            lambda: engine.record(RECORDING, OPERATOR, gone, Path("x")),
        ]
        for command in commands:
            with pytest.raises(LegGone):
                command()
        engine.stop_coaching(gone)
        engine.stop_recording(RECORDING)
        with pytest.raises(ValueError, match="itself"):
            engine.coach(OPERATOR, OPERATOR, CoachMode.LISTEN)
        with pytest.raises(ValueError, match="two legs"):
            engine.record(RECORDING, OPERATOR, OPERATOR, Path("x"))

    story(tell)


# Recordings.


class Recorded:
    """What is in a recording."""

    def __init__(self, path: Path) -> None:
        with wave.open(str(path)) as file:
            assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
            self.rate = file.getframerate()
            sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        self.left, self.right = sound[::2], sound[1::2]

    @property
    def seconds(self) -> float:
        return float(len(self.left) / self.rate)

    def tones(self, begin: float, end: float) -> tuple[dict[float, bool], dict[float, bool]]:
        """Which tones are left and right in a stretch, from its share of the whole to another."""
        first, last = (int(share * len(self.left)) for share in (begin, end))
        left, right = (
            {
                hertz: strength(side[first:last], hertz, self.rate) > LOUD
                for hertz in (ANN, BOB, MESSAGE, MUSIC)
            }
            for side in (self.left, self.right)
        )
        return left, right


async def finished(board: Switchboard) -> RecordingFinished:
    def told() -> list[RecordingFinished]:
        return [event for event in board.events if isinstance(event, RecordingFinished)]

    await board.until(lambda: bool(told()))
    (event,) = told()
    return event


def test_a_recording_holds_what_two_say_to_each_other(tmp_path: Path) -> None:
    path = tmp_path / "recordings" / "today" / "1.wav"

    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        message = Media(write_wav(tmp_path / "message.wav", 0.2, MUSIC))
        board.engine.coach(COACH, OPERATOR, CoachMode.BARGE)
        board.engine.record(RECORDING, OPERATOR, CONTACT, path)
        board.engine.play(CONTACT, PlaybackId(1), message, loop=True)
        await carl.hear(45)
        board.engine.stop_recording(RECORDING)
        board.engine.stop_recording(RECORDING)
        event = await finished(board)
        assert (event.leg, event.recording, event.fault) == (OPERATOR, RECORDING, "")
        recorded = Recorded(path)
        assert recorded.rate == 8000
        assert event.duration == pytest.approx(recorded.seconds)
        assert recorded.seconds > 0.8
        assert recorded.tones(0.2, 0.9) == (only(ANN), only(BOB))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    coached(tell)


def test_who_is_muted_or_parted_is_silent_in_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "1.wav"

    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        async def stretch() -> None:
            await carl.hear(30)  # 0.6 s each, by its own packets

        board.engine.record(RECORDING, CONTACT, OPERATOR, path)
        await stretch()
        board.engine.mute(CONTACT, muted=True)
        await stretch()
        board.engine.mute(CONTACT, muted=False)
        board.engine.bridge(BridgeId(2), OPERATOR, COACH)
        await stretch()
        board.engine.bridge(BRIDGE, OPERATOR, CONTACT)
        await stretch()
        board.engine.close(CONTACT)
        event = await finished(board)
        assert event.leg == CONTACT
        recorded = Recorded(path)
        assert recorded.tones(0.05, 0.23) == (only(BOB), only(ANN))
        assert recorded.tones(0.32, 0.48) == (only(), only(ANN))
        assert recorded.tones(0.57, 0.73) == (only(), only())
        assert recorded.tones(0.82, 0.98) == (only(BOB), only(ANN))

    coached(tell)


def test_one_leg_alone_is_recorded_whoever_hears_it(tmp_path: Path) -> None:
    """A voicemail: what the leg says, and silence on the right."""
    path = tmp_path / "1.wav"

    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        message = Media(write_wav(tmp_path / "message.wav", 0.2, MUSIC))
        board.engine.unbridge(BRIDGE)
        board.engine.record(RECORDING, CONTACT, None, path)
        board.engine.play(CONTACT, PlaybackId(1), message, loop=True)
        await carl.hear(30)
        board.engine.mute(CONTACT, muted=True)
        await carl.hear(30)
        board.engine.stop_recording(RECORDING)
        event = await finished(board)
        assert (event.leg, event.fault) == (CONTACT, "")
        recorded = Recorded(path)
        assert recorded.tones(0.1, 0.45) == (only(BOB), only())
        assert recorded.tones(0.6, 0.95) == (only(), only())

    coached(tell)


def test_a_recording_of_two_wideband_legs_is_wideband(tmp_path: Path) -> None:
    path = tmp_path / "1.wav"

    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        board.engine.record(RECORDING, OPERATOR, CONTACT, path)
        board.engine.record(RecordingId(2), COACH, CONTACT, tmp_path / "2.wav")
        await ann.hear(35)
        board.engine.stop_recording(RECORDING)
        await finished(board)
        recorded = Recorded(path)
        assert recorded.rate == 16000
        assert recorded.tones(0.3, 0.9) == (only(ANN), only(BOB))
        board.engine.stop_recording(RecordingId(2))
        await board.until(lambda: len(board.events) == 2)
        assert Recorded(tmp_path / "2.wav").rate == 8000

    coached(tell, ("G722", "opus", "PCMA"))


def test_a_recording_that_cannot_be_written_says_so_and_the_call_goes_on(tmp_path: Path) -> None:
    (tmp_path / "taken.wav").write_bytes(b"somebody's")

    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        board.engine.record(RECORDING, OPERATOR, CONTACT, tmp_path / "taken.wav")
        event = await finished(board)
        assert event == RecordingFinished(OPERATOR, RECORDING, 0.0, "File exists")
        board.engine.stop_recording(RECORDING)
        assert await heard(ann) == [only(BOB)]
        assert (tmp_path / "taken.wav").read_bytes() == b"somebody's"

    coached(tell)


def test_recordings_that_run_are_whole_when_the_engine_ends(tmp_path: Path) -> None:
    path = tmp_path / "1.wav"

    async def tell(board: Switchboard, ann: Phone, bob: Phone, carl: Phone) -> None:
        board.engine.record(RECORDING, OPERATOR, CONTACT, path)
        await carl.hear(40)

    coached(tell)
    recorded = Recorded(path)
    assert recorded.seconds > 0.7
    assert recorded.tones(0.2, 0.95) == (only(ANN), only(BOB))


class Counted(Recording):
    """A recording that counts how often it is asked for 20 ms of sound."""

    ticks = 0

    def tick(self, due: float) -> bool:
        self.ticks += 1
        return super().tick(due)


def stop(board: Switchboard) -> None:
    board.engine.stop_recording(RECORDING)


def leave(board: Switchboard) -> None:
    board.engine.close(OPERATOR)


def fail(board: Switchboard) -> None:
    """Nothing is to be done: its file is somebody else's."""


@pytest.mark.parametrize("end", [stop, leave, fail])
def test_a_recording_that_has_ended_is_asked_for_no_more_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[Switchboard], None]
) -> None:
    begun: list[Counted] = []

    def recording(*arguments: Any) -> Counted:
        begun.append(Counted(*arguments))
        return begun[-1]

    monkeypatch.setattr(engine_module, "Recording", recording)
    if end is fail:
        (tmp_path / "1.wav").write_bytes(b"somebody's")

    async def tell(board: Switchboard) -> None:
        board.engine.open(OPERATOR)
        board.engine.open(CONTACT)
        board.engine.record(RECORDING, OPERATOR, None, tmp_path / "1.wav")
        if end is not fail:
            await board.until(lambda: begun[0].ticks >= 2)
        end(board)
        await finished(board)
        ended_at = begun[0].ticks
        # One clock beats for all of them: whatever is on it would be asked in between.
        board.engine.record(RecordingId(2), CONTACT, None, tmp_path / "2.wav")
        await board.until(lambda: begun[1].ticks >= 3)
        assert begun[0].ticks == ended_at

    story(tell)
