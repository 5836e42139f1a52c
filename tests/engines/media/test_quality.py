"""The E-model against the tables of its standards."""

import pytest

from callwright.engines.media.quality import Impairment, mean_opinion, opinion_of


@pytest.mark.parametrize(
    ("rating", "opinion"),
    [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)],
)
def test_ratings_become_the_opinions_of_table_b_1(rating: float, opinion: float) -> None:
    assert opinion_of(rating) == pytest.approx(opinion, abs=0.01)


def test_the_ends_of_the_scale() -> None:
    assert opinion_of(-5) == opinion_of(0) == opinion_of(3) == 1.0
    assert opinion_of(100) == opinion_of(120) == 4.5


def test_a_clean_line_near_by_is_as_good_as_telephony_gets() -> None:
    assert mean_opinion(loss=0.0, delay=0.0) == pytest.approx(4.41, abs=0.005)


def test_delay_under_a_tenth_of_a_second_costs_nothing_and_then_ever_more() -> None:
    assert mean_opinion(loss=0.0, delay=0.06) == mean_opinion(loss=0.0, delay=0.0)
    heard = [mean_opinion(loss=0.0, delay=0.1 * tenths) for tenths in range(1, 12)]
    assert heard == sorted(heard, reverse=True)
    # G.107 clause 7.4 at Ta = 400 ms: Idd is 24.0, which leaves R = 69.2.
    assert mean_opinion(loss=0.0, delay=0.36) == pytest.approx(opinion_of(69.2), abs=0.01)


def test_jitter_is_waited_for() -> None:
    assert mean_opinion(loss=0.0, delay=0.1, jitter=0.05) == mean_opinion(loss=0.0, delay=0.2)


def test_loss_costs_what_the_codecs_robustness_says() -> None:
    # G.107 clause 7.5: 95 * 5 / (5 + 25.1) is 15.8.
    assert mean_opinion(loss=0.05, delay=0.0) == pytest.approx(opinion_of(93.2 - 15.78), abs=0.01)
    fragile = Impairment(11.0, 19.0)
    assert mean_opinion(loss=0.0, delay=0.0, codec=fragile) == opinion_of(93.2 - 11.0)
    assert mean_opinion(loss=1.0, delay=0.0) < 1.7
    assert mean_opinion(loss=7.0, delay=0.0) == mean_opinion(loss=1.0, delay=0.0)
