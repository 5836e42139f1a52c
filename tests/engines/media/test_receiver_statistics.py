from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.media.receiver_statistics import ReceiverStatistics


def test_packets_in_order_lose_nothing_across_the_wrap() -> None:
    reception = ReceiverStatistics()
    for number in range(65500, 65600):
        assert reception.take(1, number & 0xFFFF, number * 160, number * 0.02)
    assert (reception.received, reception.lost) == (100, 0)
    assert reception.highest == 65599
    assert reception.jitter < 1e-6


def test_a_gap_is_lost_until_a_late_packet_fills_it_and_a_duplicate_is_neither() -> None:
    reception = ReceiverStatistics()
    assert reception.take(1, 10, 0, 0.0)
    assert reception.take(1, 13, 480, 0.06)
    assert reception.lost == 2
    assert not reception.take(1, 12, 320, 0.07)
    assert not reception.take(1, 12, 320, 0.07)
    assert not reception.take(1, 13, 480, 0.07)
    assert (reception.received, reception.lost) == (3, 1)


def test_one_wild_packet_is_dropped_and_a_second_one_begins_anew() -> None:
    reception = ReceiverStatistics()
    assert reception.take(1, 10, 0, 0.0)
    assert not reception.take(1, 40000, 0, 0.02)
    assert reception.take(1, 11, 160, 0.02)
    assert not reception.take(1, 40000, 0, 0.04)
    assert reception.take(1, 40001, 160, 0.06)
    assert reception.take(1, 40002, 320, 0.08)
    assert (reception.received, reception.lost) == (4, 0)


def test_a_new_source_keeps_what_was_lost_before() -> None:
    reception = ReceiverStatistics()
    reception.take(1, 10, 0, 0.0)
    reception.take(1, 12, 320, 0.04)
    assert reception.take(2, 500, 99999, 0.06)
    assert reception.take(2, 501, 99999 + 160, 0.08)
    assert (reception.received, reception.lost) == (4, 1)


def test_jitter_is_that_of_rfc_3550() -> None:
    """Arrivals that alternate by ±5 ms differ by 10 ms each: the estimate goes there."""
    reception = ReceiverStatistics()
    for number in range(400):
        reception.take(1, number, number * 160, number * 0.02 + (0.005 if number % 2 else -0.005))
    assert abs(reception.jitter - 0.010) < 0.0005


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.floats(0, 1e6)
        )
    )
)
def test_whatever_comes_the_counts_stay_sane(
    packets: list[tuple[int, int, int, float]],
) -> None:
    reception = ReceiverStatistics()
    newest = sum(reception.take(*packet) for packet in packets)
    assert newest <= reception.received <= len(packets)
    assert 0 <= reception.lost == reception.expected - reception.received
