"""Clips: media files made ready for the line, once, however many legs play them.

Files are read, resampled and encoded on a thread of their own, in both laws, and kept by size.
"""

import asyncio
import logging
import time
import wave
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av

from callwright.engines.media.g711 import RATE, Law, encode

log = logging.getLogger(__name__)

CACHE_BYTES = 64 * 1024 * 1024
"Four hours of audio, about."
LONGEST = 3600
"Seconds of audio taken from one file; a longer one is refused."


class UnreadableClip(Exception):
    """The file is missing or is no audio of the kind that was promised; the text says which."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The same sound in both laws: switching a leg's codec in mid-play costs nothing."""

    sound: dict[Law, bytes]
    version: tuple[int, int]
    "Modification time in ns and size of the file it was made from."

    @property
    def size(self) -> int:
        return sum(map(len, self.sound.values()))


Then = Callable[[Clip | None], None]


class Clips:
    """Fetches clips; the event loop never waits for a disk."""

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._cache_bytes = cache_bytes
        self._kept: OrderedDict[Path, Clip] = OrderedDict()
        self._waiting: dict[Path, list[Then]] = {}
        self._readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="clips")

    @property
    def kept_bytes(self) -> int:
        return sum(clip.size for clip in self._kept.values())

    def fetch(self, path: Path, then: Then) -> None:
        """Call ``then`` in a later turn of the loop: with the clip, or None if it is unreadable.

        A file that has changed since it was last read is read again.
        """
        if path in self._waiting:
            self._waiting[path].append(then)
            return
        self._waiting[path] = [then]
        reading = asyncio.get_running_loop().run_in_executor(
            self._readers, read_clip, path, self._kept.get(path)
        )
        reading.add_done_callback(lambda done: self._fetched(path, done))

    def close(self) -> None:
        self._waiting.clear()
        self._readers.shutdown(wait=False, cancel_futures=True)

    def _fetched(self, path: Path, done: "asyncio.Future[Clip]") -> None:
        if done.cancelled():
            return
        clip = None
        match done.exception():
            case None:
                clip = done.result()
                self._keep(path, clip)
            case UnreadableClip() as fault:
                log.error("%s cannot be played: %s", path, fault)
            case fault:
                log.error("%s cannot be played", path, exc_info=fault)
        for then in self._waiting.pop(path, ()):
            then(clip)

    def _keep(self, path: Path, clip: Clip) -> None:
        self._kept[path] = clip
        self._kept.move_to_end(path)
        held = self.kept_bytes
        while held > self._cache_bytes:
            _, dropped = self._kept.popitem(last=False)
            held -= dropped.size


def read_clip(path: Path, known: Clip | None = None) -> Clip:
    """Read a WAV file, mono, 16 bit; return ``known`` if the file is still the one it came from.

    Blocks; for a thread. Raises `UnreadableClip`.
    """
    try:
        status = path.stat()
        version = (status.st_mtime_ns, status.st_size)
        if known and known.version == version:
            return known
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise UnreadableClip("not mono of 16 bit")
            if file.getnframes() > LONGEST * file.getframerate():
                raise UnreadableClip(f"longer than {LONGEST} s")
            return Clip(_coded(file), version)
    except (OSError, EOFError, wave.Error, ValueError, av.error.FFmpegError) as fault:
        raise UnreadableClip(str(fault) or type(fault).__name__) from fault


def _coded(file: wave.Wave_read) -> dict[Law, bytes]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    rate = file.getframerate()
    sound: dict[Law, list[bytes]] = {law: [] for law in Law}

    def take(frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            pcm = bytes(frame.planes[0])[: frame.samples * 2]
            for law, parts in sound.items():
                parts.append(encode(law, pcm))

    # A tenth of a second at a time, letting go of the interpreter in between: the thread that
    # sends the packets must not wait for us for as long as the switch interval, which is 5 ms.
    while pcm := file.readframes(rate // 10):
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.sample_rate = rate
        frame.planes[0].update(pcm[: frame.samples * 2])
        take(resampler.resample(frame))
        time.sleep(0)
    take(resampler.resample(None))
    return {law: b"".join(parts) for law, parts in sound.items()}
