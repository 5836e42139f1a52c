"""Stereo WAV files that are whole at any moment, also when the machine stops in the middle."""

import errno
import os
import wave
from pathlib import Path
from struct import Struct

from callwright.engines.media.samples import WIDTH, stereo

CHANNELS = 2
FRAME = CHANNELS * WIDTH
"Bytes of one sample of both."
SAMPLES_AT_MOST = (0xFFFFFFFF - 1024) // FRAME
"What the sizes in the header can say: 37 hours of 8000 Hz."

_HEADER = Struct("<4sI4s4sIHHIIHH4sI")


def seconds_of(path: Path) -> float | None:
    """How long a file lasts; None if there is none, or no sound in it. Blocks."""
    try:
        with wave.open(str(path)) as file:
            return file.getnframes() / file.getframerate() or None
    except (OSError, EOFError, wave.Error, ZeroDivisionError):
        return None


class WavFile:
    """A file being written; all of it blocks. Every method raises OSError."""

    def __init__(self, path: Path, rate: int) -> None:
        """Make the file, for its owner alone, in a folder that is made if it is missing.

        A file that exists is never written over.
        """
        self.samples = 0
        "How many the file holds, of each channel."
        self.rate = rate
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        try:
            self._write_header()
        except OSError:
            os.close(self._file)
            path.unlink()  # an empty file is no recording
            raise

    def write(self, at: int, left: bytes, right: bytes) -> None:
        """Put sound in its place, counted in samples; what is left out before it is silence."""
        if at + len(left) // WIDTH > SAMPLES_AT_MOST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        self._write_all(_HEADER.size + at * FRAME, stereo(left, right))
        self.samples = at + len(left) // WIDTH
        # The sizes come after what they tell of, so that they are never ahead of it.
        self._write_header()

    def close(self, samples: int | None = None) -> None:
        """Close it, ``samples`` long; None: as it is."""
        try:
            if samples is not None:
                self.samples = min(samples, SAMPLES_AT_MOST)
            os.ftruncate(self._file, _HEADER.size + self.samples * FRAME)
            self._write_header()
        finally:
            os.close(self._file)

    def _write_header(self) -> None:
        size = self.samples * FRAME
        bits = 8 * WIDTH
        about = (b"fmt ", 16, 1, CHANNELS, self.rate, self.rate * FRAME, FRAME, bits)
        riff = (b"RIFF", _HEADER.size - 8 + size, b"WAVE")
        self._write_all(0, _HEADER.pack(*riff, *about, b"data", size))

    def _write_all(self, at: int, data: bytes) -> None:
        left = memoryview(data)
        while left:
            written = os.pwrite(self._file, left, at)
            at += written
            left = left[written:]
