"""Sound through every codec: what of it comes out again, and what damage does."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from callwright.engines.media.codec import CODECS, G722, OPUS, PCMA, PCMU, STATIC, Codec
from callwright.engines.media.coding import Resampler, make_decoder, make_encoder
from callwright.engines.media.opus import duration

from .ears import strength

EVERY = list(CODECS.values())


def tones(rate: int, seconds: float, *hertz: float) -> bytes:
    """Tones of 4000 each."""
    at = np.arange(round(rate * seconds)) / rate
    sound = sum((4000 * np.sin(2 * np.pi * tone * at) for tone in hertz), np.zeros(len(at)))
    return sound.astype(np.int16).tobytes()


def samples(sound: bytes) -> NDArray[np.int16]:
    return np.frombuffer(sound, dtype=np.int16)


def named(codec: Codec) -> str:
    return codec.name


def test_the_table() -> None:
    assert [(c.name, c.payload_type, c.clock, c.rate, c.frame) for c in EVERY] == [
        ("PCMA", 8, 8000, 8000, 160),
        ("PCMU", 0, 8000, 8000, 160),
        ("G722", 9, 8000, 16000, 160),  # RFC 3551 section 4.5.2
        ("opus", 111, 48000, 16000, 960),  # RFC 7587 section 4.1
    ]
    assert STATIC == {8: PCMA, 0: PCMU, 9: G722}


@pytest.mark.parametrize("codec", EVERY, ids=named)
@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_tone_comes_out_as_it_went_in(codec: Codec, rate: int) -> None:
    encoder, decoder = make_encoder(codec, rate), make_decoder(codec, rate)
    packets = encoder.encode(tones(rate, 1.0, 440, 3000))
    assert len(packets) == 50
    sound = samples(b"".join(map(decoder.decode, packets)))
    assert len(sound) == rate
    heard = sound[rate // 10 : -rate // 10]
    assert strength(heard, 440, rate) == pytest.approx(4000, rel=0.15)
    assert strength(heard, 3000, rate) == pytest.approx(4000, rel=0.25)
    assert strength(heard, 1700, rate) < 150


@pytest.mark.parametrize("codec", EVERY, ids=named)
def test_only_wideband_carries_what_lies_above_4000_hz(codec: Codec) -> None:
    encoder, decoder = make_encoder(codec, 16000), make_decoder(codec, 16000)
    sound = b"".join(map(decoder.decode, encoder.encode(tones(16000, 1.0, 440, 6000))))
    heard = samples(sound)[1600:-1600]
    assert (strength(heard, 6000, 16000) > 2500) == (codec in (G722, OPUS))
    assert strength(heard, 2000, 16000) < 150  # where 6000 Hz would come out, folded
    assert strength(heard, 440, 16000) > 3000


@pytest.mark.parametrize("codec", EVERY, ids=named)
def test_silence_is_silent_whatever_went_before(codec: Codec) -> None:
    decoder = make_decoder(codec)
    assert np.abs(samples(decoder.decode(codec.silence))).max() <= 8
    loud = np.random.default_rng(1).integers(-30000, 30000, codec.rate, np.int16)
    for packet in make_encoder(codec).encode(loud.tobytes()):
        decoder.decode(packet)
    decoder.decode(codec.silence)
    for _ in range(10):
        sound = samples(decoder.decode(codec.silence))
        assert len(sound) == codec.rate // 50
        assert np.abs(sound).max() <= 64  # -54 dB of full scale


@pytest.mark.parametrize("codec", EVERY, ids=named)
def test_packets_are_20_ms_whatever_the_portions_of_sound(codec: Codec) -> None:
    sound, encoder = tones(8000, 0.6, 440), make_encoder(codec, 8000)
    packets, at = [], 0
    for size in (30, 10, 60, 5, 15) * 5:
        packets += encoder.encode(sound[at : at + 16 * size])
        at += 16 * size
        assert encoder.kept * 50 < codec.rate
    assert len(packets) == 30
    assert encoder.kept == 0
    decoder = make_decoder(codec, 8000)
    assert {len(decoder.decode(packet)) for packet in packets} == {320}


@pytest.mark.parametrize(("source", "target"), list(permutations((8000, 16000, 48000), 2)))
def test_resampling_keeps_length_and_tone(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    sound = tones(source, 0.5, 1000)
    step = source // 50 * 2
    parts = [resampler.resample(sound[at : at + step]) for at in range(0, len(sound), step)]
    assert {len(part) for part in parts} == {target // 50 * 2}
    heard = samples(b"".join(parts))[target // 50 :]
    assert strength(heard, 1000, target) == pytest.approx(4000, rel=0.05)
    assert resampler.resample(b"") == b""


@pytest.mark.parametrize("codec", EVERY, ids=named)
def test_a_decoder_gets_over_damage(codec: Codec) -> None:
    decoder = make_decoder(codec)
    for damage in (b"", b"\xff", b"\xff\xff", bytes(1500), b"\x03\x00"):
        decoder.decode(damage)
    packets = make_encoder(codec).encode(tones(codec.rate, 0.5, 440))
    heard = samples(b"".join(map(decoder.decode, packets)))
    assert strength(heard[codec.rate // 10 :], 440, codec.rate) > 3000


@settings(deadline=None, max_examples=200)
@given(st.lists(st.binary(max_size=400), max_size=20))
def test_any_bytes_are_sound_or_nothing(payloads: list[bytes]) -> None:
    for codec in (G722, OPUS):
        decoder = make_decoder(codec, 8000)
        for payload in payloads:
            assert len(decoder.decode(payload)) % 2 == 0


@pytest.mark.parametrize(
    ("packet", "milliseconds"),
    [
        (b"\xf8\xff\xfe", 20),
        (b"\x48", 20),  # SILK, wideband
        (b"\x58", 60),
        (b"\x40", 10),
        (b"\x70", 10),  # hybrid
        (b"\xe0", 2.5),
        (b"\xf9", 40),
        (b"\xfa", 40),
        (b"\xfb\x03", 60),
        (b"\xfb\x86", 120),
        (b"\xfb\x07", 0),  # 140 ms: too long
        (b"\xfb\x00", 0),
        (b"\xfb", 0),
        (b"", 0),
    ],
)
def test_how_long_an_opus_packet_is(packet: bytes, milliseconds: float) -> None:
    assert duration(b"header" + packet, 6, 6 + len(packet)) == milliseconds * 48
