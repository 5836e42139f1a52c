"""Phone transfers: what becomes of a transfer that a phone asks for, as it may in any talk.

It is carried out as a client's would be; the phone is told what has become of it, and keeps its
call until then, so that whoever is to be handed over is not lost.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import anyio

from callwright.calls.commands import ALLOWED, AttendedTransfer, CommandRefused, PhoneTransfer
from callwright.calls.party import PartyLeft
from callwright.calls.plan import Caption, EmployeeRef, Role, Target
from callwright.calls.renamed_legs import RenamedLegs
from callwright.engines.port import Cause, LegGone, LegId, LegOffered, TransferAsked

if TYPE_CHECKING:
    from callwright.calls.party import Party
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

    async def targets(
        self, caption: Caption, number: str, by: EmployeeRef | None
    ) -> Sequence[Target]:
        """Find whom a number, named by an employee's phone in a call, means.

        Raises `MayNotCall`.
        """

    async def phone(self, caption: Caption, number: str) -> Target:
        """Find whose phone it is that calls in. Raises `MayNotCall` if it is another account's."""


class PhoneTransfers:
    def __init__(
        self,
        legs: RenamedLegs,
        session_of: "Callable[[LegId], Session | None]",
        next_leg: Callable[[], LegId],
        let_in: "Callable[[Session, LegId], None]",
    ) -> None:
        """``let_in`` has a session get what happens on a leg that has been offered."""
        self.exchange: PhoneTargets | None = None
        "Without one no number can be named."
        self._legs = legs
        self._session_of = session_of
        self._next_leg = next_leg
        self._let_in = let_in

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
            self._report(event, cause)

    async def _carry_out(self, session: "Session", event: TransferAsked) -> Cause | None:
        """Have the session do it, which then tells the phone; else return why not."""
        if not _talks(session, event.leg):
            return Cause.REJECTED
        other = self._session_of(event.other) if event.other is not None else None
        if other is not None and event.other is not None:
            if other is session or other.caption.account != session.caption.account:
                return Cause.REJECTED
            if (partner := _partner(other, event.other)) is not None:
                return await self._join(session, other, partner, event)
        try:
            with anyio.fail_after(DECIDED_WITHIN):
                third = await self._targets(session, event.to)
        except MayNotCall as refusal:
            return refusal.cause
        except TimeoutError:
            return Cause.NO_RESOURCES
        if not _talks(session, event.leg):
            return Cause.REJECTED
        return await _ask(session, PhoneTransfer(third))

    async def _join(
        self, session: "Session", other: "Session", partner: "Party", event: TransferAsked
    ) -> Cause | None:
        """Bring the partner of the phone's other call over; that call is over then.

        Of two calls the one with somebody outside goes on, whichever is named first.
        """
        contact = session.contact_leg
        if (
            contact is not None
            and contact.target.employee is not None
            and other.contact_leg is partner.leg
            and partner.leg is not None
            and partner.leg.target.employee is None
        ):
            session, other, partner = other, session, contact.party

        def take_over() -> "Party | None":
            given = partner.leg
            if given is None or not given.is_up or given.id not in other.legs:
                return None
            self._report(event, None)
            new = self._next_leg()
            other.give_away(given)
            self._legs.rename(given.id, new)
            return session.adopt(given, new)

        return await _ask(session, AttendedTransfer(take_over))

    async def takes_place(self, offered: LegOffered) -> Cause:
        """Let a phone that calls take the place of the one that talks; else return why not.

        A colleague's phone that was told of the call by that one may, and another phone of the same
        employee. Raises `MayNotCall`.
        """
        assert offered.replaces is not None
        session = self._session_of(offered.replaces)
        if session is None or self.exchange is None:
            return Cause.REJECTED
        phone = await self.exchange.phone(session.caption, offered.caller)
        movable = session.record.state in ALLOWED[AttendedTransfer]
        if not _talks(session, offered.replaces) or not movable:
            return Cause.REJECTED
        party = session.take_in(offered.leg, phone, Role.THIRD)
        session.start_soon(self._takes_over, session, party)
        self._let_in(session, offered.leg)
        return Cause.REJECTED  # of a leg that has been let in nothing comes of it

    async def _takes_over(self, session: "Session", party: "Party") -> None:
        try:
            await party.is_answered()
        except PartyLeft:
            return

        def take_over() -> "Party | None":
            return party if party.leg is not None and party.leg.is_up else None

        if await _ask(session, AttendedTransfer(take_over)) is not None:
            session.dismiss(party)

    def _report(self, event: TransferAsked, failed: Cause | None) -> None:
        with suppress(LegGone):
            self._legs.report_transfer(event.leg, failed)

    async def _targets(self, session: "Session", number: str) -> Sequence[Target]:
        if self.exchange is None:
            raise MayNotCall(Cause.REJECTED)
        employee = None
        if session.operator is not None and session.operator.leg is not None:
            employee = session.operator.leg.target.employee
        return await self.exchange.targets(session.caption, number, employee)


def _talks(session: "Session", leg: LegId) -> bool:
    """Whether it is the operator's phone that asks, and one of ours; nobody else may hand over.

    An operator outside, behind a trunk, would have us call at our cost whomever it names.
    """
    operator = None if session.operator is None else session.operator.leg
    return operator is not None and operator.id == leg and operator.target.address.trunk is None


def _partner(session: "Session", leg: LegId) -> "Party | None":
    """Who talks, or waits to go on talking, with the phone that is on a leg of a session."""
    if session.operator is None or session.contact_leg is None:
        return None
    if _talks(session, leg):
        return session.contact_leg.party
    return session.operator if session.contact_leg.id == leg else None


async def _ask(session: "Session", command: PhoneTransfer | AttendedTransfer) -> Cause | None:
    try:
        await session.inbox.ask(command)
    except CommandRefused:
        return Cause.REJECTED
    return None
