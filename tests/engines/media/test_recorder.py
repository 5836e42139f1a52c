"""Recordings on a disk, which may be full, slow, or somebody else's."""

import asyncio
import errno
import os
import stat
import threading
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from callwright.engines.media import recorder as module
from callwright.engines.media.recorder import Recorder
from callwright.engines.media.wav import SAMPLES_AT_MOST, WavFile, seconds_of
from callwright.engines.port import RecordingId
from tests.waiting import WITHIN

ONE = RecordingId(1)


def sound(value: int, samples: int) -> bytes:
    return np.full(samples, value, np.int16).tobytes()


def read(path: Path) -> tuple[list[int], list[int], int]:
    """Return left, right and rate, read by the standard library."""
    with wave.open(str(path)) as file:
        both = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").tolist()
        return both[::2], both[1::2], file.getframerate()


def test_a_file_is_whole_after_every_piece(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "1.wav"
    file = WavFile(path, 16000)
    assert read(path) == ([], [], 16000)
    file.write(0, sound(100, 3), sound(-100, 3))
    assert read(path) == ([100] * 3, [-100] * 3, 16000)
    file.write(5, sound(7, 2), sound(8, 2))
    assert read(path) == ([100] * 3 + [0, 0, 7, 7], [-100] * 3 + [0, 0, 8, 8], 16000)
    file.close(9)
    assert read(path) == ([100] * 3 + [0, 0, 7, 7, 0, 0], [-100] * 3 + [0, 0, 8, 8, 0, 0], 16000)
    assert path.stat().st_size == 44 + 9 * 4
    assert seconds_of(path) == 9 / 16000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0


def test_what_cannot_be_heard_lasts_no_time(tmp_path: Path) -> None:
    path = tmp_path / "1.wav"
    assert seconds_of(path) is None
    WavFile(path, 8000).close()
    assert seconds_of(path) is None
    path.write_bytes(path.read_bytes()[:20])
    assert seconds_of(path) is None
    path.write_bytes(b"")
    assert seconds_of(path) is None


def test_a_file_ends_where_its_header_cannot_say_how_long_it_is(tmp_path: Path) -> None:
    path = tmp_path / "1.wav"
    file = WavFile(path, 8000)
    file.write(SAMPLES_AT_MOST - 1, sound(1, 1), sound(2, 1))
    with pytest.raises(OSError, match="File too large"):
        file.write(SAMPLES_AT_MOST, sound(1, 1), sound(2, 1))
    file.close(SAMPLES_AT_MOST + 5)
    with wave.open(str(path)) as whole:
        assert whole.getnframes() == SAMPLES_AT_MOST


def test_what_exists_is_not_written_over_nor_followed(tmp_path: Path) -> None:
    (tmp_path / "1.wav").symlink_to(tmp_path / "elsewhere.wav")
    with pytest.raises(FileExistsError):
        WavFile(tmp_path / "1.wav", 8000)
    assert not (tmp_path / "elsewhere.wav").exists()


def test_a_file_that_cannot_be_begun_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        WavFile(tmp_path / "1.wav", 8000)
    assert list(tmp_path.iterdir()) == []


class Ends:
    """What was told of recordings that ended."""

    def __init__(self) -> None:
        self.told: list[tuple[RecordingId, float, str]] = []
        self._more = asyncio.Event()

    def __call__(self, recording: RecordingId, seconds: float, fault: str) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.told.append((recording, seconds, fault))
        self._more.set()

    async def first(self) -> tuple[RecordingId, float, str]:
        async with asyncio.timeout(WITHIN):
            while not self.told:
                self._more.clear()
                await self._more.wait()
        return self.told[0]


@asynccontextmanager
async def recording() -> AsyncIterator[tuple[Recorder, Ends]]:
    ends = Ends()
    recorder = Recorder(ends)
    try:
        yield recorder, ends
    finally:
        await recorder.close()


def story(tell: Callable[[Recorder, Ends], Awaitable[None]]) -> None:
    async def told() -> None:
        async with recording() as (recorder, ends):
            await tell(recorder, ends)

    asyncio.run(told())


def test_it_is_told_when_the_file_is_closed(tmp_path: Path) -> None:
    async def tell(recorder: Recorder, ends: Ends) -> None:
        recorder.begin(ONE, tmp_path / "1.wav", 8000)
        assert recorder.write(ONE, 0, sound(1, 4000), sound(2, 4000))
        recorder.finish(ONE, 8000, "what the caller knows")
        assert await ends.first() == (ONE, 1.0, "what the caller knows")
        assert len(read(tmp_path / "1.wav")[0]) == 8000
        recorder.finish(ONE, 9999)

    story(tell)


def test_a_folder_that_cannot_be_made_is_told_at_once_and_only_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    async def tell(recorder: Recorder, ends: Ends) -> None:
        recorder.begin(ONE, tmp_path / "file" / "1.wav", 8000)
        assert await ends.first() == (ONE, 0.0, "File exists")
        recorder.write(ONE, 0, sound(1, 10), sound(1, 10))
        recorder.finish(ONE, 10)
        await recorder.close()
        assert len(ends.told) == 1

    story(tell)


def test_when_the_disk_is_full_what_was_written_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 44 + 3 * 4000 * 4 - 1
    write_to = os.pwrite

    def pwrite(file: int, data: bytes, at: int) -> int:
        fits = min(len(data), room - at)
        if fits <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_to(file, data[:fits], at)

    monkeypatch.setattr(os, "pwrite", pwrite)

    async def tell(recorder: Recorder, ends: Ends) -> None:
        recorder.begin(ONE, tmp_path / "1.wav", 8000)
        for number in range(4):
            recorder.write(ONE, 4000 * number, sound(number, 4000), sound(0, 4000))
        assert await ends.first() == (ONE, 1.0, "No space left on device")
        left, _, _ = read(tmp_path / "1.wav")
        assert left == [0] * 4000 + [1] * 4000
        recorder.finish(ONE, 16000)
        await recorder.close()
        assert len(ends.told) == 1

    story(tell)


def test_a_disk_that_stands_still_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_AT_MOST", 3)
    monkeypatch.setattr(module, "GOODBYE", 0.05)
    goes_on = threading.Event()
    stood = threading.Event()
    open_file = WavFile.__init__

    def stands_still(file: WavFile, path: Path, rate: int) -> None:
        stood.set()
        assert goes_on.wait(WITHIN)
        open_file(file, path, rate)

    monkeypatch.setattr(WavFile, "__init__", stands_still)

    async def tell(recorder: Recorder, ends: Ends) -> None:
        recorder.begin(ONE, tmp_path / "1.wav", 8000)
        assert await asyncio.to_thread(stood.wait, WITHIN)
        taken = [recorder.write(ONE, 10 * at, sound(1, 10), sound(1, 10)) for at in range(5)]
        assert taken == [True, True, False, False, False]
        recorder.finish(ONE, 50, "something is missing")  # is never left out
        await recorder.close()
        assert ends.told == []
        goes_on.set()
        assert await ends.first() == (ONE, 50 / 8000, "something is missing")
        assert read(tmp_path / "1.wav")[0] == [1] * 20 + [0] * 30

    story(tell)
