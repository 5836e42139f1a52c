from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.media.codec import CODECS, PCMA, PCMU
from callwright.engines.media.g711 import FRAME, SILENCE, Law
from callwright.engines.media.player import Playback
from callwright.engines.port import PlaybackId

from .desk import clip


@given(st.binary(min_size=1, max_size=1000), st.sampled_from(Law))
def test_a_playback_is_the_clip_and_silence_up_to_a_whole_packet(sound: bytes, law: Law) -> None:
    playback = Playback(PlaybackId(1), Path("a.wav"), loop=False)
    playback.load(clip(sound))
    frames = list(iter(lambda: playback.next_frame(CODECS[law]), None))
    assert {len(frame) for frame in frames} == {FRAME}
    heard = b"".join(frames)
    assert heard[: len(sound)] == sound
    assert heard[len(sound) :] == SILENCE[law][: len(heard) - len(sound)]
    assert len(heard) - len(sound) < FRAME


@given(st.binary(min_size=1, max_size=1000))
def test_a_loop_has_no_seam(sound: bytes) -> None:
    playback = Playback(PlaybackId(1), Path("a.wav"), loop=True)
    playback.load(clip(sound))
    heard = b"".join(playback.next_frame(PCMA) or b"" for _ in range(20))
    assert heard == (sound * (20 * FRAME))[: 20 * FRAME]


def test_a_clip_of_nothing_is_at_its_end_even_in_a_loop() -> None:
    playback = Playback(PlaybackId(1), Path("a.wav"), loop=True)
    playback.load(clip(b""))
    assert playback.next_frame(PCMA) is None


def test_until_it_is_loaded_it_is_silence_and_loses_nothing() -> None:
    playback = Playback(PlaybackId(1), Path("a.wav"), loop=False)
    assert playback.next_frame(PCMU) == SILENCE[Law.U]
    playback.load(clip(b"\x01" * FRAME))
    assert playback.next_frame(PCMU) == b"\x01" * FRAME


def test_the_codec_may_change_in_mid_play() -> None:
    playback = Playback(PlaybackId(1), Path("a.wav"), loop=False)
    playback.load(clip(b"a" * 320, b"u" * 320))
    assert playback.next_frame(PCMA) == b"a" * FRAME
    assert playback.next_frame(PCMU) == b"u" * FRAME
    assert playback.next_frame(PCMU) is None
