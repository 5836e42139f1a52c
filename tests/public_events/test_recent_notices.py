"""Recent notices: what is kept for webhooks is what the record tells, or nothing."""

import pytest

from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.public_events import recent_notices
from callwright.public_events.event_fold import EventFolds, notices
from callwright.public_events.notice import Notice
from callwright.public_events.recent_notices import (
    FINISHED_AT_MOST,
    KEPT_OF_EACH,
    RecentNotices,
)
from tests.storage.stories import later, started

OURS, OTHERS = AccountId(1), AccountId(2)


def behind(recent: RecentNotices, session: int, sequence: int) -> tuple[list[Notice], int] | None:
    untold = recent.after(SessionId(session), sequence)
    return None if untold is None else ([*untold.notices], untold.last)


def told(recent: RecentNotices, session: int, folds: EventFolds | None = None) -> EventFolds:
    """Tell a whole story, to whoever keeps it."""
    folds = folds or EventFolds(recent)
    for event in [started(session), *later(session)]:
        folds.tell(event, to=())
    return folds


def test_what_is_kept_is_what_the_record_tells() -> None:
    recent = RecentNotices()
    recent.keep_for({OURS: None})
    folds, whole = EventFolds(recent), [started(1), *later(1)]
    for event in whole:
        folds.tell(event, to=())
        story = whole[: event.sequence]
        for sequence in range(max(0, event.sequence - KEPT_OF_EACH), event.sequence + 1):
            assert behind(recent, 1, sequence) == (notices(story, after=sequence), event.sequence)


def test_of_a_long_story_only_the_end_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_notices, "KEPT_OF_EACH", 5)
    recent = RecentNotices()
    recent.keep_for({OURS: None})
    told(recent, 1)
    story = [started(1), *later(1)]
    assert behind(recent, 1, 6) is None
    assert behind(recent, 1, 7) == (notices(story, after=7), 12)


def test_only_what_is_wanted_is_kept() -> None:
    recent = RecentNotices()
    recent.keep_for({OURS: frozenset({"talk.started"}), OTHERS: None})
    told(recent, 1)
    found = behind(recent, 1, 0)
    assert found
    assert [notice.type for notice in found[0]] == ["talk.started"]
    assert found[1] == later(1)[-1].sequence


def test_nothing_is_kept_for_others() -> None:
    recent = RecentNotices()
    recent.keep_for({OTHERS: None})
    told(recent, 1)
    assert behind(recent, 1, 0) is None


def test_what_was_not_heard_from_its_beginning_is_kept_from_there() -> None:
    recent = RecentNotices()
    folds = EventFolds(recent)
    folds.tell(started(1), to=())
    folds.tell(later(1)[0], to=())
    recent.keep_for({OURS: None})
    folds.tell(later(1)[1], to=())
    assert behind(recent, 1, 1) is None
    found = behind(recent, 1, 2)
    assert found
    assert [notice.sequence for notice in found[0]] == [3]


def test_nothing_is_missing_of_what_comes_to_be_wanted() -> None:
    recent = RecentNotices()
    recent.keep_for({OURS: frozenset({"talk.started"})})
    told(recent, 1)
    recent.keep_for({OURS: frozenset({"talk.started", "leg.rang"})})
    assert behind(recent, 1, 0) is None


def test_a_session_that_is_over_is_kept_for_a_while() -> None:
    recent = RecentNotices()
    recent.keep_for({OURS: None})
    for session in range(1, FINISHED_AT_MOST + 2):
        told(recent, session)
    assert behind(recent, 1, 11) is None
    assert behind(recent, 2, 11) is not None
