"""A voice out of its buffer, at a time made by hand: each packet is one constant of its own."""

from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.engines.media.codec import CODECS, G722, OPUS, PCMA, PCMU, Codec
from callwright.engines.media.coding import make_encoder
from callwright.engines.media.g711 import FRAME, Law, encode
from callwright.engines.media.jitter_buffer import HELD_AT_MOST, JitterBuffer
from callwright.engines.media.receiver_statistics import ReceiverStatistics

from .ears import sine, strength

SSRC = 7
QUIET = -1
"What is written in place of a frame that is silence."


def sound(number: int) -> bytes:
    """The number of a packet, 0 to 99, as a sound."""
    return bytes((0x80 + number,)) * FRAME


class Line:
    """A far end that sends numbered packets, a network, and somebody who asks every 20 ms."""

    def __init__(self, frame: int = FRAME) -> None:
        self.reception = ReceiverStatistics()
        self.voice = JitterBuffer(self.reception, 8000)
        self.frame = frame
        self.now = 50.0
        self.heard: list[int] = []
        "The packets' numbers, frame by frame."
        self.loud: list[int] = []
        self._due = 50.003
        self._on_the_way: list[tuple[float, int]] = []

    def arrives(self, number: int, at: float) -> None:
        """Let a packet arrive so many seconds after the beginning."""
        self._on_the_way.append((50.0 + at, number))

    def steady(self, first: int, last: int, begin: float = 0.0, every: float = 0.02) -> None:
        for number in range(first, last):
            self.arrives(number, begin + (number - first) * every)

    def listen(self, until: float) -> list[int]:
        """Let time pass up to so many seconds after the beginning; return all that was heard."""
        coming = sorted(self._on_the_way)
        self._on_the_way = []
        while self._due <= 50.0 + until:
            while coming and coming[0][0] <= self._due:
                at, number = coming.pop(0)
                stamp = (0xFFFFF000 + number * self.frame) & 0xFFFFFFFF
                self.reception.take(SSRC, number, stamp, at)
                payload = sound(number % 100)[:1] * self.frame
                self.voice.take(payload, PCMA, stamp, SSRC, at)
            self.ask()
        return self.heard

    def ask(self) -> None:
        frame = self.voice.frame(self._due, 8000)
        if frame is None:
            self.heard.append(QUIET)
        else:
            assert len(frame) == 2 * FRAME
            self.heard.append(encode(Law.A, frame)[0] - 0x80)
        self.loud.append(0 if frame is None else int(np.abs(np.frombuffer(frame, "<i2")).max()))
        self._due += 0.02


def spoken(heard: list[int]) -> list[int]:
    return [number for number in heard if number != QUIET]


def breaks(heard: list[int]) -> int:
    """How often a packet was not followed by the next."""
    return sum(after != (before + 1) % 100 for before, after in pairwise(heard))


def test_a_steady_far_end_is_heard_whole_and_20_to_40_ms_late() -> None:
    line = Line()
    line.steady(0, 50)
    heard = line.listen(1.2)
    assert heard[:2] in ([QUIET, 0], [QUIET, QUIET])
    first = heard.index(0)
    assert first <= 2
    assert heard[first : first + 50] == list(range(50))


def test_whoever_asks_in_the_same_beat_hears_the_same() -> None:
    line = Line()
    line.steady(0, 10)
    line.listen(0.1)
    due = 50.123
    one = line.voice.frame(due, 8000)
    assert one is not None
    assert line.voice.frame(due + 0.005, 8000) == one
    assert line.voice.frame(due + 0.02, 8000) != one


def test_packets_that_overtook_each_other_are_put_in_order() -> None:
    line = Line()
    for number in range(40):
        line.arrives(number, 0.02 * number + (0.021 if number % 5 == 2 else 0.0))
    assert spoken(line.listen(0.9))[:38] == list(range(38))


def test_a_lost_packet_is_the_one_before_it_again_but_quieter() -> None:
    line = Line()
    line.steady(0, 5)
    line.steady(6, 20, begin=0.12)
    heard = line.listen(0.5)
    first = heard.index(0)
    assert heard[first : first + 5] == [0, 1, 2, 3, 4]
    assert heard[first + 6 : first + 20] == list(range(6, 20))  # time went on as it should
    assert 0 < line.loud[first + 5] < line.loud[first + 4]


def test_a_longer_gap_fades_and_is_silence_from_60_ms_on() -> None:
    line = Line()
    line.steady(0, 5)
    line.steady(40, 60, begin=0.8)
    heard = line.listen(1.3)
    gap = line.loud[heard.index(4) + 1 : heard.index(40)]
    assert gap[0] > gap[1] > gap[2] > 0
    assert not any(gap[3:])
    assert heard[heard.index(40) :][:20] == list(range(40, 60))


def test_jitter_is_learned() -> None:
    """At first something is missing; then the buffer is deep enough for what the network does."""
    random = Random(5)
    line = Line()
    for number in range(600):
        line.arrives(number, 0.02 * number + random.uniform(0.0, 0.035))
    line.listen(12.0)
    late = line.heard[100:550]
    assert breaks(late) < 12


def test_after_a_hold_up_the_delay_comes_down_again() -> None:
    line = Line()
    line.steady(0, 20)
    line.steady(20, 26, begin=0.52, every=0.0)  # 120 ms late, all at once
    line.steady(26, 300, begin=0.54)
    heard = line.listen(5.5)
    at = len(heard) - 1 - heard[::-1].index(99)  # 299, in hundreds
    assert at * 0.02 - 299 * 0.02 <= 0.07


def test_a_clock_that_is_not_ours_is_followed_for_ever() -> None:
    for every in (0.0199, 0.0201):  # a hundred times worse than a phone's
        line = Line()
        line.steady(0, 3000, every=every)
        heard = line.listen(every * 3000 - 0.1)
        delay = every * 3000 - 0.1 - (2900 + heard[-1]) * every
        assert 0 <= delay <= 0.09
        assert breaks(heard[5:]) <= 32  # 3000 * 0.5 % are 15 frames to leave out or to put in


def test_packets_of_other_lengths() -> None:
    for frame, packets in ((80, 100), (240, 34), (480, 17)):
        line = Line(frame)
        line.steady(0, packets, every=frame / 8000)
        heard = line.listen(0.9)
        assert QUIET not in heard[6:40]
        assert sorted(spoken(heard)) == spoken(heard)


def test_nobody_asks_and_what_is_kept_stays_small() -> None:
    line = Line()
    line.steady(0, 90)
    for number in range(90):
        stamp = number * FRAME
        line.voice.take(sound(number), PCMA, stamp, SSRC, 50 + 0.02 * number)
    line.now = line._due = 51.803
    line.ask()
    line.ask()
    oldest = min(spoken(line.heard))
    assert (90 - oldest) * 0.02 <= HELD_AT_MOST


def test_a_far_end_that_begins_anew_is_heard_at_once() -> None:
    line = Line()
    line.steady(0, 10)
    line.listen(0.2)
    for number in range(5):
        at = 50.21 + 0.02 * number
        line.voice.take(sound(50 + number), PCMU, 123456 + number * FRAME, 99, at)
        line.ask()
    line.ask()
    line.ask()
    heard = [number for number in line.loud[-6:] if number]
    assert len(heard) >= 4


def test_silence_between_the_words_of_a_far_end_costs_nothing() -> None:
    """Timestamps go on over a pause in which nothing is sent; a word then begins like the first."""
    line = Line()
    line.steady(0, 20)
    line.steady(70, 90, begin=1.4)
    heard = line.listen(2.2)
    assert heard[heard.index(70) :][:20] == list(range(70, 90))


def test_wideband_is_turned_into_what_is_asked_for() -> None:
    for codec, rate in ((G722, 16000), (OPUS, 16000), (PCMA, 8000)):
        voice = JitterBuffer(ReceiverStatistics(), rate)
        encoder = make_encoder(codec)
        frames: dict[int, list[bytes]] = {8000: [], 16000: []}
        for number in range(60):
            size = codec.rate // 50
            (payload,) = encoder.encode(sine(900, codec.rate, size, number * size))
            voice.take(payload, codec, number * codec.frame, SSRC, 50 + 0.02 * number)
            for wanted, kept in frames.items():
                frame = voice.frame(50.003 + 0.02 * number, wanted)
                if frame:
                    assert len(frame) == wanted // 50 * 2
                    kept.append(frame)
        for wanted, kept in frames.items():
            whole = np.frombuffer(b"".join(kept[10:]), dtype=np.int16)
            assert strength(whole, 900, wanted) > 3000


PACKETS = st.lists(
    st.tuples(
        st.binary(max_size=700),
        st.sampled_from(list(CODECS.values())),
        st.integers(0, 0xFFFFFFFF) | st.integers(0, 3000),
        st.integers(1, 2),
        st.floats(0, 0.1),
    ),
    max_size=60,
)


@given(PACKETS)
@settings(max_examples=60, deadline=None)
def test_whatever_comes_a_frame_is_a_frame(
    packets: list[tuple[bytes, Codec, int, int, float]],
) -> None:
    voice = JitterBuffer(ReceiverStatistics(), 8000)
    now = 50.0
    for payload, codec, timestamp, ssrc, later in packets:
        now += later
        voice.take(payload, codec, timestamp, ssrc, now)
        frame = voice.frame(now, 8000)
        assert frame is None or len(frame) == 2 * FRAME
