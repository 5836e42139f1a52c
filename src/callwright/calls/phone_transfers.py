"""Phone transfers: what becomes of a transfer that a phone asks for, as it may in any talk.

It is carried out as a client's would be; the phone is told what has become of it, and keeps its
call until then, so that whoever is to be handed over is not lost.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import anyio

from callwright.calls.commands import CommandRefused, PhoneTransfer
from callwright.calls.plan import Caption, Target
from callwright.engines.port import Cause, Engine, LegGone, TransferAsked

if TYPE_CHECKING:
    from callwright.calls.session import Session

log = logging.getLogger(__name__)

DECIDED_WITHIN = 5.0
"Seconds it may take to find out whether, and how, a number may be called."


class MayNotCall(Exception):
    """A phone may not call a number; ``cause`` is what it is told."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class PhoneTargets(Protocol):
    """Who knows whom the phones of an account may call."""

    async def targets(self, caption: Caption, number: str) -> Sequence[Target]:
        """Find whom a number, named by a phone in a call, means. Raises `MayNotCall`."""


class PhoneTransfers:
    def __init__(self, engine: Engine) -> None:
        self.exchange: PhoneTargets | None = None
        "Without one every transfer is refused."
        self._engine = engine

    async def asked(self, session: "Session", event: TransferAsked) -> None:
        """Carry out what a phone asks for, or tell it that this cannot be."""
        try:
            cause = await self._carry_out(session, event)
        except Exception:
            # The phone waits, and nobody else would answer it.
            log.exception("a transfer that a phone asked for broke")
            cause = Cause.NO_RESOURCES
        if cause is not None:
            log.info("%d: leg %d may not hand over: %s", session.id, event.leg, cause)
            with suppress(LegGone):
                self._engine.report_transfer(event.leg, cause)

    async def _carry_out(self, session: "Session", event: TransferAsked) -> Cause | None:
        """Have the session do it, which then tells the phone; else return why not."""
        if not self._talks_with_contact(session, event):
            return Cause.REJECTED
        try:
            with anyio.fail_after(DECIDED_WITHIN):
                third = await self._targets(session, event.to)
        except MayNotCall as refusal:
            return refusal.cause
        except TimeoutError:
            return Cause.NO_RESOURCES
        if not self._talks_with_contact(session, event):
            return Cause.REJECTED
        try:
            await session.inbox.ask(PhoneTransfer(third))
        except CommandRefused:
            return Cause.REJECTED
        return None

    def _talks_with_contact(self, session: "Session", event: TransferAsked) -> bool:
        """Whether it is the operator's phone that asks; nobody else has anybody to hand over."""
        operator = session.operator
        return operator is not None and operator.leg is not None and operator.leg.id == event.leg

    async def _targets(self, session: "Session", number: str) -> Sequence[Target]:
        if self.exchange is None:
            raise MayNotCall(Cause.REJECTED)
        return await self.exchange.targets(session.caption, number)
