"""Keys as sound: what a receiver must take and must not take (ITU-T Q.24), and talk-off."""

import io
import re
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from callwright.engines.media.codec import CODECS, OPUS, PCMA, Codec
from callwright.engines.media.coding import make_encoder
from callwright.engines.media.dtmf import KEYS
from callwright.engines.media.g711 import RATE
from callwright.engines.media.heard_keys import HeardKeys
from callwright.engines.media.tone_detector import ToneDetector
from callwright.engines.media.tones import frequencies, tone_frames
from callwright.speech.frames import Job, pack_job, read_frame, unpack_answer
from callwright.speech.process import COMMAND
from tests.phones.tones import resampled
from tests.waiting import WITHIN

Sound = NDArray[np.float64]

SHORTEST, TOO_SHORT, SHORTEST_PAUSE, NO_PAUSE = 40, 23, 40, 10
"Milliseconds: Q.24 table A-1."


def amplitude(dbm0: float) -> float:
    return 32124 * 10 ** ((dbm0 - 3.14) / 20)


def tone(
    key: str,
    milliseconds: float,
    *,
    off: tuple[float, float] = (0.0, 0.0),
    levels: tuple[float, float] = (-10.0, -10.0),
    phase: float = 0.0,
    rate: int = RATE,
) -> Sound:
    """A key: how far each of its tones is off, as a share, and its level in dBm0."""
    times = np.arange(round(milliseconds * rate / 1000)) / rate
    tones = zip(frequencies(key), off, levels, strict=True)
    return sum(
        (
            amplitude(level) * np.sin(2 * np.pi * hertz * (1 + share) * times + phase)
            for hertz, share, level in tones
        ),
        start=np.zeros(len(times)),
    )


def silence(milliseconds: float, rate: int = RATE) -> Sound:
    return np.zeros(round(milliseconds * rate / 1000))


def pcm(*sounds: Sound) -> bytes:
    return np.clip(np.concatenate(sounds), -32768, 32767).astype(np.int16).tobytes()


def heard(*sounds: Sound, packet: float = 20) -> str:
    """The keys told of a sound that comes in packets of so many milliseconds."""
    receiver = ToneDetector()
    coded = pcm(*sounds)
    step = round(packet * RATE / 1000) * 2
    told = [receiver.take(coded[at : at + step]) for at in range(0, len(coded), step)]
    return "".join(key for key in told if key)


def at_every_place(
    key: str,
    milliseconds: float,
    *,
    off: tuple[float, float] = (0.0, 0.0),
    levels: tuple[float, float] = (-10.0, -10.0),
) -> set[str]:
    """What is told of a tone wherever in a window it begins, and in whatever phase."""
    return {
        heard(
            silence(60 + begin),
            tone(key, milliseconds, off=off, levels=levels, phase=begin),
            silence(80),
        )
        for begin in np.arange(0, 10, 1.25)
    }


@pytest.mark.parametrize("key", KEYS)
def test_forty_milliseconds_are_a_key_and_twenty_three_are_none(key: str) -> None:
    assert at_every_place(key, SHORTEST) == {key}
    assert at_every_place(key, 1000) == {key}, "and one held long is one"
    assert at_every_place(key, TOO_SHORT) == {""}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_tone_may_be_off_by_one_and_a_half_percent_and_2_hertz(key: str, sign: int) -> None:
    low, high = (0.015 + 2 / hertz for hertz in frequencies(key))
    for off in (sign * low, 0.0), (0.0, sign * high), (sign * low, sign * high):
        assert at_every_place(key, SHORTEST, off=off) == {key}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("share", [-0.06, -0.035, 0.035, 0.06])
def test_a_tone_that_is_off_by_three_and_a_half_percent_is_none(key: str, share: float) -> None:
    for off in (share, 0.0), (0.0, share):
        assert at_every_place(key, 200, off=off) == {""}


@pytest.mark.parametrize("key", KEYS)
def test_the_high_tone_may_be_4_db_louder_and_8_db_weaker(key: str) -> None:
    for twist in (-8.0, 4.0):
        assert at_every_place(key, SHORTEST, levels=(-10.0, -10.0 + twist)) == {key}
        off_too = at_every_place(key, SHORTEST, off=(0.015, 0.015), levels=(-10.0, -10.0 + twist))
        assert off_too == {key}
    assert at_every_place(key, 200, levels=(-20.0, -8.0)) == {""}
    assert at_every_place(key, 200, levels=(-6.0, -18.0)) == {""}


@pytest.mark.parametrize("key", "15D")
def test_from_0_to_minus_25_dbm0_is_heard_and_minus_55_is_not(key: str) -> None:
    for level in (0.0, -10.0, -25.0):
        assert at_every_place(key, SHORTEST, levels=(level, level)) == {key}
    assert at_every_place(key, 200, levels=(-55.0, -55.0)) == {""}


def test_a_gap_of_10_ms_splits_no_key_and_one_of_40_does() -> None:
    for begin in range(0, 10, 2):
        for gap, told in ((NO_PAUSE, "7"), (SHORTEST_PAUSE, "77")):
            assert heard(silence(begin), tone("7", 60), silence(gap), tone("7", 60)) == told


def test_keys_follow_each_other_without_a_pause() -> None:
    assert heard(tone("1", 60), tone("2", 60), tone("2", 60), tone("#", 60)) == "12#"


def test_keys_are_heard_in_noise_12_db_below_them() -> None:
    chance = np.random.default_rng(24)
    expected, sounds = "", []
    for key in KEYS * 10:
        pressed = tone(key, 50)
        strength = np.sqrt(np.mean(pressed**2) / 10 ** (12 / 10))
        both = np.concatenate([silence(50), pressed])
        sounds.append(both + chance.normal(0, strength, len(both)))
        expected += key
    assert heard(*sounds) == expected


def test_one_tone_alone_and_noise_and_two_of_one_group_are_no_key() -> None:
    chance = np.random.default_rng(24)
    times = np.arange(RATE) / RATE
    for hertz in (697, 941, 1209, 1633, 425, 1000, 2100):
        assert heard(8000 * np.sin(2 * np.pi * hertz * times)) == ""
    assert heard(chance.normal(0, 5000, 20 * RATE)) == ""
    assert heard(*(4000 * np.sin(2 * np.pi * hertz * times) for hertz in (697, 852))) == ""


def test_a_key_with_a_third_tone_as_loud_is_none() -> None:
    """A chord is music."""
    third = amplitude(-10) * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    assert heard(tone("5", 1000) + third) == ""


@pytest.mark.parametrize("packet", [0.125, 2.5, 5, 10, 17.5, 20, 30, 60, 256])
def test_it_does_not_matter_how_the_sound_is_cut_into_packets(packet: float) -> None:
    sounds = [part for key in "0139*#" for part in (silence(333.375), tone(key, 45))]
    assert heard(*sounds, packet=packet) == "0139*#"


@pytest.fixture(scope="module")
def speech() -> Sound:
    """Some minutes of speech in two languages: the project's own documents, read out."""
    root = Path(__file__).parents[3]
    jobs = []
    for file, voice in (
        ("README.md", "en"),
        ("docs/choreography.md", "en"),
        ("README.ru.md", "ru"),
    ):
        text = " ".join(re.sub(r"[^\w\s.,;:?!-]", " ", (root / file).read_text()).split())
        jobs += [Job(text[at : at + 400], voice, 30) for at in range(0, 2000, 400)]
    done = subprocess.run(
        COMMAND,
        input=b"".join(map(pack_job, jobs)),
        capture_output=True,
        timeout=WITHIN,
        check=True,
    )
    answers = io.BytesIO(done.stdout)
    said = []
    for _ in jobs:
        answer = read_frame(answers)
        assert answer is not None
        with wave.open(io.BytesIO(unpack_answer(answer))) as wav:
            samples = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
            said.append(resampled(samples.astype(np.float64), wav.getframerate()))
    return np.concatenate(said)


def test_speech_is_taken_for_no_key_at_whatever_pitch(speech: Sound) -> None:
    assert len(speech) > 180 * RATE
    for pitch in (0.7, 0.85, 1.0, 1.2, 1.4):
        again = np.interp(np.arange(0, len(speech) - 1, pitch), np.arange(len(speech)), speech)
        assert heard(again) == "", pitch


def test_a_key_pressed_in_the_middle_of_speech_is_heard(speech: Sound) -> None:
    begin, middle, end = (second * RATE for second in (10, 20, 30))
    assert heard(speech[begin:middle], tone("8", 100), speech[middle:end]) == "8"


# In packets.


def packets(codec: Codec, *sounds: Sound) -> list[tuple[int, bytes]]:
    """Payloads with their timestamps; ``sounds`` at the codec's rate."""
    payloads = make_encoder(codec).encode(pcm(*sounds))
    return [(number * codec.frame, payload) for number, payload in enumerate(payloads)]


def told(codec: Codec, sent: list[tuple[int, bytes]], first: int = 0) -> str:
    receiver = HeardKeys()
    keys = [receiver.take(p, codec, (at + first) & 0xFFFFFFFF, 7) for at, p in sent]
    return "".join(key for key in keys if key)


@pytest.mark.parametrize("codec", CODECS.values(), ids=str)
def test_keys_are_heard_through_every_codec(codec: Codec) -> None:
    rate = codec.rate
    sounds = [part for key in KEYS for part in (silence(70, rate), tone(key, 80, rate=rate))] + [
        silence(100, rate)
    ]
    assert told(codec, packets(codec, *sounds)) == KEYS


def test_the_keys_we_send_ourselves_are_heard() -> None:
    frames = [frame for key in KEYS for frame in tone_frames(key, PCMA)]
    assert told(PCMA, [(n * PCMA.frame, frame) for n, frame in enumerate(frames)]) == KEYS


@pytest.mark.parametrize("lost", [{5}, {5, 6}, {3, 7}])
def test_packets_lost_in_the_middle_of_a_key_do_not_make_it_two(lost: set[int]) -> None:
    sent = packets(PCMA, silence(40), tone("4", 200), silence(60))
    first = 2**32 - 4 * PCMA.frame  # and the timestamps wrap
    assert told(PCMA, [each for n, each in enumerate(sent) if n not in lost], first) == "4"


def test_a_far_end_that_sends_nothing_in_pauses_presses_one_key_twice() -> None:
    sent = packets(PCMA, tone("4", 80), silence(80), tone("4", 80))
    assert told(PCMA, sent[:4] + sent[8:]) == "44"


def test_a_stream_that_begins_anew_begins_anew() -> None:
    receiver = HeardKeys()
    keys = [
        receiver.take(payload, codec, timestamp, ssrc)
        for ssrc, codec in ((1, PCMA), (2, PCMA), (2, OPUS))
        for timestamp, payload in packets(
            codec, tone("6", 100, rate=codec.rate), silence(40, codec.rate)
        )
    ]
    assert [key for key in keys if key] == ["6", "6", "6"]


def test_damaged_packets_are_no_key_and_no_harm() -> None:
    chance = np.random.default_rng(24)
    receiver = HeardKeys()
    for number in range(300):
        payload = chance.bytes(int(chance.integers(0, 2000)))
        codec = list(CODECS.values())[number % 4]
        assert receiver.take(payload, codec, number * 960, number // 16) is None
    good = packets(PCMA, tone("2", 100))
    assert [receiver.take(payload, PCMA, at, 999) for at, payload in good].count("2") == 1
