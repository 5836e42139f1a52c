"""Audio conversion: how anything a user uploads becomes the WAV the line is played from.

The work is done in two passes over files, so that memory does not grow with the length of the
audio: decode, mix and resample into a raw file while measuring it; then set the level and limit
it on the way into the WAV.

Users' files are hostile input. FFmpeg is shown an open file instead of a name, only containers
from `CONTAINERS`, and may open nothing else: playlists could make it read other files of this
machine or fetch addresses of this network.
"""

import audioop
import errno
import math
import os
import stat
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, NoReturn
from uuid import uuid4

import av
import av.filter
from av.audio.frame import AudioFrame
from av.container import InputContainer

RATE = 16000
"Samples per second of every file that is played."
LEVEL = 10 ** (-20 / 20)
"RMS of the parts with sound, of full scale: loud enough on G.711, with room for speech's peaks."
CEILING = 10 ** (-1 / 20)
"Highest sample, of full scale: G.711 and resampling on the way may overshoot a little."

# Quieter than this is room noise; a file with nothing above it is silence and stays as it is.
SILENCE = 10 ** (-50 / 20)
# How far below the mean a block counts as a pause (the idea of ITU-T P.56: a level of the speech,
# not of the pauses in it).
PAUSE = 10 ** (-20 / 20)
# Part of the blocks with sound, the loudest ones, that does not count.
KNOCKS = 0.05
# A file that would need more is hardly more than noise.
LIFT_AT_MOST = 10 ** (30 / 20)
BLOCK = RATE // 10

# The raw file between the passes: 32 bit with 18 dB above full scale, because decoders of MP3 and
# AAC overshoot on loud music, and so does a sum of channels.
HEADROOM = 8
WIDTH = 4
FULL_SCALE = float(1 << 31) / HEADROOM

# Decoding runs some hundred times faster than real time; a file that takes longer is built to.
SECONDS_AT_MOST = 60.0
RATES = range(4000, 768_001)
DAMAGED_PACKETS_AT_MOST = 0.1
# A header may round up; what is missing must be more than this to call a file truncated.
MISSING_AT_MOST = 0.5

STREAMED = 0x7FFF_0000

CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,eac3,flac,flv,latm,loas,matroska,webm,mov,mp4,m4a,3gp,3g2,"
    "mj2,mp3,mpc,mpc8,mpeg,mpegts,ogg,tta,voc,w64,wav,wv"
)
# Containers whose header gives the exact length; the others estimate it from the bit rate.
EXACT = frozenset({"aiff", "au", "caf", "flac", "mov", "w64", "wav"})


class NotAudio(Exception):
    """The file holds no audio that can be played. The message says what is wrong with it."""


class TooLong(Exception):
    """The audio is longer than allowed. The message gives its length, if known, and the limit."""


def normalise(source: Path, target: Path, *, at_most: float) -> float:
    """Write the audio of ``source`` to ``target`` as the line plays it; return seconds.

    WAV, mono, 16 bit, 16000 Hz, its parts with sound at `LEVEL`, no sample above `CEILING`, nothing
    trimmed. ``target`` appears whole or not at all. Blocks while it works: call it in a thread.

    Raises `NotAudio`, `TooLong` (longer than ``at_most`` seconds), and `OSError` where a file
    cannot be read or written.
    """
    with (
        _opened(source) as file,
        tempfile.TemporaryFile(dir=target.parent) as raw,
    ):
        try:
            levels = _decode(file, raw, at_most)
        except av.FFmpegError as fault:
            raise NotAudio(f"it cannot be decoded ({fault.strerror})") from fault
        raw.seek(0)
        with _appearing(target) as part:
            samples = _write(raw, part, _gain(levels))
    return samples / RATE


@contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    """Open a regular file that is not evidently something else than audio."""
    # O_NONBLOCK: opening a named pipe nobody writes to would wait for ever.
    descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise NotAudio("it is not a regular file")
    with open(descriptor, "rb") as file:
        start = file.read(4096)
        if not start:
            raise NotAudio("it is empty")
        if _is_text(start):
            raise NotAudio("it is a text file, not audio")
        if (promised := _promised_bytes(start)) > facts.st_size:
            raise NotAudio(f"it is truncated: {facts.st_size} of {promised} bytes are there")
        file.seek(0)
        yield file


def _is_text(start: bytes) -> bool:
    # The last character may be cut in the middle.
    text = start.decode("utf-8", "ignore")
    return len(text.encode()) > len(start) - 4 and all(
        character.isprintable() or character.isspace() for character in text
    )


def _promised_bytes(start: bytes) -> int:
    """Return the size a WAV or AIFF header gives, which FFmpeg does not compare; else 0."""
    match start[:4]:
        case b"RIFF":
            size = int.from_bytes(start[4:8], "little")
        case b"FORM":
            size = int.from_bytes(start[4:8], "big")
        case _:
            return 0
    # Programs that write into a pipe cannot know the size and put one near 2 or 4 GiB.
    return size + 8 if size < STREAMED else 0


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Give a name beside ``target`` to write to; it becomes ``target`` if the block succeeds."""
    part = target.with_name(f".{uuid4().hex}.part")
    try:
        yield part
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


class _Reader:
    """A file as FFmpeg may see it: reading ends when the time is up, however the format loops."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._until = time.monotonic() + SECONDS_AT_MOST

    def read(self, size: int) -> bytes:
        self.check()
        return self._file.read(size)

    def check(self) -> None:
        if time.monotonic() > self._until:
            raise NotAudio(f"decoding it took longer than {SECONDS_AT_MOST:.0f} s")

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            # A damaged file refers to a place outside itself: an error as FFmpeg spells it.
            return -errno.EINVAL

    def tell(self) -> int:
        return self._file.tell()


def _decode(file: IO[bytes], raw: IO[bytes], at_most: float) -> list[float]:
    """Decode into ``raw``, mono at `RATE`, `WIDTH` bytes; return the RMS of each block of it."""
    reader = _Reader(file)
    try:
        container = av.open(
            reader,
            "r",
            container_options={"format_whitelist": CONTAINERS},
            # Titles in a legacy code page are no reason to refuse the sound.
            metadata_errors="replace",
            io_open=_refuse,
        )
    except av.FFmpegError as fault:
        raise NotAudio("it is in no audio format that is known, or its start is damaged") from fault
    with container:
        if not container.streams.audio:
            raise NotAudio(
                "it has no sound track" + " (video only)" * bool(container.streams.video)
            )
        # A stream without a decoder has no such attribute, whatever its type says.
        rate: int | None = getattr(container.streams.audio[0], "rate", None)
        if rate is None:
            raise NotAudio("its codec is not known")
        _check_rate(rate)
        promised = _promised(container)
        if promised is not None and promised > at_most:
            raise TooLong(f"it is {promised:.1f} s long; at most {at_most:.1f} s are taken")
        meter = _Meter(raw, at_most)
        resampler = _Resampler(at_most)
        for frame in _frames(container, reader):
            for piece in resampler.push(frame):
                meter.take(piece)
        for piece in resampler.rest():
            meter.take(piece)
    levels = meter.levels()
    if not meter.samples:
        raise NotAudio("it holds no sound that can be decoded")
    missing = (promised or 0.0) - meter.samples / RATE
    if missing > MISSING_AT_MOST:
        raise NotAudio(f"it is truncated: the last {missing:.1f} of {promised:.1f} s are missing")
    return levels


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise NotAudio("it refers to other files or addresses, which are not opened")


def _check_rate(rate: int) -> None:
    # A few samples at 1 Hz would become hours of audio in one step of the resampler.
    if rate not in RATES:
        raise NotAudio(f"its sample rate is {rate} Hz")


def _promised(container: InputContainer) -> float | None:
    """Return the length the header promises, in seconds, where it can be relied on."""
    stream = container.streams.audio[0]
    if container.format.name.partition(",")[0] not in EXACT or stream.duration is None:
        return None
    return float(stream.duration * (stream.time_base or 0))


def _frames(container: InputContainer, reader: _Reader) -> Iterator[AudioFrame]:
    """Decode packet by packet: a scratch is left out, a wreck is refused."""
    packets = damaged = 0
    for packet in container.demux(container.streams.audio[0]):
        reader.check()
        packets += 1
        try:
            yield from packet.decode()
        except (av.InvalidDataError, av.ArgumentError):
            damaged += 1
    if damaged > packets * DAMAGED_PACKETS_AT_MOST:
        raise NotAudio(f"it is damaged: {damaged} of {packets} packets cannot be decoded")


class _Resampler:
    """Mixes to mono and resamples; takes frames whose format changes on the way."""

    def __init__(self, at_most: float) -> None:
        self._at_most = at_most
        self._setup: tuple[int, str, str] | None = None
        self._graph: av.filter.Graph | None = None

    def push(self, frame: AudioFrame) -> Iterator[bytes]:
        _check_rate(frame.sample_rate)
        if frame.samples > self._at_most * frame.sample_rate:
            raise TooLong(f"it is longer than the {self._at_most:.1f} s that are taken")
        setup = (frame.sample_rate, frame.format.name, frame.layout.name)
        if setup != self._setup:
            yield from self.rest()
            self._setup = setup
            self._graph = _graph(
                frame,
                # Mixed and scaled in floating point, where a sum above full scale is no harm.
                ("aformat", f"sample_fmts=flt:sample_rates={RATE}:channel_layouts=mono"),
                ("volume", f"volume={1 / HEADROOM}:precision=float"),
                ("aformat", "sample_fmts=s32"),
            )
        # A file's idea of time may jump; its samples are played one after another.
        frame.pts = None
        yield from _through(self._graph, frame)

    def rest(self) -> Iterator[bytes]:
        if self._graph:
            yield from _through(self._graph, None)
        self._graph = None


def _graph(like: AudioFrame, *filters: tuple[str, str]) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=like.sample_rate,
        format=like.format.name,
        layout=like.layout.name,
        time_base=Fraction(1, like.sample_rate),
    )
    chain = [graph.add(name, arguments) for name, arguments in filters]
    graph.link_nodes(source, *chain, graph.add("abuffersink")).configure()
    return graph


def _through(graph: av.filter.Graph | None, frame: AudioFrame | None) -> Iterator[bytes]:
    """Push ``frame``, or the end for None; give the samples that come out, packed mono."""
    assert graph is not None
    graph.push(frame)
    while True:
        try:
            out = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(out, AudioFrame)
        # The plane may be padded behind the samples.
        yield bytes(out.planes[0])[: out.samples * out.format.bytes]


class _Meter:
    """Writes the raw file, measuring it block by block and stopping at the limit."""

    def __init__(self, raw: IO[bytes], at_most: float) -> None:
        self.samples = 0
        self._raw = raw
        self._at_most = at_most
        self._levels: list[float] = []
        self._block = b""

    def take(self, piece: bytes) -> None:
        self.samples += len(piece) // WIDTH
        # Resampling may round a file of exactly the limit up by a sample.
        if self.samples > self._at_most * RATE + 1:
            raise TooLong(f"it is longer than the {self._at_most:.1f} s that are taken")
        self._raw.write(piece)
        self._block += piece
        whole = len(self._block) - len(self._block) % (BLOCK * WIDTH)
        for start in range(0, whole, BLOCK * WIDTH):
            self._measure(self._block[start : start + BLOCK * WIDTH])
        self._block = self._block[whole:]

    def levels(self) -> list[float]:
        """Return the RMS of every block, of full scale."""
        if self._block:
            self._measure(self._block)
            self._block = b""
        return self._levels

    def _measure(self, block: bytes) -> None:
        self._levels.append(audioop.rms(block, WIDTH) / FULL_SCALE)


def _gain(levels: list[float]) -> float:
    """Return the factor that brings the parts with sound to `LEVEL`; silence is left as it is."""
    sound = [level for level in levels if level > SILENCE]
    if not sound:
        return 1.0
    # A knock on the microphone is not what is to be heard.
    sound = sorted(sound)[: math.ceil(len(sound) * (1 - KNOCKS))]
    speech = [level for level in sound if level > _rms(sound) * PAUSE]
    return min(LEVEL / _rms(speech), LIFT_AT_MOST)


def _rms(levels: list[float]) -> float:
    return math.sqrt(sum(level * level for level in levels) / len(levels))


def _write(raw: IO[bytes], target: Path, gain: float) -> int:
    """Write the WAV; return its length in samples."""
    template = AudioFrame("s32", "mono", 0)
    template.sample_rate = RATE
    graph = _graph(
        template,
        ("volume", f"volume={gain * HEADROOM}:precision=double"),
        # latency=1: what the limiter looks ahead is given back, so the start stays the start.
        ("alimiter", f"limit={CEILING}:attack=5:release=50:level=disabled:latency=1"),
        ("aformat", "sample_fmts=s16"),
    )
    samples = 0
    with closing(wave.open(str(target), "wb")) as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        for frame in _raw_frames(raw):
            for piece in _through(graph, frame):
                samples += len(piece) // 2
                file.writeframesraw(piece)
    return samples


def _raw_frames(raw: IO[bytes]) -> Iterator[AudioFrame | None]:
    """Give the raw file in frames of a block each, and None for its end."""
    while piece := raw.read(BLOCK * WIDTH):
        frame = AudioFrame("s32", "mono", len(piece) // WIDTH)
        frame.sample_rate = RATE
        frame.planes[0].update(piece)
        yield frame
    yield None
