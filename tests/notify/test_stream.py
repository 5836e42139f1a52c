from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from callwright.calls.events import SessionEvent
from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.notify import stream as module
from callwright.notify.stream import (
    EventStream,
    Filter,
    Gap,
    GapReason,
    StreamedNotice,
    TooManyStreams,
    TooSlow,
)
from callwright.storage.history.event_log import Page, Written
from tests.storage.stories import CAPTION, later, started
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

US, THEM = AccountId(1), AccountId(2)
EVERYTHING = Filter()


def story(session: int, account: AccountId = US) -> list[SessionEvent]:
    return [started(session, replace(CAPTION, account=account)), *later(session)]


@dataclass
class Disk:
    """The log, in memory; and the journal that writes it."""

    events: list[Written] = field(default_factory=list)
    accounts: dict[int, AccountId] = field(default_factory=dict)
    has_old: bool = False
    page_read: Callable[[], None] = lambda: None
    "Called after each page that is read."
    stream: EventStream | None = None

    def write(self, events: Sequence[SessionEvent], account: AccountId = US) -> None:
        written = [
            Written(100 + 10 * (len(self.events) + n), event) for n, event in enumerate(events)
        ]
        self.accounts.update({event.session: account for event in events})
        self.events += written
        if self.stream:
            self.stream.hear(written)

    async def last(self) -> int:
        return self.events[-1].position if self.events else 0

    async def knows(self, position: int) -> bool:
        return any(one.position == position for one in self.events)

    async def has_unplaced(self, account: AccountId) -> bool:
        return self.has_old

    async def far_behind(self, after: int, *, at_most: int) -> int | None:
        newest_first = [one.position for one in reversed(self.events) if one.position > after]
        return newest_first[at_most] if len(newest_first) > at_most else None

    async def page(
        self, account: AccountId, after: int, upto: int, session: SessionId | None, *, at_most: int
    ) -> Page:
        await anyio.lowlevel.checkpoint()
        found = [
            one
            for one in self.events
            if after < one.position <= upto
            and self.accounts[one.event.session] == account
            and session in (None, one.event.session)
        ][:at_most]
        self.page_read()
        return Page(found, found[-1].position if len(found) == at_most else upto)

    async def story(self, session: SessionId, before: int) -> list[SessionEvent]:
        return [
            one.event
            for one in self.events
            if one.event.session == session and one.event.sequence < before
        ]


async def streaming(disk: Disk, **limits: Any) -> EventStream:
    disk.stream = EventStream(disk, **{"per_account": 3, **limits})
    await disk.stream.open()
    return disk.stream


async def some(
    notices: AsyncGenerator[StreamedNotice | Gap, None], count: int
) -> list[StreamedNotice | Gap]:
    with anyio.fail_after(WITHIN):
        return [await anext(notices) for _ in range(count)]


def ids(told: Sequence[StreamedNotice | Gap]) -> list[str]:
    return [one.notice.event_id for one in told if isinstance(one, StreamedNotice)]


@contextmanager
def small_pages(monkeypatch: pytest.MonkeyPatch, size: int) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(module, "PAGE", size)
        yield


async def test_what_is_written_is_told_to_its_account() -> None:
    disk = Disk()
    stream = await streaming(disk)
    with (
        stream.subscribed(US, EVERYTHING, None) as ours,
        stream.subscribed(THEM, EVERYTHING, None) as theirs,
    ):
        disk.write(story(1))
        disk.write(story(2, THEM), THEM)
        async with aclosing(ours.notices()) as notices, aclosing(theirs.notices()) as others:
            assert ids(await some(notices, 12)) == [f"1-{n}" for n in range(1, 13)]
            assert ids(await some(others, 12)) == [f"2-{n}" for n in range(1, 13)]
            disk.write(story(3))
            assert ids(await some(notices, 1)) == ["3-1"]
    assert stream.readers == 0


async def test_who_comes_in_the_middle_of_a_call_is_told_of_it_as_if_always_there() -> None:
    disk = Disk()
    stream = await streaming(disk)
    disk.write(story(1)[:6])
    with stream.subscribed(US, EVERYTHING, None) as subscription:
        disk.write(story(1)[6:])
        async with aclosing(subscription.notices()) as notices:
            [key, *_] = await some(notices, 1)
    assert isinstance(key, StreamedNotice)
    assert key.notice.data["employee_full_name"] == "Anna Ivanova"
    assert key.notice.data["called_phone_number"] == "79260000000"


@pytest.mark.parametrize("page", [1, 2, 5, 100])
@pytest.mark.parametrize("place", [0, 1, 7, 23])
async def test_a_replay_tells_the_same_as_was_told(
    monkeypatch: pytest.MonkeyPatch, page: int, place: int
) -> None:
    disk = Disk()
    stream = await streaming(disk)
    with stream.subscribed(US, EVERYTHING, None) as subscription:
        for events in zip(story(1), story(2), strict=True):
            disk.write(events)
        async with aclosing(subscription.notices()) as notices:
            told = await some(notices, 24)
    known = told[place - 1].position if place else 0
    with small_pages(monkeypatch, page), stream.subscribed(US, EVERYTHING, known) as again:
        async with aclosing(again.notices()) as notices:
            assert await some(notices, 24 - place) == told[place:]


async def test_what_is_written_during_a_replay_comes_after_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = Disk()
    disk.write(story(1))
    stream = await streaming(disk, queued_at_most=8)
    more = iter(range(2, 5))

    def write_more() -> None:
        for session in [next(more, None)]:
            if session:
                disk.write(story(session))

    # More than the queue holds comes while the log is read, again and again.
    disk.page_read = write_more
    with small_pages(monkeypatch, 5), stream.subscribed(US, EVERYTHING, 0) as subscription:
        async with aclosing(subscription.notices()) as notices:
            told = await some(notices, 48)
            disk.write(story(9)[:1])
            told += await some(notices, 1)
    assert ids(told) == [f"{one.event.session}-{one.event.sequence}" for one in disk.events]


async def test_who_reads_too_slowly_is_put_out_and_comes_back_without_loss() -> None:
    disk = Disk()
    stream = await streaming(disk, queued_at_most=5)
    told: list[StreamedNotice | Gap] = []
    with stream.subscribed(US, EVERYTHING, None) as slow:
        disk.write(story(1)[:4])
        async with aclosing(slow.notices()) as notices:
            told += await some(notices, 4)
            disk.write(story(1)[4:])
            with pytest.raises(TooSlow):
                await some(notices, 9)
    with stream.subscribed(US, EVERYTHING, told[-1].position) as back:
        async with aclosing(back.notices()) as notices:
            told += await some(notices, 8)
    assert ids(told) == [f"1-{n}" for n in range(1, 13)]


async def test_what_a_filter_leaves_out_does_not_fill_the_queue() -> None:
    disk = Disk()
    stream = await streaming(disk, queued_at_most=1)
    verdicts = Filter(SessionId(1), frozenset({"session.finished"}))
    with stream.subscribed(US, verdicts, None) as subscription:
        disk.write(story(1))
        disk.write(story(2))
        async with aclosing(subscription.notices()) as notices:
            assert ids(await some(notices, 1)) == ["1-12"]


async def test_who_is_too_far_behind_has_a_gap_and_goes_on_behind_it() -> None:
    disk = Disk()
    disk.write(story(1))
    stream = await streaming(disk, replayed_at_most=4)
    first = disk.events[0].position
    with stream.subscribed(US, EVERYTHING, first) as subscription:
        async with aclosing(subscription.notices()) as notices:
            gap, *told = await some(notices, 5)
    assert gap == Gap(GapReason.TOO_OLD, disk.events[7].position)
    assert ids(told) == ["1-9", "1-10", "1-11", "1-12"]
    # Just not too far.
    with stream.subscribed(US, EVERYTHING, gap.position) as subscription:
        async with aclosing(subscription.notices()) as notices:
            assert await some(notices, 4) == told


async def test_events_without_a_place_are_a_gap_before_all_others() -> None:
    """Those of a version that gave them none."""
    disk = Disk(has_old=True)
    disk.write(story(1))
    stream = await streaming(disk)
    with stream.subscribed(US, EVERYTHING, 0) as subscription:
        async with aclosing(subscription.notices()) as notices:
            gap, *told = await some(notices, 13)
    assert gap == Gap(GapReason.TOO_OLD, 0)
    assert ids(told) == [f"1-{n}" for n in range(1, 13)]
    with stream.subscribed(US, EVERYTHING, disk.events[0].position) as subscription:
        async with aclosing(subscription.notices()) as notices:
            assert ids(await some(notices, 1)) == ["1-2"]


async def test_an_event_that_is_not_there_any_more_is_a_gap() -> None:
    disk = Disk()
    disk.write(story(1))
    stream = await streaming(disk)
    with stream.subscribed(US, EVERYTHING, 105) as subscription:
        disk.write(story(2))
        async with aclosing(subscription.notices()) as notices:
            gap, *told = await some(notices, 13)
    assert gap == Gap(GapReason.UNKNOWN, disk.events[11].position)
    assert ids(told) == [f"2-{n}" for n in range(1, 13)]


async def test_there_are_only_so_many_subscriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STREAMS_AT_MOST", 3)
    stream = await streaming(Disk(), per_account=2)
    with stream.subscribed(US, EVERYTHING, None), stream.subscribed(US, EVERYTHING, None):
        with pytest.raises(TooManyStreams), stream.subscribed(US, EVERYTHING, None):
            pass
        with (
            stream.subscribed(THEM, EVERYTHING, None),
            pytest.raises(TooManyStreams),
            stream.subscribed(AccountId(3), EVERYTHING, None),
        ):
            pass
    with stream.subscribed(US, EVERYTHING, None):
        assert stream.readers == 1
