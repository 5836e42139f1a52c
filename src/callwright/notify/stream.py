"""Event stream: an account's events as they are written, from now or from any place in the log.

Whoever listens has a subscription: first it reads the log from the place it knows, then it is told
what is written. What it is told waits in a queue of its own, of bounded length: whoever does not
read it is put out, and goes on later from the last place it knows. Nothing is lost by that, since
everything that is told is on disk before it is told.
"""

from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import anyio

from callwright.calls.events import SessionEvent, SessionFinished, SessionStarted
from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.figures import Figure
from callwright.public_events.event_fold import EventFold, EventFolds
from callwright.public_events.notice import Notice, RecordingLink, linked
from callwright.public_events.recent_notices import RecentNotices
from callwright.storage.history.event_log import Page, Written

QUEUED_AT_MOST = 1000
"Notices that wait for one reader."
REPLAYED_AT_MOST = 100_000
"Events of the log, of all accounts, that are read again; a reader further behind has a gap."
PAGE = 100
STREAMS_AT_MOST = 200
"Subscriptions of all accounts: connections are few, and calls are made over the same ones."


class TooManyStreams(Exception):
    """The account, or everybody together, has as many streams as there may be."""


class TooSlow(Exception):
    """Back-pressure: the subscription's bounded queue has run over, for its reader is too slow."""


class StreamOver(Exception):
    """There will be no more: all that was told is void."""


class GapReason(Enum):
    UNKNOWN = "unknown_id"
    "No event has the id, or none any more: the stream goes on from now."
    TOO_OLD = "too_old"
    "Too much has happened since: the stream goes on with the oldest that is told again."


@dataclass(frozen=True, slots=True)
class StreamedNotice:
    position: int
    "The id by which a reader goes on behind this notice."
    notice: Notice


@dataclass(frozen=True, slots=True)
class Gap:
    """Events are missing here, and will not be told."""

    reason: GapReason
    position: int
    "The id to go on from."


class Log(Protocol):
    """What is asked of `callwright.storage.history.event_log.StoredEventLog`."""

    async def last(self) -> int: ...
    async def knows(self, position: int) -> bool: ...
    async def has_unplaced(self, account: AccountId) -> bool: ...
    async def far_behind(self, after: int, *, at_most: int) -> int | None: ...
    async def page(
        self, account: AccountId, after: int, upto: int, session: SessionId | None, *, at_most: int
    ) -> Page: ...
    async def story(self, session: SessionId, before: int) -> list[SessionEvent]: ...


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events of its account a subscription is for."""

    session: SessionId | None = None
    types: frozenset[str] | None = None
    "None: all."

    def passes(self, notice: Notice) -> bool:
        return (self.session is None or notice.session == self.session) and (
            self.types is None or notice.type in self.types
        )


class EventStream:
    """All subscriptions. `hear` is what the journal tells; call `open` before anything is."""

    def __init__(
        self,
        log: Log,
        *,
        per_account: int,
        queued_at_most: int = QUEUED_AT_MOST,
        replayed_at_most: int = REPLAYED_AT_MOST,
        link: RecordingLink | None = None,
        recent: RecentNotices | None = None,
    ) -> None:
        """``recent``: keeps, for webhooks, what is told."""
        self.log = log
        self.link = link
        "Where recordings are fetched."
        self.queued_at_most = queued_at_most
        self.replayed_at_most = replayed_at_most
        self.last = 0
        "Position of the newest event that is on disk."
        self._per_account = per_account
        self._folds = EventFolds(recent)
        self._subscriptions: defaultdict[AccountId, set[Subscription]] = defaultdict(set)

    async def open(self) -> None:
        """Find out where the log ends."""
        self.last = await self.log.last()

    @property
    def readers(self) -> int:
        """How many subscriptions there are."""
        return sum(len(of_account) for of_account in self._subscriptions.values())

    def end(self) -> None:
        """Let all subscriptions end, each when it has told what waits."""
        for of_account in self._subscriptions.values():
            for subscription in of_account:
                subscription.end()

    def figures(self) -> Iterator[Figure]:
        """See `callwright.figures.Measured`."""
        yield Figure("callwright_event_streams", "Listeners to GET /events.", self.readers)

    def hear(self, written: Sequence[Written]) -> None:
        """Tell what has just been written to those it concerns."""
        for one in written:
            self.last = one.position
            notice = self._folds.tell(one.event, to=self._subscriptions)
            if notice is not None and notice.account in self._subscriptions:
                notice = linked(notice, self.link)
                for subscription in self._subscriptions[notice.account]:
                    subscription.take(StreamedNotice(one.position, notice))

    @contextmanager
    def subscribed(
        self, account: AccountId, which: Filter, after: int | None
    ) -> "Iterator[Subscription]":
        """Listen in the block; ``after``: the position behind which to begin, None: from now on.

        Raises `TooManyStreams`.
        """
        of_account = self._subscriptions[account]
        if len(of_account) >= self._per_account or self.readers >= STREAMS_AT_MOST:
            raise TooManyStreams
        subscription = Subscription(self, account, which, after)
        of_account.add(subscription)
        try:
            yield subscription
        finally:
            of_account.discard(subscription)
            if not of_account:
                self._subscriptions.pop(account, None)


class Subscription:
    """One reader's notices, in the order of their positions. Iterate over `notices`, once."""

    def __init__(
        self, stream: EventStream, account: AccountId, which: Filter, after: int | None
    ) -> None:
        self.began = stream.last
        "Position of the newest event at the beginning: the id to go on from before any is told."
        self._stream = stream
        self._account = account
        self._which = which
        self._after = after
        self._queue: deque[StreamedNotice] = deque()
        self._overrun = False
        self._over = False
        self._reads_log = after is not None
        self._woken = anyio.Event()

    def take(self, told: StreamedNotice) -> None:
        if not self._which.passes(told.notice):
            return
        if len(self._queue) < self._stream.queued_at_most:
            self._queue.append(told)
        else:
            self._overrun = True
        self._woken.set()

    def end(self) -> None:
        self._over = True
        self._woken.set()

    async def notices(self) -> AsyncGenerator[StreamedNotice | Gap, None]:
        """What the log has, then what is written; for ever.

        Raises `TooSlow` when the reader has left too much unread, `StreamOver` after an `end`.
        """
        if self._after is not None:
            async with aclosing(self._from_log(self._after)) as items:
                async for item in items:
                    yield item
            self._reads_log = False
        while True:
            if self._overrun:
                raise TooSlow
            if self._queue:
                yield self._queue.popleft()
                continue
            if self._over:
                raise StreamOver
            await self._woken.wait()
            self._woken = anyio.Event()

    def others(self, at_most: int) -> list[StreamedNotice]:
        """Take what may be told together with the last of `notices`: what waits behind it."""
        if self._reads_log or self._overrun:
            return []
        return [self._queue.popleft() for _ in range(min(at_most, len(self._queue)))]

    async def _from_log(self, after: int) -> AsyncGenerator[StreamedNotice | Gap, None]:
        """Read until what follows is in the queue."""
        log = self._stream.log
        if after != 0 and not await log.knows(after):
            yield Gap(GapReason.UNKNOWN, self.began)
            return
        if after == 0 and await log.has_unplaced(self._account):
            yield Gap(GapReason.TOO_OLD, 0)
        begin = await log.far_behind(after, at_most=self._stream.replayed_at_most)
        if begin is not None:
            yield Gap(GapReason.TOO_OLD, begin)
            after = begin
        while True:
            # What was queued is in the log as well. A reader who is behind reads at its own pace,
            # and costs nothing meanwhile: the queue may run over until it has caught up.
            self._queue.clear()
            self._overrun = False
            upto = self._stream.last
            async with aclosing(self._replayed(after, upto)) as replayed:
                async for told in replayed:
                    yield told
            after = upto
            if not self._overrun:
                return

    async def _replayed(self, after: int, upto: int) -> AsyncGenerator[StreamedNotice, None]:
        folds: dict[SessionId, EventFold] = {}
        log = self._stream.log
        while after < upto:
            page = await log.page(self._account, after, upto, self._which.session, at_most=PAGE)
            after = page.until
            for written in page.events:
                notice = await self._told_again(written.event, folds)
                if notice is not None and self._which.passes(notice):
                    yield StreamedNotice(written.position, linked(notice, self._stream.link))

    async def _told_again(
        self, event: SessionEvent, folds: dict[SessionId, EventFold]
    ) -> Notice | None:
        session = event.session
        if session not in folds:
            fold = await self._fold(event)
            if fold is None:
                return None
            folds[session] = fold
        notice = folds[session].tell(event)
        if isinstance(event, SessionFinished):
            del folds[session]
        return notice

    async def _fold(self, event: SessionEvent) -> EventFold | None:
        """A fold that has told everything of the session before ``event``."""
        if isinstance(event, SessionStarted):
            return EventFold(event)
        started, *others = await self._stream.log.story(event.session, event.sequence) or [event]
        if not isinstance(started, SessionStarted):
            return None  # Its beginning cannot be read by this version.
        fold = EventFold(started)
        for earlier in others:
            fold.tell(earlier)
        return fold
