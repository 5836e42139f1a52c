"""Points per minute and day, on a clock of ours."""

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.directory.model import AccountId
from callwright.methods.errors import LimitExceeded
from callwright.rpc.limits import DAY, MINUTE, Budget
from tests.rpc.world import Clock

ONE, OTHER = AccountId(1), AccountId(2)


def budget(clock: Clock, *, per_minute: int = 3, per_day: int = 5) -> Budget:
    return Budget(per_minute=per_minute, per_day=per_day, clock=clock)


def succeed(points: Budget, account: AccountId = ONE) -> None:
    with points.point(account):
        pass


def fail_later(points: Budget, clock: Clock, after: float) -> None:
    """A request that fails when another has succeeded in the meantime."""
    with points.point(ONE):
        clock.now += after
        succeed(points)
        raise ValueError("late")


def test_a_request_under_way_holds_its_point() -> None:
    points = budget(Clock())
    with ExitStack() as under_way:
        for _ in range(3):
            under_way.enter_context(points.point(ONE))
        with pytest.raises(LimitExceeded) as refused:
            succeed(points)
        succeed(points, OTHER)
    assert refused.value.params == {"limit_type": "minute", "limit_max_value": 3}


def test_who_needs_no_point_takes_one_only_if_there_is_one() -> None:
    points = budget(Clock(), per_minute=1)
    for _ in range(2):
        with points.point(ONE, needed=False):
            pass
        assert points.limits(ONE)["minute_remaining"] == 0
        assert points.limits(ONE)["day_remaining"] == 4


def test_fewer_points_after_a_restart_are_not_less_than_none() -> None:
    points = budget(Clock())
    succeed(points)
    succeed(points)
    fewer = budget(Clock(), per_minute=1, per_day=1)
    fewer.restore(points.changed())
    limits = fewer.limits(ONE)
    assert (limits["minute_remaining"], limits["day_remaining"]) == (0, 0)


def test_a_request_that_fails_gives_it_back() -> None:
    points = budget(Clock())
    for failure in ValueError, KeyboardInterrupt:
        with pytest.raises(failure), points.point(ONE):
            raise failure
    assert points.limits(ONE)["minute_remaining"] == 3
    assert points.limits(ONE)["day_remaining"] == 5


def test_a_request_that_fails_in_the_next_minute_gives_back_only_the_day() -> None:
    clock = Clock()
    points = budget(clock)
    with pytest.raises(ValueError, match="late"):
        fail_later(points, clock, MINUTE)
    assert points.limits(ONE)["minute_remaining"] == 2
    assert points.limits(ONE)["day_remaining"] == 4


def test_a_request_that_fails_in_the_next_day_gives_back_nothing() -> None:
    clock = Clock()
    points = budget(clock)
    with pytest.raises(ValueError, match="late"):
        fail_later(points, clock, DAY)
    assert points.limits(ONE)["minute_remaining"] == 2
    assert points.limits(ONE)["day_remaining"] == 4


@pytest.mark.parametrize(
    ("now", "minute_reset", "day_reset"),
    [(DAY * 20000, 60, DAY), (DAY * 20000 + 59.9, 1, DAY - 59), (DAY * 20000 - 1, 1, 1)],
)
def test_resets_are_whole_seconds_until_the_next_window(
    now: float, minute_reset: int, day_reset: int
) -> None:
    left = budget(Clock(now)).limits(ONE)
    assert (left["minute_reset"], left["day_reset"]) == (minute_reset, day_reset)


def test_a_clock_set_back_does_not_lock_anybody_out() -> None:
    clock = Clock()
    points = budget(clock)
    for _ in range(3):
        succeed(points)
    clock.now -= 3 * DAY
    succeed(points)
    assert points.limits(ONE)["minute_remaining"] == 2


@given(
    steps=st.lists(st.tuples(st.integers(1, 3), st.floats(0, DAY / 3), st.booleans()), max_size=60)
)
def test_no_window_ever_holds_more_successes_than_allowed(
    steps: list[tuple[int, float, bool]],
) -> None:
    clock = Clock()
    points = budget(clock, per_minute=2, per_day=4)
    taken: list[tuple[int, int]] = []
    for account, later, succeeds in steps:
        clock.now += later
        try:
            with points.point(AccountId(account)):
                if not succeeds:
                    raise ValueError
        except (ValueError, LimitExceeded):
            continue
        taken.append((account, int(clock.now)))
    for account, now in taken:
        of_account = [at for who, at in taken if who == account]
        assert sum(at // MINUTE == now // MINUTE for at in of_account) <= 2
        assert sum(at // DAY == now // DAY for at in of_account) <= 4
