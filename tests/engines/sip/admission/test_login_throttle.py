"""The login throttle and the nonces: guessing costs time, and strangers cost no memory."""

import pytest

from callwright.engines.sip.admission import login_throttle
from callwright.engines.sip.admission import nonces as nonces_
from callwright.engines.sip.admission.login_throttle import (
    BLOCKED_FOR,
    BLOCKED_FROM,
    FORGOTTEN_AFTER,
    FREE,
    SUBSIDES,
    LoginThrottle,
    SourceThrottle,
)
from callwright.engines.sip.admission.nonces import LASTS, Freshness, Nonces

HERE, THERE = ("192.0.2.1",), ("192.0.2.2",)


def test_each_failure_costs_twice_the_one_before_until_it_blocks() -> None:
    throttle, now, waits = LoginThrottle(), 0.0, []
    for _ in range(BLOCKED_FROM):
        throttle.failed(HERE, now)
        waits.append(throttle.wait(HERE, now))
        now += waits[-1]
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, BLOCKED_FOR]
    assert throttle.wait(HERE, now - 1) == 1
    assert throttle.wait(HERE, now) == 0
    assert throttle.wait(THERE, now) == 0


def test_blocked_is_more_than_slowed_down() -> None:
    throttle = LoginThrottle()
    for _ in range(BLOCKED_FROM):
        assert not throttle.blocks(HERE, 0.0)
        throttle.failed(HERE, 0.0)
    assert throttle.blocks(HERE, BLOCKED_FOR - 1)
    assert not throttle.blocks(HERE, BLOCKED_FOR)
    throttle.failed(HERE, BLOCKED_FOR)
    assert throttle.blocks(HERE, BLOCKED_FOR + 1), "who goes on is blocked again at once"


def test_one_may_be_the_last() -> None:
    throttle = LoginThrottle()
    throttle.failed(HERE, 0.0, last=True)
    assert throttle.blocks(HERE, BLOCKED_FOR - 1)


def test_the_failures_of_a_source_subside() -> None:
    sources = SourceThrottle()
    for _ in range(10):
        sources.failed("192.0.2.1", 0.0)
    assert sources.failures("192.0.2.1", 0.0) == 10
    assert sources.failures("192.0.2.2", 0.0) == 0
    # A phone that tries once in ten minutes, for ever, never adds up to a guesser.
    now = 0.0
    for _ in range(1000):
        now += BLOCKED_FOR
        assert sources.failed("192.0.2.1", now) <= 10
    assert sources.failures("192.0.2.1", now + SUBSIDES) == 0


def test_old_failures_are_forgotten() -> None:
    throttle = LoginThrottle()
    for _ in range(FREE):
        throttle.failed(HERE, 0.0)
    throttle.failed(HERE, FORGOTTEN_AFTER + 1)
    assert throttle.wait(HERE, FORGOTTEN_AFTER + 1) == 0


def test_the_right_password_makes_good() -> None:
    throttle = LoginThrottle()
    for _ in range(FREE + 1):
        throttle.failed(HERE, 0.0)
    throttle.passed(HERE)
    assert throttle.wait(HERE, 0.0) == 0
    assert len(throttle) == 0


def test_the_table_of_failures_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_throttle, "REMEMBERED_AT_MOST", 5)
    throttle = LoginThrottle()
    for number in range(20):
        for _ in range(FREE + 1):
            throttle.failed((str(number),), float(number))
    assert len(throttle) == 5
    assert throttle.wait(("19",), 19.0) > 0
    assert throttle.wait(("14",), 14.0) == 0


def test_a_nonce_is_good_for_its_address_and_its_time() -> None:
    nonces = Nonces(b"secret")
    nonce = nonces.make("192.0.2.1", 100.0)
    assert nonces.look(nonce, "192.0.2.1", 100.0 + LASTS) is Freshness.FRESH
    assert nonces.look(nonce, "192.0.2.1", 101.0 + LASTS) is Freshness.STALE
    assert nonces.look(nonce, "192.0.2.2", 100.0) is Freshness.FOREIGN
    assert Nonces(b"another").look(nonce, "192.0.2.1", 100.0) is Freshness.FOREIGN
    assert nonces.make("192.0.2.1", 100.0) != nonce


@pytest.mark.parametrize("nonce", ["", "x", "ü" * 60, "0" * 56, "\udcff" * 56])
def test_a_made_up_nonce_is_foreign(nonce: str) -> None:
    assert Nonces(b"secret").look(nonce, "192.0.2.1", 1.0) is Freshness.FOREIGN


def test_every_change_of_a_nonce_makes_it_foreign() -> None:
    nonces = Nonces(b"secret")
    nonce = nonces.make("192.0.2.1", 100.0)
    for place, digit in enumerate(nonce):
        other = "0" if digit != "0" else "1"
        changed = nonce[:place] + other + nonce[place + 1 :]
        assert nonces.look(changed, "192.0.2.1", 100.0) is Freshness.FOREIGN


def test_a_count_is_used_once() -> None:
    nonces = Nonces(b"secret")
    nonce = nonces.make("a", 1.0)
    assert [nonces.use(nonce, count) for count in (1, 1, 0, 3, 2, 3, 4)] == [
        True,
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_a_nonce_that_was_used_and_forgotten_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces_, "REMEMBERED_AT_MOST", 3)
    nonces = Nonces(b"secret")
    made = [nonces.make("a", float(second)) for second in range(1, 7)]
    unused_and_old = nonces.make("a", 1.5)
    for nonce in made:
        assert nonces.use(nonce, 1)
    assert len(nonces) == 3
    looked = [nonces.look(nonce, "a", 7.0) for nonce in made]
    assert looked == [Freshness.STALE] * 3 + [Freshness.FRESH] * 3
    assert nonces.look(unused_and_old, "a", 7.0) is Freshness.STALE
    assert nonces.look(nonces.make("a", 7.0), "a", 7.0) is Freshness.FRESH
