"""A recording's line of time, at a time made by hand."""

import numpy as np
from numpy.typing import NDArray

from callwright.engines.media.clock import CATCH_UP, SLOT, SlotClock
from callwright.engines.media.codec import PCMA
from callwright.engines.media.g711 import FRAME, SILENCE, Law
from callwright.engines.media.jitter_buffer import JitterBuffer
from callwright.engines.media.receiver_statistics import ReceiverStatistics
from callwright.engines.media.recording import PIECE, Recording

CLICK = b"\x2a" * FRAME
"Loud."
LATE = 0.06
"Seconds a click may come after its time: a packet's length, the buffer, and the beat."


class Disk:
    """Keeps what it is handed; says no while it is ``slow``."""

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes, bytes]] = []
        self.slow = False

    def write(self, at: int, left: bytes, right: bytes) -> bool:
        assert len(left) == len(right)
        if not self.slow:
            self.pieces.append((at, left, right))
        return not self.slow

    def sides(self, samples: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """The two channels as a player would show them: nothing where nothing was put."""
        whole = np.zeros((2, samples), np.int16)
        for at, *sides in self.pieces:
            for side, sound in zip(whole, sides, strict=True):
                samples_of_it = np.frombuffer(sound, np.int16)
                side[at : at + len(samples_of_it)] = samples_of_it
        return whole[0], whole[1]


class Speaker:
    """Somebody who clicks once a second, by a clock that is ``fast`` by so much of itself."""

    def __init__(self, fast: float = 0.0, every: float = 1.0) -> None:
        self.voice = JitterBuffer(ReceiverStatistics(), 8000)
        self.listeners = 0
        self._every = every
        self._step = 0.02 / (1 + fast)
        self._sent = 0
        self._click_at = 0.0
        self.clicked: list[float] = []
        "When."

    def listen(self) -> JitterBuffer:
        self.listeners += 1
        return self.voice

    def unlisten(self) -> None:
        self.listeners -= 1

    def talk(self, until: float) -> None:
        """Send all packets that are due up to so many seconds after the beginning."""
        while self._sent * self._step <= until:
            at = self._sent * self._step
            payload = SILENCE[Law.A]
            if at >= self._click_at:
                self._click_at += self._every
                self.clicked.append(at)
                payload = CLICK
            self.voice.take(payload, PCMA, self._sent * FRAME & 0xFFFFFFFF, 1, 100.0 + at)
            self._sent += 1


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def onsets(side: NDArray[np.int16]) -> list[float]:
    """When it becomes loud, in seconds."""
    loud = np.abs(side) > 1000
    return [float(at) / 8000 for at in np.flatnonzero(loud[1:] & ~loud[:-1]) + 1]


def test_an_hour_is_an_hour_on_both_sides_whatever_the_far_ends_clocks_say() -> None:
    disk, clock = Disk(), SlotClock(99.999)
    fast, slow = Speaker(fast=1e-4, every=60.0), Speaker(fast=-1e-4, every=60.0)
    recording = Recording(100.0, 8000, disk.write)
    recording.hear(fast, slow)
    clock.add(recording, 100.0)
    time = Time()
    while time.now < 3700.0:
        time.now += 0.02
        clock.advance(time)
        for speaker in (fast, slow):
            speaker.talk(time.now - 100.0)
    assert abs(recording.end(time.now) - (time.now - 100.0) * 8000) <= 1
    assert (fast.listeners, slow.listeners) == (0, 0)
    for side, speaker in zip(disk.sides(3601 * 8000), (fast, slow), strict=True):
        heard = onsets(side)
        assert len(speaker.clicked) >= 60
        for clicked in speaker.clicked[1:59]:
            assert any(0 <= at - clicked <= LATE + 0.02 for at in heard)
        assert len(heard) <= 62


def test_sound_is_handed_over_by_the_half_second_and_the_rest_at_the_end() -> None:
    disk, speaker = Disk(), Speaker()
    recording = Recording(100.0, 8000, disk.write)
    recording.hear(None, speaker)
    for beat in range(2 * PIECE + 3):
        speaker.talk(0.02 * beat)
        recording.tick(100.0 + 0.02 * beat)
    assert [at for at, _, _ in disk.pieces] == [0, PIECE * FRAME]
    samples = recording.end(100.0 + 0.02 * (2 * PIECE + 3))
    assert samples == (2 * PIECE + 3) * FRAME
    assert [at for at, _, _ in disk.pieces] == [0, PIECE * FRAME, 2 * PIECE * FRAME]
    left, right = disk.sides(samples)
    assert not left.any()
    assert right.any()
    assert recording.fault == ""


def test_a_machine_that_stands_still_leaves_silence_and_not_a_shorter_file() -> None:
    disk, clock = Disk(), SlotClock(100.0)
    recording = Recording(100.0, 8000, disk.write)
    clock.add(recording, 100.0)
    time = Time()
    for step in (*[0.02] * 10, 3.0, *[0.02] * 10):
        time.now += step
        clock.advance(time)
    assert abs(recording.end(time.now) - 3.4 * 8000) <= 1
    (_, first, _), *_, (last_at, last, _) = disk.pieces
    assert len(first) // 2 in (9 * FRAME, 10 * FRAME)
    made_up = CATCH_UP * SLOT
    assert abs(last_at - (3.2 - made_up) * 8000) <= FRAME
    assert last_at + len(last) // 2 <= 3.4 * 8000 + FRAME


def test_a_slow_disk_costs_sound_but_keeps_the_time_and_is_told() -> None:
    disk = Disk()
    recording = Recording(100.0, 8000, disk.write)
    for beat in range(4 * PIECE):
        disk.slow = PIECE <= beat < 2 * PIECE
        recording.tick(100.0 + 0.02 * beat)
    assert [at for at, _, _ in disk.pieces] == [0, 2 * PIECE * FRAME, 3 * PIECE * FRAME]
    assert recording.fault == "0.5 s are missing: the disk is too slow"


def test_who_is_heard_changes_in_the_midst() -> None:
    disk, one, other = Disk(), Speaker(), Speaker()
    recording = Recording(100.0, 8000, disk.write)
    recording.hear(one, other)
    recording.hear(one, other)
    recording.hear(None, other)
    assert (one.listeners, other.listeners) == (0, 1)
    recording.hear(other, None)
    assert (one.listeners, other.listeners) == (0, 1)
