"""Admission of inbound calls: they wait here until a session has them or they are refused."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import anyio

from callwright.calls.journal import JournalUnavailable
from callwright.calls.phone_transfers import MayNotCall
from callwright.calls.scenario_plan import OfferedCall
from callwright.engines.port import (
    Cause,
    Engine,
    EngineEvent,
    LegGone,
    LegId,
    LegOffered,
    LegReleased,
)

log = logging.getLogger(__name__)

WAITING_AT_MOST = 100
"Calls that wait to be told where they go; one more is refused at once."

DECIDED_WITHIN = 5.0
"Seconds a call may wait to be told where it goes."


class Draining(Exception):
    """The service is being stopped and takes no new calls."""


class Reception(Protocol):
    async def receive(self, offered: LegOffered) -> OfferedCall | None:
        """Say what becomes of a call that has come in; None: its number leads nowhere.

        Raises `MayNotCall` for a phone of ours that may not call that number.
        """


class InboundGate:
    """``start`` gives a call its session, which takes the leg by `take`. Raises what it raises."""

    def __init__(self, engine: Engine, start: Callable[[OfferedCall], Awaitable[object]]) -> None:
        self.reception: Reception | None = None
        "Without one every call is turned away."
        self._engine = engine
        self._start = start
        self._waiting: dict[LegId, LegReleased | None] = {}
        "Legs that no session has yet, and how they have ended meanwhile."
        self._turned_away: set[LegId] = set()
        "Legs that no session will have, and that have not ended yet."

    def offered(self, event: LegOffered) -> bool:
        """Take a call that has come in; False if it has been turned away at once."""
        if self.reception is None:
            self.turn_away(event, Cause.WRONG_NUMBER)
            return False
        if len(self._waiting) >= WAITING_AT_MOST:
            self.turn_away(event, Cause.NO_RESOURCES)
            return False
        self._waiting[event.leg] = None
        return True

    async def receive(
        self, event: LegOffered, begin: Callable[[LegOffered], Awaitable[Cause]] | None = None
    ) -> None:
        """Ask the reception about a call, and begin it, or turn it away.

        ``begin`` does so in its stead: it has the leg taken, or returns why not.
        """
        leg, refusal = event.leg, Cause.NO_RESOURCES
        try:
            with anyio.move_on_after(DECIDED_WITHIN):
                refusal = await (begin or self._begin)(event)
        except MayNotCall as reason:
            refusal = reason.cause
        except (Draining, JournalUnavailable) as reason:
            log.error("a call that came in was refused: %s", reason or type(reason).__name__)
        except Exception:
            # A caller is waiting, and nobody else could answer: no fault may leave the leg here.
            log.exception("a call that came in was refused: the reception broke")
        if leg in self._waiting and self._waiting.pop(leg) is None:
            self.turn_away(event, refusal)

    async def _begin(self, event: LegOffered) -> Cause:
        assert self.reception
        if plan := await self.reception.receive(event):
            await self._start(plan)
        return Cause.WRONG_NUMBER

    def take(self, leg: LegId) -> LegReleased | None:
        """Hand a leg over to its session; return its end, if the caller has given up meanwhile."""
        return self._waiting.pop(leg)

    def deliver(self, event: EngineEvent) -> bool:
        """Take an event of a leg that stands at the door; False if there is none of its id."""
        leg = event.leg
        if leg not in self._waiting and leg not in self._turned_away:
            return False
        if isinstance(event, LegReleased):
            self._turned_away.discard(leg)
            if leg in self._waiting:
                self._waiting[leg] = event
        return True

    def turn_away(self, event: LegOffered, cause: Cause) -> None:
        """Refuse a call that has come in."""
        origin = event.trunk or "a phone of ours"
        log.info("a call came in from %s and is turned away: %s", origin, cause)
        self._turned_away.add(event.leg)
        with suppress(LegGone):  # The caller may have given up in the same moment.
            self._engine.reject(event.leg, cause)
