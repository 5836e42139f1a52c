"""Event queue: how events reach the listener of the engine, in order, never from a command."""

import asyncio
import contextvars
from collections import deque

from callwright.engines.port import Deliver, EngineEvent


class EventQueue:
    """The events that wait to be delivered. To be made inside the event loop that delivers them."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._events: deque[EngineEvent] = deque()
        self._is_due = False

    def add(self, event: EngineEvent) -> None:
        """Keep an event until `now` or `soon` is called."""
        self._events.append(event)

    def now(self) -> None:
        """Deliver what waits, in this turn of the loop: after an input, never from a command."""
        # Commands given by the listener may add events: those are for the next turn.
        try:
            for _ in range(len(self._events)):
                self._deliver(self._events.popleft())
        finally:
            self.soon()

    def soon(self) -> None:
        """Deliver what waits in the next turn of the loop (contract 3)."""
        if self._events and not self._is_due:
            self._is_due = True
            # A recording's end is told from its thread, whose context knows of no event loop.
            self._loop.call_soon(self._due, context=self._context)

    def _due(self) -> None:
        self._is_due = False
        self.now()
