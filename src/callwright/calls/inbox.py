"""The inbox of a session: moving commands wait here until the script takes them."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from callwright.calls.commands import ALLOWED, Moving, WrongState
from callwright.calls.state import State
from callwright.calls.waiting import Signal, first_of

WAITING_AT_MOST = 16
"Commands that may wait; one more is refused."


@dataclass(slots=True, eq=False)
class PendingCommand:
    """A command under way; whoever sent it waits for ``answered``."""

    command: Moving
    answered: Signal = field(default_factory=Signal)
    is_refused: bool = False

    def accept(self) -> None:
        """Say that the call has begun to do what was asked."""
        self.answered.set()

    def refuse(self) -> None:
        """Say that the call has moved on, and the command means nothing; not if it was accepted."""
        if not self.answered.is_set():
            self.is_refused = True
            self.answered.set()


class Inbox:
    """``state`` tells the session's state: what is not allowed in it is refused at once."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state
        self._waiting: deque[PendingCommand] = deque()
        self._arrived = Signal()
        self._is_closed = False
        self._taken: PendingCommand | None = None
        "The last one the script has taken: it may leave before it has answered."

    async def ask(self, command: Moving) -> None:
        """Have the script take a command; returns once it has begun to carry it out.

        Raises `WrongState` if the session is, or comes meanwhile, into another state.
        """
        full = len(self._waiting) >= WAITING_AT_MOST
        if self._is_closed or full or not self._allows(command):
            raise WrongState
        request = PendingCommand(command)
        self._waiting.append(request)
        self._arrived.set()
        await request.answered.wait()
        if request.is_refused:
            raise WrongState

    async def next(self) -> PendingCommand:
        """Wait for the next command that is allowed in the state the session is in by then."""
        while True:
            await self._arrived.wait()
            if request := self._take():
                return request

    async def next_unless(self, settled: Signal) -> PendingCommand | None:
        """The same; None as soon as something else has been settled."""
        while not settled.is_set():
            await first_of(self._arrived, settled)
            if not settled.is_set() and (request := self._take()):
                return request
        return None

    @contextmanager
    def closed(self) -> Iterator[None]:
        """In the block there is no way back: every moving command is refused."""
        self.close()
        try:
            yield
        finally:
            self._is_closed = False

    def close(self) -> None:
        """Refuse what waits and what is still to come."""
        self._is_closed = True
        self.refuse_all()

    def refuse_all(self) -> None:
        """Refuse what waits: those it was meant for are gone."""
        while self._waiting:
            self._waiting.popleft().refuse()
        if self._taken:
            self._taken.refuse()

    def _allows(self, command: Moving) -> bool:
        return self._state() in ALLOWED[type(command)]

    def _take(self) -> PendingCommand | None:
        """Take the oldest command that still means something; the others are refused."""
        found = None
        while self._waiting and found is None:
            request = self._waiting.popleft()
            if self._allows(request.command):
                found = request
            else:
                request.refuse()
        if not self._waiting:
            self._arrived = Signal()
        self._taken = found
        return found
