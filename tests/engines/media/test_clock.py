from contextlib import suppress

import pytest

from callwright.engines.media.clock import CATCH_UP, SLACK, SLOT, SendLateness, SlotClock

BEGAN = 100.0


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> float:
        return self.now


class Leg:
    def __init__(self) -> None:
        self.due: list[float] = []

    def tick(self, due: float) -> bool:
        self.due.append(due)
        return True


def test_every_leg_is_called_each_20_ms_and_legs_are_spread_over_the_slots() -> None:
    clock = SlotClock(BEGAN)
    legs = [Leg() for _ in range(80)]
    for leg in legs:
        clock.add(leg, BEGAN)
    hand = Hand()
    while hand.now < BEGAN + 1.0:
        clock.advance(hand)
        hand.now = clock.due
    for leg in legs:
        assert len(leg.due) in (49, 50)
        steps = [
            round((after - before) * 1000, 6)
            for before, after in zip(leg.due, leg.due[1:], strict=False)
        ]
        assert set(steps) == {20.0}
    slots = [round(leg.due[0] / SLOT) % 4 for leg in legs]
    fullest, emptiest = max(map(slots.count, range(4))), min(map(slots.count, range(4)))
    assert fullest - emptiest <= SLACK + 1


def test_nobody_is_woken_for_a_slot_without_legs() -> None:
    clock, leg, hand = SlotClock(BEGAN), Leg(), Hand()
    clock.add(leg, BEGAN)
    advanced = 0
    while hand.now < BEGAN + 1.0:
        clock.advance(hand)
        advanced += 1
        hand.now = clock.due
    assert len(leg.due) in (49, 50)
    assert advanced <= len(leg.due) + 1


@pytest.mark.parametrize("later", [0.001, 0.0049, 0.006, 0.013, 0.0199, 0.0201, 0.03])
def test_a_leg_that_comes_between_two_calls_of_another_is_not_called_for_what_was(
    later: float,
) -> None:
    """Also if the other one's call is late."""
    clock, one, other, hand = SlotClock(BEGAN), Leg(), Leg(), Hand()
    clock.add(one, BEGAN)
    hand.now = clock.due
    clock.advance(hand)
    hand.now += later
    clock.add(other, hand.now)
    assert clock.due <= hand.now + SLOT
    while not other.due:
        hand.now = max(hand.now, clock.due)
        clock.advance(hand)
    assert hand.now - 1e-9 <= other.due[0] <= BEGAN + SLOT + later + SLOT
    assert clock.due == pytest.approx(min(one.due[-1], other.due[-1]) + 4 * SLOT)


def test_a_leg_is_first_called_in_the_slot_that_comes_next() -> None:
    for number in range(SLACK):
        clock, leg = SlotClock(BEGAN), Leg()
        now = BEGAN + 0.001 + number * 0.0213
        clock.add(leg, now)
        hand = Hand()
        hand.now = now
        while not leg.due:
            clock.advance(hand)
            hand.now = clock.due
        assert now <= leg.due[0] <= now + SLOT


def test_it_does_not_drift_when_it_is_called_late() -> None:
    clock = SlotClock(BEGAN)
    leg = Leg()
    clock.add(leg, BEGAN)
    hand = Hand()
    for _ in range(10_000):
        clock.advance(hand)
        hand.now = clock.due + 0.0013
    assert leg.due[-1] == pytest.approx(leg.due[0] + 0.02 * (len(leg.due) - 1))
    assert hand.now - leg.due[-1] < 0.025


def test_what_was_missed_is_made_up_for_but_not_without_end() -> None:
    clock = SlotClock(BEGAN)
    leg = Leg()
    clock.add(leg, BEGAN)
    clock.advance(lambda: BEGAN + 0.0201)
    leg.due.clear()
    clock.advance(lambda: BEGAN + 0.0601)
    assert len(leg.due) == 2
    leg.due.clear()
    clock.advance(lambda: BEGAN + 10.0)
    assert len(leg.due) == CATCH_UP // 4
    assert min(leg.due) >= BEGAN + 10.0 - CATCH_UP * SLOT - 1e-6


def test_time_without_legs_is_not_made_up_for() -> None:
    clock = SlotClock(BEGAN)
    leg = Leg()
    clock.add(leg, BEGAN + 5.0)
    clock.advance(lambda: BEGAN + 5.001)
    assert leg.due == []
    assert BEGAN + 5.0 < clock.due < BEGAN + 5.011


def test_a_leg_that_fails_does_not_hold_the_clock() -> None:
    class Broken:
        def tick(self, due: float) -> bool:
            raise ValueError(f"broken at {due}")

    clock = SlotClock(BEGAN)
    broken, whole = Broken(), Leg()
    clock.add(broken, BEGAN)
    clock.add(whole, BEGAN)
    hand = Hand()
    while hand.now < BEGAN + 0.2:
        hand.now = clock.due
        with suppress(ValueError):
            clock.advance(hand)
    assert len(whole.due) >= 9


def test_a_removed_leg_is_called_no_more_even_if_it_is_removed_in_its_slot() -> None:
    clock = SlotClock(BEGAN)
    leg = Leg()
    clock.add(leg, BEGAN)
    clock.remove(leg)
    assert len(clock) == 0
    clock.advance(lambda: BEGAN + 0.1)
    assert leg.due == []


def test_lateness_is_told_in_quantiles() -> None:
    lateness = SendLateness()
    for milliseconds in range(100):
        lateness.note(milliseconds / 1000)
    lateness.note(12.0)
    assert lateness.quantile(0.5) == pytest.approx(0.050, abs=0.0015)
    assert lateness.sent == 101
    assert lateness.late == 95
    assert SendLateness().quantile(0.5) == 0.0
