import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.media.codec import CODECS
from callwright.engines.media.dtmf import KEYS, STEPS, KeyReceiver, event_payloads
from callwright.engines.media.g711 import FRAME, RATE, SILENCE, Law, decode
from callwright.engines.media.tones import frequencies, tone_frames

from .ears import strength

START = 8000


def press(
    receiver: KeyReceiver, key: str, timestamp: int, packets: list[int], ssrc: int = 1
) -> list[str]:
    """Send some of the packets of a key, 0 to 6; return the keys recognised."""
    payloads = event_payloads(key)
    recognised = []
    for number in packets:
        payload = payloads[number]
        assert payload is not None
        recognised.append(receiver.take(ssrc, timestamp & 0xFFFFFFFF, number == 0, payload))
    return [found for found in recognised if found]


def test_a_key_is_written_as_rfc_4733_says() -> None:
    assert [payload.hex() if payload else None for payload in event_payloads("#")] == [
        "0b0a00a0",
        "0b0a0140",
        "0b0a01e0",
        "0b0a0280",
        "0b8a0320",
        "0b8a0320",
        "0b8a0320",
        None,
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KEYS),
            st.lists(st.integers(0, 6), min_size=1, max_size=9).map(sorted),
        )
    ),
    st.integers(0, 0xFFFFFFFF),
)
def test_each_key_counts_once_if_any_of_its_packets_come(
    presses: list[tuple[str, list[int]]], start: int
) -> None:
    receiver = KeyReceiver()
    heard = []
    for number, (key, packets) in enumerate(presses):
        heard += press(receiver, key, start + number * STEPS * FRAME, packets)
    assert "".join(heard) == "".join(key for key, _ in presses)


def test_packets_of_an_earlier_key_that_come_late_are_not_another() -> None:
    receiver = KeyReceiver()
    assert press(receiver, "1", START, [0, 1]) == ["1"]
    assert press(receiver, "2", START + 1280, [0, 1, 2]) == ["2"]
    assert press(receiver, "1", START, [4, 5, 6]) == []
    assert press(receiver, "2", START + 1280, [3, 4, 5, 6]) == []


def test_a_key_held_longer_than_a_segment_is_one_key() -> None:
    receiver = KeyReceiver()
    assert receiver.take(1, START, True, bytes.fromhex("050affff")) == "5"
    assert receiver.take(1, START + 0xFFFF, False, bytes.fromhex("050a00a0")) is None
    assert receiver.take(1, START + 0xFFFF, False, bytes.fromhex("058a0320")) is None


def test_keys_close_together_are_two_even_if_the_second_ones_beginning_is_lost() -> None:
    receiver = KeyReceiver()
    assert press(receiver, "5", START, [0, 1, 2, 3, 4]) == ["5"]
    assert press(receiver, "5", START + 880, [1, 2]) == ["5"]  # the first had ended
    assert press(receiver, "6", START + 880 + 400, [1, 2]) == ["6"]  # it had not, but it is another


def test_a_gateway_that_moves_the_timestamp_presses_one_key() -> None:
    receiver = KeyReceiver()
    found = [
        receiver.take(
            1, START + step * FRAME, step == 0, bytes([5, 10]) + (FRAME * (step + 1)).to_bytes(2)
        )
        for step in range(10)
    ]
    assert found == ["5"] + [None] * 9


def test_a_far_end_that_begins_anew_may_press_the_same_key() -> None:
    receiver = KeyReceiver()
    assert press(receiver, "5", START, [0]) == ["5"]
    assert press(receiver, "5", START, [0], ssrc=2) == ["5"]
    assert press(receiver, "5", START - 60 * RATE, [0], ssrc=2) == ["5"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 0xFFFFFFFF), st.booleans(), st.binary(max_size=9)
        )
    )
)
def test_garbage_never_raises(packets: list[tuple[int, int, bool, bytes]]) -> None:
    receiver = KeyReceiver()
    for ssrc, timestamp, marker, payload in packets:
        key = receiver.take(ssrc, timestamp, marker, payload)
        assert key is None or key in KEYS


def test_flash_and_other_events_are_no_keys() -> None:
    assert KeyReceiver().take(1, START, True, bytes.fromhex("100a00a0")) is None


@pytest.mark.parametrize("law", Law)
@pytest.mark.parametrize("key", KEYS)
def test_tones_are_those_of_the_key_then_silence(key: str, law: Law) -> None:
    frames = tone_frames(key, CODECS[law])
    assert [len(frame) for frame in frames] == [FRAME] * STEPS
    assert frames[5:] == (SILENCE[law],) * 3
    sound = np.frombuffer(decode(law, b"".join(frames[:5])), dtype=np.int16)
    every = {697, 770, 852, 941, 1209, 1336, 1477, 1633}
    for hertz in every:
        assert (strength(sound, hertz) > 2000) == (hertz in frequencies(key))
