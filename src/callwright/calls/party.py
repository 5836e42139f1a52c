"""A party: one role in a session, and the leg on which it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Self

import anyio
import anyio.lowlevel

from callwright.calls.dtmf import KEY_SPACING
from callwright.calls.keypad import Keypad
from callwright.calls.plan import Confirmation, Message, Role, Target, TimedKey
from callwright.calls.playback import PlaybackQueue
from callwright.engines.port import Cause, LegGone

if TYPE_CHECKING:
    from callwright.calls.leg import Leg
    from callwright.calls.session import Session


class PartyLeft(Exception):
    """A party is not there (any more). The one form of leaving: busy, no answer, hang-up, loss."""

    def __init__(self, party: "Party", cause: Cause) -> None:
        super().__init__(f"{party.role} left: {cause}")
        self.party = party
        self.cause = cause


class Party:
    """Rings on one leg after another, at most one of which answers; then it is that leg."""

    def __init__(self, session: "Session", role: Role) -> None:
        self.session = session
        self.role = role
        self.leg: Leg | None = None
        "The leg that rings now or has answered."
        self.cause: Cause | None = None
        "Why the party has left, once it was there."
        self.needed_by: set[anyio.CancelScope] = set()
        self.when_early: Callable[[Leg], None] | None = None
        "Called when the leg that rings begins to send early media."
        self.keypads: list[Keypad] = []
        "Those that take the keys the party presses."

    @property
    def holds(self) -> bool:
        """Whether its phone has put us on hold."""
        return self.leg is not None and self.leg.holds

    async def answers(self, targets: Sequence[Target]) -> None:
        """Ring the targets one after another until one takes the call.

        Raises PartyLeft if none does. If the numbers failed for different reasons the party counts
        as rejecting the call as a whole; if all failed for the same reason, that is the cause.
        """
        causes: set[Cause] = set()
        for target in targets:
            # Whoever needed this party may have gone in this very turn: then nothing is rung.
            await anyio.lowlevel.checkpoint_if_cancelled()
            self.ring(target)
            cause = await self.settles()
            if cause is None:
                return
            causes.add(cause)
        raise PartyLeft(self, in_one_word(causes))

    def ring(self, target: Target) -> "Leg":
        """Begin to ring one phone; `settles` then tells what becomes of it."""
        self.leg = self.session.ring(self, target)
        return self.leg

    async def settles(self) -> Cause | None:
        """Wait until the phone that rings takes the call; else give it up and say why."""
        leg = self.leg
        assert leg
        with anyio.move_on_after(leg.target.within):
            await leg.settled.wait()
        if leg.answered is None:
            if leg.ended is None:
                self.session.give_up(leg, Cause.NO_ANSWER)
            return leg.cause or Cause.NO_ANSWER
        if leg.target.keys:
            send = partial(self._send_keys, leg, leg.target.keys, planned=False)
            self.session.start_soon(send)
        if leg.target.confirmation is None:
            return None
        return await self._confirms(leg, leg.answered, leg.target.confirmation)

    async def _confirms(self, leg: "Leg", answered: float, wanted: Confirmation) -> Cause | None:
        try:
            with present(self):
                asked_at = answered
                if leg.target.keys:
                    # They lead to whoever is to confirm.
                    asked_at += leg.target.keys[-1].after + KEY_SPACING
                    await anyio.sleep_until(asked_at)
                if await self._is_confirmed(asked_at, wanted):
                    return None
        except PartyLeft as left:
            # One phone has hung up; the party was not there yet, and may still be reached.
            self.cause = None
            return left.cause
        self.session.give_up(leg, Cause.NOT_CONFIRMED)
        return Cause.NOT_CONFIRMED

    async def _is_confirmed(self, asked_at: float, wanted: Confirmation) -> bool:
        if not wanted.keys:
            for message in wanted.messages:
                await self.hears_out(message)
            return True
        with self.presses() as keypad:
            for message in wanted.messages:
                with self.hears(message) as hearing:
                    while key := await keypad.next_unless(hearing.finished):
                        if key in wanted.keys:
                            return True
                asked_at = anyio.current_time()
            with (
                anyio.CancelScope(deadline=asked_at + wanted.within),
                self.hears(wanted.prompt),
            ):
                await keypad.next_of(wanted.keys)
                return True
        return False

    def take_over(self, leg: "Leg") -> None:
        """Be, from now on, on a leg that a stand-in has rung and that has taken the call."""
        leg.party, self.leg = self, leg
        if leg.ended is not None and leg.cause:
            self.leave(leg.cause)

    def presses(self) -> Keypad:
        """In a ``with``: the keys the party presses are kept until they are taken."""
        return Keypad(self)

    def hears_ringing(self) -> None:
        """Tell the phone of the call that the party has made that it rings at the other end."""
        assert self.leg
        with suppress(LegGone):  # It has given up itself.
            self.session.engine.ring_back(self.leg.id)

    async def is_answered(self) -> None:
        """Answer the call that the party has made. Raises PartyLeft if it has given up."""
        assert self.leg
        with suppress(LegGone):  # LegEnded is on its way, and settles the leg.
            self.session.engine.answer(self.leg.id)
        await self.leg.settled.wait()
        if self.leg.answered is None:
            raise PartyLeft(self, self.leg.cause or Cause.HUNG_UP)

    async def is_refused(self, cause: Cause, finish_reason: str) -> None:
        """Refuse the call that the party has made."""
        assert self.leg
        self.leg.finish_reason = finish_reason
        with suppress(LegGone):  # It has given up itself.
            self.session.engine.reject(self.leg.id, cause)
        await self.leg.settled.wait()

    def hears(self, message: Message | None, then: Message | None = None) -> PlaybackQueue:
        """In a ``with``: the party hears ``message`` once, then the music ``then``, looped."""
        return PlaybackQueue(self.session, self.leg, message, then)

    async def hears_out(self, message: Message | None) -> bool:
        """Play ``message`` to its end; False if it could not be played.

        Raises PartyLeft if the party does not stay that long.
        """
        with present(self), self.hears(message) as hearing:
            await hearing.finished.wait()
        return not hearing.failed

    def gets_keys(self, keys: Sequence[TimedKey]) -> None:
        """Send the party keys at their times, counted from its answer, beside everything else."""
        if keys and self.leg:
            self.session.keys.planned_for = self.leg
            self.session.start_soon(partial(self._send_keys, self.leg, keys, planned=True))

    async def _send_keys(self, leg: "Leg", keys: Sequence[TimedKey], *, planned: bool) -> None:
        assert leg.answered is not None
        for key in keys:
            await anyio.sleep_until(leg.answered + key.after)
            try:
                self.session.keys.send(leg, key.key, planned=planned)
            except LegGone:
                return

    def leave(self, cause: Cause) -> None:
        """Take the fact that the answered leg has ended: whoever needs the party is told."""
        self.cause = cause
        for scope in tuple(self.needed_by):
            scope.cancel()


def in_one_word(causes: set[Cause]) -> Cause:
    """Why a party is not reached whose phones have failed for these reasons."""
    return next(iter(causes)) if len(causes) == 1 else Cause.REJECTED


class Ringing:
    """A party that is rung, and spoken to, beside the script, while the script waits for others.

    In the ``with`` block the party rings; leaving the block with it unsettled gives it up.
    """

    def __init__(self, party: Party, targets: Sequence[Target], message: Message | None) -> None:
        self.party = party
        self.rung = anyio.Event()
        "Set once it has answered, or is not reached."
        self.settled = anyio.Event()
        "Set once it has answered and heard its message, or is not reached."
        self.left: PartyLeft | None = None
        "Why it is not there, if it is not."
        self._targets = targets
        self._message = message
        self._scope = anyio.CancelScope()

    def __enter__(self) -> Self:
        self.party.session.start_soon(self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Give the party up if it is still rung; without effect once it is settled."""
        if not self.settled.is_set():
            self._scope.cancel()
            self.party.session.dismiss(self.party)

    async def _ring(self) -> None:
        with self._scope:
            try:
                await self.party.answers(self._targets)
                self.rung.set()
                await self.party.hears_out(self._message)
            except PartyLeft as left:
                self.left = left
            self.rung.set()
            self.settled.set()


@contextmanager
def present(*parties: Party) -> Iterator[None]:
    """Run the block while all ``parties`` are there; raise `PartyLeft` when one is not.

    Lifetimes of parties do not nest, needs do: the session owns whoever is on the line, this block
    only says who is needed for what stands in it.
    """
    for party in parties:
        if party.cause:
            raise PartyLeft(party, party.cause)
    with anyio.CancelScope() as scope:
        for party in parties:
            party.needed_by.add(scope)
        try:
            yield
        finally:
            for party in parties:
                party.needed_by.discard(scope)
    if scope.cancelled_caught:
        for party in parties:
            if party.cause:
                raise PartyLeft(party, party.cause)
