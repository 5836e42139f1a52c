"""Queueing: a contact waits in a queue, hears music and its position, and is taken by somebody."""

from typing import TYPE_CHECKING, Self

import anyio

from callwright.calls import events
from callwright.calls.party import Party, PartyLeft, in_one_word, present
from callwright.calls.plan import Role
from callwright.calls.queues import Place, who
from callwright.calls.scenario_plan import Announcement, Queue
from callwright.calls.session import Session
from callwright.engines.port import Cause

if TYPE_CHECKING:
    from callwright.calls.playback import PlaybackQueue


async def taken_from_queue(call: Session, contact: Party, queue: Queue) -> Party | None:
    """Let the contact wait until somebody answers and has heard the message; return who.

    None if the queue is full, or the wait is over. Raises `PartyLeft` if the contact hangs up.
    """
    assert contact.leg
    leg, operator = contact.leg.id, None
    place = call.queues.join(call.caption.account, queue)
    position = place.position if place else 0
    call.tell(events.QueueEntered, leg=leg, queue=queue.name, position=position)
    if place is None:
        return None
    try:
        with place, present(contact), WaitingInQueue(contact, place, queue):
            operator = await _somebody(call, place, queue)
    finally:
        call.tell(
            events.QueueLeft,
            leg=leg,
            queue=queue.name,
            reached=operator is not None,
        )
    return operator


async def taken_by_somebody_free(call: Session, somebody: Party, queue: Queue) -> None:
    """Ring those who are free now, each once, until one answers: for a call without a contact yet.

    Nobody waits: who is kept for a contact in the queue is not free. Raises `PartyLeft` if nobody
    answers; `Cause.BUSY` if nobody was free.
    """
    tried: set[str] = set()
    causes: set[Cause] = set()
    while member := call.queues.free(call.caption.account, queue, besides=tried):
        tried.add(who(member[0]))
        try:
            await somebody.answers(member)
        except PartyLeft as left:
            causes.add(left.cause)
        else:
            return
    raise PartyLeft(somebody, in_one_word(causes or {Cause.BUSY}))


async def _somebody(call: Session, place: Place, queue: Queue) -> Party | None:
    """Ring whoever is given, one after another, until somebody answers or the wait is over."""
    operator = None
    with anyio.move_on_after(queue.at_most):
        while True:
            member = await place.turn()
            operator = Party(call, Role.EMPLOYEE)
            try:
                await operator.answers(member)
                await operator.hears_out(queue.message)
            except PartyLeft:
                place.give_back(rest=queue.rest)
            else:
                return operator
    if operator:
        call.dismiss(operator)
    return None


class WaitingInQueue:
    """In the ``with`` block the contact hears music and, now and then, its position."""

    def __init__(self, contact: Party, place: Place, queue: Queue) -> None:
        self._contact = contact
        self._place = place
        self._queue = queue
        self._hearing: PlaybackQueue | None = None
        self._scope = anyio.CancelScope()

    def __enter__(self) -> Self:
        if self._queue.announcement:
            self._contact.session.start_soon(self._announce, self._queue.announcement)
        else:
            self._hearing = self._contact.hears(None, then=self._queue.music).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.cancel()
        if self._hearing:
            self._hearing.stop()

    async def _announce(self, announcement: Announcement) -> None:
        with self._scope:
            while True:
                message = announcement.spoken(self._place.position)
                with self._contact.hears(message, then=self._queue.music) as self._hearing:
                    await anyio.sleep(announcement.every)
