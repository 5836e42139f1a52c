"""Prompt cache: media files made ready for the line, once, however many legs play them.

Files are read, resampled and encoded on a thread of their own, in the codec that asks for them, and
kept by size.
"""

import asyncio
import logging
import time
import wave
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av

from callwright.engines.media.codec import CODECS, PACKETS_A_SECOND, PCMA, Codec
from callwright.engines.media.coding import make_encoder, sound_of
from callwright.engines.media.g711 import encode
from callwright.engines.media.samples import WIDTH

log = logging.getLogger(__name__)

CACHE_BYTES = 64 * 1024 * 1024
"Four hours of audio, about."
HOLDS = 1.0
"Seconds a file is taken to be as it was: not every leg that plays the same music asks the disk."
LONGEST = 3600
"Seconds of audio taken from one file; a longer one is refused."


class UnreadableClip(Exception):
    """The file is missing or is no audio of the kind that was promised; the text says which."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The same sound in one codec, or in both laws of G.711: their tables cost nothing."""

    sound: dict[str, bytes]
    "By the codec's name; empty for Opus, whose sound cannot be cut anywhere."
    version: tuple[int, int]
    "Modification time in ns and size of the file it was made from."
    packets: tuple[bytes, ...] | None = None
    "20 ms each, of Opus."

    @property
    def size(self) -> int:
        return sum(map(len, self.sound.values())) + sum(map(len, self.packets or ()))


Then = Callable[[Clip | None], None]
_Key = tuple[Path, Codec]


class Clips:
    """Fetches clips; the event loop never waits for a disk."""

    def __init__(self, cache_bytes: int = CACHE_BYTES, holds: float = HOLDS) -> None:
        self._cache_bytes = cache_bytes
        self._holds = holds
        self._kept: OrderedDict[_Key, Clip] = OrderedDict()
        self._seen: dict[_Key, float] = {}
        "When a file was last looked at, by the loop's clock."
        self._waiting: dict[_Key, list[Then]] = {}
        self._readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="clips")

    @property
    def kept_bytes(self) -> int:
        return sum(clip.size for clip in self._kept.values())

    def fetch(self, path: Path, then: Then, codec: Codec = PCMA) -> None:
        """Call ``then`` in a later turn of the loop: with the clip, or None if it is unreadable.

        A file that has changed since it was last read is read again, once `HOLDS` has passed.
        """
        key = (path, PCMA if codec.law else codec)
        loop = asyncio.get_running_loop()
        if key in self._kept and loop.time() - self._seen[key] < self._holds:
            self._kept.move_to_end(key)
            loop.call_soon(then, self._kept[key])
            return
        if key in self._waiting:
            self._waiting[key].append(then)
            return
        self._waiting[key] = [then]
        reading = loop.run_in_executor(self._readers, read_clip, *key, self._kept.get(key))
        reading.add_done_callback(lambda done: self._fetched(key, done))

    def close(self) -> None:
        self._waiting.clear()
        self._readers.shutdown(wait=False, cancel_futures=True)

    def _fetched(self, key: _Key, done: "asyncio.Future[Clip]") -> None:
        if done.cancelled():
            return
        clip = None
        match done.exception():
            case None:
                clip = done.result()
                self._keep(key, clip)
            case UnreadableClip() as fault:
                log.error("%s cannot be played: %s", key[0], fault)
            case fault:
                log.error("%s cannot be played", key[0], exc_info=fault)
        for then in self._waiting.pop(key, ()):
            then(clip)

    def _keep(self, key: _Key, clip: Clip) -> None:
        self._kept[key] = clip
        self._kept.move_to_end(key)
        self._seen[key] = asyncio.get_running_loop().time()
        held = self.kept_bytes
        while held > self._cache_bytes:
            oldest, dropped = self._kept.popitem(last=False)
            del self._seen[oldest]
            held -= dropped.size


def read_clip(path: Path, codec: Codec = PCMA, known: Clip | None = None) -> Clip:
    """Read a WAV file, mono, 16 bit; return ``known`` if the file is still the one it came from.

    For either law of G.711 the clip is in both.

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
            return _coded(file, codec, version)
    except (OSError, EOFError, wave.Error, ValueError, av.error.FFmpegError) as fault:
        raise UnreadableClip(str(fault) or type(fault).__name__) from fault


def _coded(file: wave.Wave_read, codec: Codec, version: tuple[int, int]) -> Clip:
    laws = [each for each in CODECS.values() if each.law] if codec.law else []
    encoder = make_encoder(codec)
    sound: dict[Codec, list[bytes]] = {each: [] for each in laws or [codec]}

    def take(pcm: bytes) -> None:
        for each, parts in sound.items():
            if each.law:
                parts.append(encode(each.law, pcm))
            else:
                parts += encoder.encode(pcm)

    for pcm in _resampled(file, codec.rate):
        take(pcm)
    if encoder.kept:  # the last packet is filled up with silence
        take(bytes(codec.rate // PACKETS_A_SECOND * WIDTH - encoder.kept * WIDTH))
    if not codec.bytewise:
        return Clip({}, version, tuple(sound[codec]))
    return Clip({each.name: b"".join(parts) for each, parts in sound.items()}, version)


def _resampled(file: wave.Wave_read, rate: int) -> Iterator[bytes]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    from_rate = file.getframerate()
    # A tenth of a second at a time, letting go of the interpreter in between: the thread that
    # sends the packets must not wait for us for as long as the switch interval, which is 5 ms.
    while pcm := file.readframes(from_rate // 10):
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // WIDTH)
        frame.sample_rate = from_rate
        frame.planes[0].update(pcm[: frame.samples * WIDTH])
        yield sound_of(resampler.resample(frame))
        time.sleep(0)
    yield sound_of(resampler.resample(None))
