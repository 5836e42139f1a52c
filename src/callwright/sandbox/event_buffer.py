"""Event buffer: every notice since the sandbox's beginning, for tests to look at."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from callwright.calls.events import SessionEvent
from callwright.public_events.event_fold import EventFolds
from callwright.public_events.notice import Notice, RecordingLink, linked

KEPT_AT_MOST = 100_000
"Notices; an hour of 200 calls tells some 4000."


class EventBuffer:
    """``hear`` is a listener of the call manager's."""

    def __init__(self) -> None:
        self.count = 0
        "Notices there have been, with those that are kept no more."
        self.link: RecordingLink | None = None
        "Where recordings are fetched."
        self._folds = EventFolds()
        self._kept: deque[Notice] = deque(maxlen=KEPT_AT_MOST)

    @property
    def gone(self) -> int:
        """How many of the first are kept no more."""
        return self.count - len(self._kept)

    def hear(self, event: SessionEvent) -> None:
        if notice := self._folds.tell(event):
            self._kept.append(notice)
            self.count += 1

    def after(self, count: int, at_most: int) -> Sequence[Notice]:
        """What was told after the first ``count`` notices, as far as it is kept; the oldest first.

        ``at_most``: how many.
        """
        start = max(0, count - self.gone)
        return [linked(one, self.link) for one in islice(self._kept, start, start + at_most)]
