"""Ring groups (hunt groups): several phones ring at once; the first that takes the call wins."""

import math
from collections import deque
from collections.abc import Sequence

import anyio
import anyio.lowlevel

from callwright.calls.ending import ANOTHER_ANSWERED
from callwright.calls.leg import Leg
from callwright.calls.party import Party, PartyLeft, in_one_word
from callwright.calls.plan import RingGroup, Target
from callwright.calls.waiting import Signal, first_of
from callwright.engines.port import Cause


async def first_to_take(party: Party, groups: Sequence[RingGroup]) -> None:
    """Ring group after group until somebody takes the call; ``party`` is then on that leg.

    The others are hung up, their legs' finish reason is ``another_operator_answer``. A phone that
    must confirm has taken the call when it has (`Target.confirmation`). When this is cancelled all
    are hung up. Raises `PartyLeft` if nobody takes the call, with a cause as `Party.answers` does.
    """
    causes: set[Cause] = set()
    for group in groups:
        if leg := await _ring(party, group, causes):
            party.take_over(leg)
            return
    raise PartyLeft(party, in_one_word(causes))


class _RingingLine:
    """One phone of a group: rung for a stand-in until it is known whether that takes the call."""

    def __init__(self, party: Party, target: Target) -> None:
        self.settled = Signal()
        self.cause: Cause | None = None
        "Why it did not take the call, if it did not."
        self._stand_in = Party(party.session, party.role)
        self._scope = anyio.CancelScope()
        # Rung here and not by the task, which begins a turn later: whoever needs the party may
        # have gone by then.
        self.leg = self._stand_in.ring(target)
        party.session.start_soon(self._wait)

    def drop(self, finish_reason: str | None) -> None:
        self._scope.cancel()
        self._stand_in.session.dismiss(self._stand_in, finish_reason)

    async def _wait(self) -> None:
        with self._scope:
            self.cause = await self._stand_in.settles()
            self.settled.set()


async def _ring(party: Party, group: RingGroup, causes: set[Cause]) -> Leg | None:
    """Ring one group; None if nobody in it takes the call, with the reasons put into ``causes``.

    A phone that fails leaves its line to the next one; lines are added as time passes.
    """
    if len(group.targets) == 1:
        return await _ring_alone(party, group.targets[0], causes)
    waiting = deque(group.targets)
    ringing: list[_RingingLine] = []
    lines, grows_at = group.lines_start, anyio.current_time() + group.wave_after
    dropped_because: str | None = None
    try:
        while True:
            while waiting and len(ringing) < lines:
                await anyio.lowlevel.checkpoint_if_cancelled()
                ringing.append(_RingingLine(party, waiting.popleft()))
            if not ringing:
                return None
            grows = bool(waiting) and lines < group.lines_limit
            with anyio.CancelScope(deadline=grows_at if grows else math.inf):
                await first_of(*(line.settled for line in ringing))
            for line in [line for line in ringing if line.settled.is_set()]:
                ringing.remove(line)
                if line.cause is None:
                    dropped_because = ANOTHER_ANSWERED
                    return line.leg
                causes.add(line.cause)
            if grows and anyio.current_time() >= grows_at:
                lines = min(group.lines_limit, lines + group.increment)
                grows_at += group.wave_after
    finally:
        for line in ringing:
            line.drop(dropped_because)


async def _ring_alone(party: Party, target: Target, causes: set[Cause]) -> Leg | None:
    """Ring a group of one phone, which needs nobody who waits beside."""
    await anyio.lowlevel.checkpoint_if_cancelled()
    stand_in = Party(party.session, party.role)
    leg = stand_in.ring(target)
    try:
        cause = await stand_in.settles()
    except BaseException:
        party.session.dismiss(stand_in)
        raise
    if cause is None:
        return leg
    causes.add(cause)
    return None
