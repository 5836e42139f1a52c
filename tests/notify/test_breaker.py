"""The breaker, and how attempts lie apart."""

from datetime import UTC, datetime, timedelta

from callwright.notify.breaker import (
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    CircuitBreaker,
    retry_after,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def opened() -> CircuitBreaker:
    breaker = CircuitBreaker(lambda: 0.5)
    for session in range(FAILURES - 1):
        assert not breaker.failed(NOW, session)
        assert breaker.room(NOW, busy=1, limit=4) == 3
    assert breaker.failed(NOW, FAILURES)
    return breaker


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_failures_in_a_row_open_it() -> None:
    breaker = opened()
    assert breaker.tries_at == after(FIRST_PAUSE)
    assert breaker.room(NOW, busy=0, limit=4) == 0
    assert breaker.room(after(FIRST_PAUSE), busy=0, limit=4) == 1
    assert breaker.room(after(FIRST_PAUSE), busy=1, limit=4) == 0


def test_one_session_alone_does_not_open_it() -> None:
    breaker = CircuitBreaker()
    assert not any(breaker.failed(NOW, 1) for _ in range(100))
    assert breaker.tries_at is None
    assert breaker.failed(NOW, 2)


def test_a_success_in_between_keeps_it_closed() -> None:
    breaker = CircuitBreaker()
    for session in range(10 * FAILURES):
        assert not breaker.failed(NOW, session)
        assert not breaker.took()
    assert breaker.failing_since is None


def test_the_pause_grows_while_nothing_is_taken() -> None:
    breaker = opened()
    pauses = []
    for _ in range(8):
        assert breaker.tries_at
        now = breaker.tries_at
        assert not breaker.failed(now, 1)
        pauses.append((breaker.tries_at - now).total_seconds())
    assert pauses[:3] == [2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert breaker.failing_since == NOW
    assert breaker.took()
    assert breaker.room(NOW, busy=0, limit=4) == 4


def test_stragglers_do_not_make_the_pause_grow() -> None:
    breaker = opened()
    assert not breaker.failed(after(1), 9)
    assert breaker.tries_at == after(FIRST_PAUSE)


def test_attempts_lie_further_and_further_apart() -> None:
    middle = [retry_after(n, lambda: 0.5).total_seconds() for n in range(1, 10)]
    assert middle == [5, 30, 120, 600, 1800, 3600, 3600, 3600, 3600]
    assert retry_after(1, lambda: 0.0).total_seconds() == 4
    assert retry_after(1, lambda: 1.0).total_seconds() == 6
