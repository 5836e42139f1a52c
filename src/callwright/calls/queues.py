"""Call queues: who waits in which line, and who of the people it rings is free for whom.

First come, first served: a free person is kept for the one who has waited longest and may be given
that person. Nothing here waits for a phone; the scenario rings whom it is given.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

import anyio

from callwright.calls.plan import Target
from callwright.calls.scenario_plan import Member, Queue

Who = str
"Somebody who can be rung: an employee, by whatever phone, or a bare number."


def who(target: Target) -> Who:
    return f"employee {target.employee.id}" if target.employee else target.address.number


class Place:
    """One contact in a line. Leaving the ``with`` block leaves the line."""

    def __init__(self, line: "QueueLine", people: Sequence[Member]) -> None:
        self.people = [member for member in people if member]
        self.given: Member | None = None
        "Who is kept for this contact, and is now to be rung."
        self.changed = anyio.Event()
        self._line = line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.leave(self)

    @property
    def position(self) -> int:
        """From 1, which is served next."""
        return self._line.waiting.index(self) + 1

    async def turn(self) -> Member:
        """Wait until somebody is free for this contact."""
        while self.given is None:
            with anyio.CancelScope(deadline=self._line.rested_at()):
                await self.changed.wait()
            self._line.look_again()
        return self.given

    def give_back(self, *, rest: float) -> None:
        """Say that whoever was given did not take the call; the line leaves them alone a while."""
        self._line.give_back(self, rest)


class QueueLine:
    """The contacts that wait in one queue, in the order they came."""

    def __init__(
        self, busy: Callable[[], set[Who]], kept: set[Who], released: Callable[[], None]
    ) -> None:
        self.waiting: deque[Place] = deque()
        self._busy = busy
        self._released = released
        "Called when somebody is kept no longer, whom another queue may want."
        self._kept = kept
        "People who are about to be rung for somebody, over all queues of the account."
        self._resting: dict[Who, float] = {}
        "People who did not answer, and until when they are left alone."
        self._rung: dict[Who, float] = {}
        "When people were last rung."

    def join(self, people: Sequence[Member]) -> Place:
        place = Place(self, people)
        self.waiting.append(place)
        self.look_again()
        return place

    def leave(self, place: Place) -> None:
        self.waiting.remove(place)
        self._release(place)

    def give_back(self, place: Place, rest: float) -> None:
        if place.given:
            self._resting[who(place.given[0])] = anyio.current_time() + rest
        self._release(place)

    def rested_at(self) -> float:
        """When the next of those who are left alone may be rung again."""
        now = anyio.current_time()
        return min((until for until in self._resting.values() if until > now), default=float("inf"))

    def look_again(self) -> None:
        """Give whoever is free to those who have waited longest."""
        taken = self._taken()
        for place in self.waiting:
            if place.given is not None:
                continue
            place.given = self._choose(place.people, taken)
            if place.given is None:
                continue
            chosen = who(place.given[0])
            self._kept.add(chosen)
            taken.add(chosen)
            place.changed.set()

    def choose(self, people: Sequence[Member], besides: set[Who]) -> Member | None:
        """Give somebody who is free, and kept for nobody, to be rung at once."""
        return self._choose(people, self._taken() | besides)

    def _taken(self) -> set[Who]:
        now = anyio.current_time()
        self._resting = {one: until for one, until in self._resting.items() if until > now}
        return self._busy() | self._kept | self._resting.keys()

    def _choose(self, people: Sequence[Member], taken: set[Who]) -> Member | None:
        """Of those who are free the one rung longest ago; of those never rung the first."""
        free = [member for member in people if who(member[0]) not in taken]
        if not free:
            return None
        chosen = min(free, key=lambda member: self._rung.get(who(member[0]), -1.0))
        self._rung[who(chosen[0])] = anyio.current_time()
        return chosen

    def _release(self, place: Place) -> None:
        if place.given:
            self._kept.discard(who(place.given[0]))
        place.given = None
        place.changed = anyio.Event()
        self._released()


class Queues:
    """All queues. ``busy`` tells who of an account is on a phone now."""

    def __init__(self, busy: Callable[[int], set[Who]]) -> None:
        self._busy = busy
        self._lines: dict[tuple[int, str], QueueLine] = {}
        self._kept: dict[int, set[Who]] = {}

    def join(self, account: int, queue: Queue) -> Place | None:
        """Wait in a queue, last; None if it is full."""
        line = self._line(account, queue)
        return line.join(queue.people) if len(line.waiting) < queue.places else None

    def free(self, account: int, queue: Queue, *, besides: set[Who]) -> Member | None:
        """Give somebody of a queue's who is free now, and not one of ``besides``."""
        people = [member for member in queue.people if member]
        return self._line(account, queue).choose(people, besides)

    def _line(self, account: int, queue: Queue) -> QueueLine:
        key = account, queue.name
        if key not in self._lines:
            kept = self._kept.setdefault(account, set())
            self._lines[key] = QueueLine(lambda: self._busy(account), kept, self.look_again)
        return self._lines[key]

    def look_again(self) -> None:
        """Take the fact that somebody may have become free."""
        for line in self._lines.values():
            if line.waiting:
                line.look_again()
