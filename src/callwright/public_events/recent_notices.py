"""Recent notices: what has just been told of live calls, kept for webhooks.

A webhook is told of an event in the moment it is on disk. What the outbox points to then need not
be read and folded again: the fold that tells listeners has just made it. What is not here any more,
or never was, is read from the record, and is the very same.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from callwright.calls.events import SessionEvent, SessionFinished
from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.public_events.notice import Notice

KEPT_OF_EACH = 12
"Notices of a session."
FINISHED_AT_MOST = 64
"Sessions that are over, of which something may still wait."

EventTypes = frozenset[str]


@dataclass(frozen=True, slots=True)
class Untold:
    """What of a session is behind some event."""

    notices: Iterable[Notice]
    "In order; some may be of types that nobody has asked for."
    last: int
    "Sequence number of the newest event that is known; 0: none."


@dataclass(slots=True)
class _Session:
    begins: int
    "Sequence number of the first event of which all that follow are known."
    last: int = 0
    notices: deque[Notice] = field(default_factory=deque)


class RecentNotices:
    """Of the accounts that `keep_for` has named. `hear` is told every event, in order."""

    def __init__(self) -> None:
        self._wanted: Mapping[AccountId, EventTypes | None] = {}
        self._sessions: dict[SessionId, _Session] = {}
        self._finished: deque[SessionId] = deque()

    def keep_for(self, wanted: Mapping[AccountId, EventTypes | None]) -> None:
        """Keep what these accounts' webhooks want, by its types (None: of all) from now on."""
        if wanted != self._wanted:
            self._wanted = wanted
            # Of what is kept, something that is wanted now may be missing.
            self._sessions.clear()
            self._finished.clear()

    def __contains__(self, account: object) -> bool:
        """Whether what happens in an account is kept."""
        return account in self._wanted

    def hear(self, event: SessionEvent, account: AccountId, notice: Notice | None) -> None:
        """Take the next event of an account's session, and what is told of it."""
        if account not in self:
            return
        kept = self._sessions.get(event.session)
        if kept is None:
            kept = self._sessions[event.session] = _Session(event.sequence)
        kept.last = event.sequence
        types = self._wanted[account]
        if notice is not None and (types is None or notice.type in types):
            kept.notices.append(notice)
            if len(kept.notices) > KEPT_OF_EACH:
                kept.begins = kept.notices.popleft().sequence + 1
        if isinstance(event, SessionFinished):
            self._finished.append(event.session)
            if len(self._finished) > FINISHED_AT_MOST:
                self._sessions.pop(self._finished.popleft(), None)

    def after(self, session: SessionId, sequence: int) -> Untold | None:
        """What is known of a session behind an event; None: more has happened than is known."""
        kept = self._sessions.get(session)
        if kept is None or sequence + 1 < kept.begins:
            return None
        return Untold([one for one in kept.notices if one.sequence > sequence], kept.last)
