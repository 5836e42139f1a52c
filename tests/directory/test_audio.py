"""Media files: every format becomes the same WAV, and what is no audio is refused with a reason."""

import math
import os
import struct
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from callwright.directory import audio
from callwright.directory.audio import CEILING, LEVEL, RATE, NotAudio, TooLong, normalise

Signal = NDArray[np.float64]


def tone(seconds: float, *, frequency: float = 440.0, level: float = 0.5, rate: int) -> Signal:
    return level * np.sin(2 * math.pi * frequency * np.arange(round(seconds * rate)) / rate)


def write_wav(path: Path, *channels: Signal, rate: int = 44100) -> Path:
    samples = np.clip(np.round(np.stack(channels, axis=1) * 32767), -32768, 32767)
    with wave.open(str(path), "wb") as file:
        file.setparams((len(channels), 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def read_wav(path: Path) -> Signal:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, "<i2").astype(np.float64) / 32768


def encode(path: Path, codec: str, signal: Signal, *, rate: int, sample_format: str) -> Path:
    """Write ``signal`` as a stereo file in the container that the name's ending says."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo")
        assert isinstance(stream, AudioStream)
        planar = np.stack([signal, signal]).astype(np.float32)
        frame = AudioFrame.from_ndarray(planar, format="fltp", layout="stereo")
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=sample_format, layout="stereo", rate=rate, frame_size=stream.frame_size or 1024
        )
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def write_video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(5):
            frame = VideoFrame(64, 64, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def strength(signal: Signal, frequency: float) -> float:
    """Amplitude of one frequency in ``signal``."""
    angle = -2j * math.pi * frequency * np.arange(len(signal)) / RATE
    return float(abs(2 / len(signal) * np.sum(signal * np.exp(angle))))


def rms(signal: Signal) -> float:
    return float(np.sqrt(np.mean(signal**2)))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target" / "out.wav"


@pytest.fixture(autouse=True)
def nothing_left_over(tmp_path: Path) -> Iterator[None]:
    """Whatever happens, the target's folder holds at most the target."""
    folder = tmp_path / "target"
    folder.mkdir(exist_ok=True)
    yield
    assert [file.name for file in folder.iterdir() if file.name != "out.wav"] == []


@pytest.mark.parametrize(
    ("name", "codec", "sample_format", "rate", "padding"),
    [
        ("in.wav", "pcm_s16le", "s16", 44100, 0.0),
        ("in.wav", "pcm_mulaw", "s16", 8000, 0.0),
        ("in.flac", "flac", "s16", 48000, 0.0),
        ("in.ogg", "libopus", "s16", 48000, 0.03),
        ("in.mp3", "libmp3lame", "fltp", 44100, 0.1),
        ("in.m4a", "aac", "fltp", 44100, 0.1),
        ("in.aiff", "pcm_s16be", "s16", 16000, 0.0),
        ("in.webm", "libopus", "s16", 48000, 0.03),
    ],
)
def test_every_format_becomes_the_same_wav(
    tmp_path: Path,
    target: Path,
    name: str,
    codec: str,
    sample_format: str,
    rate: int,
    padding: float,
) -> None:
    signal = tone(1.5, rate=rate)
    source = encode(tmp_path / name, codec, signal, rate=rate, sample_format=sample_format)

    seconds = normalise(source, target, at_most=10)

    heard = read_wav(target)
    assert seconds == len(heard) / RATE
    # An encoder may add its own delay and fill up its last block.
    assert 1.5 - 0.002 <= seconds <= 1.5 + padding + 0.002
    middle = heard[RATE // 4 : RATE]
    assert strength(middle, 440) == pytest.approx(LEVEL * math.sqrt(2), rel=0.05)
    assert rms(middle) == pytest.approx(LEVEL, rel=0.05)


def test_channels_are_mixed(tmp_path: Path, target: Path) -> None:
    left, right = tone(1, frequency=440, rate=44100), tone(1, frequency=1000, rate=44100)
    normalise(write_wav(tmp_path / "in.wav", left, right), target, at_most=10)

    heard = read_wav(target)
    assert strength(heard, 440) == pytest.approx(strength(heard, 1000), rel=0.05)


@pytest.mark.parametrize("level", [0.01, 0.05, 0.3, 1.0])
def test_loudness_is_brought_to_one_level(tmp_path: Path, target: Path, level: float) -> None:
    # Speech has pauses: they must not count, nor must they be lifted.
    pause = np.zeros(RATE)
    signal = np.concatenate([tone(1, level=level, rate=RATE), pause])
    normalise(write_wav(tmp_path / "in.wav", signal, rate=RATE), target, at_most=10)

    heard = read_wav(target)
    assert rms(heard[:RATE]) == pytest.approx(LEVEL, rel=0.05)
    assert rms(heard[RATE + 800 :]) < 0.001


def test_normalising_twice_changes_nothing(tmp_path: Path, target: Path) -> None:
    once = tmp_path / "once.wav"
    normalise(write_wav(tmp_path / "in.wav", tone(1, rate=RATE), rate=RATE), once, at_most=10)
    normalise(once, target, at_most=10)

    assert np.max(np.abs(read_wav(once) - read_wav(target))) < 0.001


def test_a_peak_is_limited_not_clipped(tmp_path: Path, target: Path) -> None:
    quiet = tone(2, level=0.02, rate=RATE)
    quiet[RATE : RATE + 200] = tone(200 / RATE, level=0.9, frequency=800, rate=RATE)
    normalise(write_wav(tmp_path / "in.wav", quiet, rate=RATE), target, at_most=10)

    heard = read_wav(target)
    peak = heard[RATE : RATE + 200]
    assert 0.5 < np.max(np.abs(heard)) <= CEILING + 2 / 32768
    # A clipped sine has a plateau: many samples in a row at the ceiling.
    assert np.max(np.convolve(np.abs(peak) > 0.999 * CEILING, np.ones(4))) < 4
    assert rms(heard[: RATE // 2]) > 0.05, "what is quiet is lifted in spite of the peak"


def test_silence_stays_silent_and_keeps_its_length(tmp_path: Path, target: Path) -> None:
    source = write_wav(tmp_path / "in.wav", np.zeros(RATE), rate=RATE)
    assert normalise(source, target, at_most=10) == 1.0
    assert not np.any(read_wav(target))


def test_room_noise_is_not_made_loud(tmp_path: Path, target: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.001, RATE)
    normalise(write_wav(tmp_path / "in.wav", noise, rate=RATE), target, at_most=10)
    assert rms(read_wav(target)) == pytest.approx(0.001, rel=0.05)


def test_loud_music_is_not_clipped_by_decoding(tmp_path: Path, target: Path) -> None:
    # A sum of channels, or an MP3 of a loud master, goes above full scale on the way.
    loud = np.sign(tone(1, level=1, frequency=200, rate=44100)) * 0.99
    source = encode(tmp_path / "in.mp3", "libmp3lame", loud, rate=44100, sample_format="fltp")
    normalise(source, target, at_most=10)
    heard = read_wav(target)[4000:12000]
    # A band-limited square wave overshoots at its edges (Gibbs); cut off, it would be flat.
    assert np.max(np.abs(heard)) > 1.1 * np.median(np.abs(heard))


def test_a_file_of_exactly_the_limit_is_taken(tmp_path: Path, target: Path) -> None:
    source = write_wav(tmp_path / "in.wav", tone(2, rate=44100))
    assert normalise(source, target, at_most=2.0) == pytest.approx(2.0, abs=0.001)


def test_a_long_file_is_refused_with_its_length_and_the_limit(tmp_path: Path, target: Path) -> None:
    source = write_wav(tmp_path / "in.wav", tone(3, rate=44100))
    with pytest.raises(TooLong, match=r"3\.0 s long; at most 2\.0 s"):
        normalise(source, target, at_most=2.0)
    assert not target.exists()


def test_a_long_file_that_does_not_say_so_is_refused(tmp_path: Path, target: Path) -> None:
    source = encode(
        tmp_path / "in.mp3", "libmp3lame", tone(5, rate=44100), rate=44100, sample_format="fltp"
    )
    with pytest.raises(TooLong, match=r"longer than the 2\.0 s"):
        normalise(source, target, at_most=2.0)


def test_an_earlier_target_survives_a_refused_file(tmp_path: Path, target: Path) -> None:
    target.write_bytes(b"earlier")
    (tmp_path / "in.wav").write_text("no audio")
    with pytest.raises(NotAudio):
        normalise(tmp_path / "in.wav", target, at_most=2.0)
    assert target.read_bytes() == b"earlier"


def text_file(path: Path) -> None:
    path.write_text("Добрый день, это не музыка.\n" * 300, "utf-8")


def empty_file(path: Path) -> None:
    path.touch()


def wav_without_samples(path: Path) -> None:
    write_wav(path, np.zeros(0))


def truncated_wav(path: Path) -> None:
    whole = write_wav(path, tone(3, rate=44100)).read_bytes()
    path.write_bytes(whole[: len(whole) // 3])


def truncated_flac(path: Path) -> None:
    signal = np.random.default_rng(3).normal(0, 0.1, 3 * 44100)
    whole = encode(
        path.with_suffix(".flac"), "flac", signal, rate=44100, sample_format="s16"
    ).read_bytes()
    path.write_bytes(whole[: len(whole) // 3])


def truncated_m4a(path: Path) -> None:
    whole = encode(
        path.with_suffix(".m4a"), "aac", tone(3, rate=44100), rate=44100, sample_format="fltp"
    ).read_bytes()
    path.write_bytes(whole[: len(whole) // 3])


def video_file(path: Path) -> None:
    path.write_bytes(write_video(path.with_suffix(".mp4")).read_bytes())


def noise_file(path: Path) -> None:
    path.write_bytes(np.random.default_rng(7).bytes(5000))


def playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/secret.wav\n#EXT-X-ENDLIST\n")


def concat_script(path: Path) -> None:
    path.write_bytes(b"ffconcat version 1.0\nfile /etc/passwd\n#\x00\n")


def named_pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def one_hertz(path: Path) -> None:
    """A little file whose first packet would become hours when resampled."""
    write_wav(path, np.ones(8000), rate=1)


def damaged_flac(path: Path) -> None:
    rate = 44100
    whole = encode(
        path.with_suffix(".flac"), "flac", tone(5, rate=rate), rate=rate, sample_format="s16"
    ).read_bytes()
    damaged = bytearray(whole)
    for offset in range(len(damaged) // 4, len(damaged) - 4, 97):
        damaged[offset : offset + 4] = b"\xff\xf8\x00\x55"
    path.write_bytes(damaged)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (text_file, "text file"),
        (empty_file, "empty"),
        (wav_without_samples, "no sound that can be decoded"),
        (truncated_wav, r"truncated: \d+ of \d+ bytes"),
        (truncated_flac, r"truncated: the last 2\.\d of 3\.0 s"),
        (truncated_m4a, "no audio format|start is damaged"),
        (video_file, "video only"),
        (noise_file, "no audio format"),
        (playlist, "text file"),
        (concat_script, "no audio format"),
        (named_pipe, "not a regular file"),
        (folder, "not a regular file"),
        (one_hertz, "sample rate is 1 Hz"),
        (damaged_flac, "damaged|truncated|decoded"),
    ],
)
def test_what_is_no_audio_is_refused_with_the_reason(
    tmp_path: Path, target: Path, make: Callable[[Path], None], reason: str
) -> None:
    source = tmp_path / "in.bin"
    make(source)
    with pytest.raises(NotAudio, match=reason):
        normalise(source, target, at_most=60)
    assert not target.exists()


def test_a_missing_file_is_an_os_error(tmp_path: Path, target: Path) -> None:
    with pytest.raises(FileNotFoundError):
        normalise(tmp_path / "none.wav", target, at_most=60)


def test_decoding_ends_when_its_time_is_up(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "SECONDS_AT_MOST", -1.0)
    source = write_wav(tmp_path / "in.wav", tone(1, rate=44100))
    with pytest.raises(NotAudio, match="took longer"):
        normalise(source, target, at_most=60)


def test_the_format_may_change_within_a_file(tmp_path: Path, target: Path) -> None:
    # Two MP3 files one after another are an MP3 file.
    parts = [
        encode(
            tmp_path / f"{rate}.mp3",
            "libmp3lame",
            tone(1, rate=rate),
            rate=rate,
            sample_format="fltp",
        ).read_bytes()
        for rate in (44100, 22050)
    ]
    (tmp_path / "in.mp3").write_bytes(b"".join(parts))
    assert normalise(tmp_path / "in.mp3", target, at_most=10) == pytest.approx(2.0, abs=0.25)
    assert strength(read_wav(target)[-RATE // 2 : -RATE // 4], 440) > 0.1


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("originals")
    signal = tone(0.3, rate=16000)
    return [
        encode(folder / name, codec, signal, rate=16000, sample_format=kind).read_bytes()
        for name, codec, kind in [
            ("a.wav", "pcm_s16le", "s16"),
            ("a.flac", "flac", "s16"),
            ("a.ogg", "libopus", "s16"),
            ("a.mp3", "libmp3lame", "fltp"),
            ("a.m4a", "aac", "fltp"),
            ("a.mkv", "pcm_s16le", "s16"),
        ]
    ]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_mangled_file_is_taken_or_refused_but_never_more(
    tmp_path: Path, target: Path, originals: list[bytes], data: st.DataObject
) -> None:
    mangled = bytearray(data.draw(st.sampled_from(originals)))
    for _ in range(data.draw(st.integers(1, 6))):
        # Most that matters stands at the start.
        offset = data.draw(st.one_of(st.integers(0, 200), st.integers(0, len(mangled) - 1)))
        mangled[offset : offset + 4] = struct.pack(">I", data.draw(st.integers(0, 2**32 - 1)))
    mangled = mangled[: data.draw(st.integers(1, len(mangled)))]
    (tmp_path / "in.bin").write_bytes(mangled)
    try:
        seconds = normalise(tmp_path / "in.bin", target, at_most=5)
    except (NotAudio, TooLong):
        return
    assert 0 < seconds <= 5.001
    assert len(read_wav(target)) == round(seconds * RATE)
