"""Who waits for the check of a password, for how long, and who is refused instead."""

from collections.abc import AsyncIterator

import anyio
import pytest
from anyio.abc import TaskGroup

from callwright.methods import login_turns
from callwright.methods.login_turns import GUESSES_FROM, WAITING_AT_MOST, LoginTurns, TooManyLogins
from tests.rpc.world import Clock

pytestmark = pytest.mark.anyio

HONEST = "192.0.2.9"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Hall:
    """Log-ins that wait for their turns, and have them until they are let go on."""

    def __init__(self, tasks: TaskGroup) -> None:
        self.clock = Clock()
        self.turns = LoginTurns(self.clock)
        self.checked: list[str] = []
        self.refused: list[str] = []
        self._tasks = tasks
        self._ends: list[anyio.Event] = []

    async def comes(self, *addresses: str) -> None:
        for address in addresses:
            self._tasks.start_soon(self._log_in, address)
            await anyio.wait_all_tasks_blocked()

    async def next(self) -> list[str]:
        """Let the one go on who has been checked for longest; tell who is checked then."""
        before = len(self.checked)
        self._ends.pop(0).set()
        await anyio.wait_all_tasks_blocked()
        return self.checked[before:]

    async def guesses(self, address: str) -> None:
        for _ in range(GUESSES_FROM):
            await self.comes(address)
            await self.next()

    async def _log_in(self, address: str) -> None:
        end = anyio.Event()
        try:
            async with self.turns.turn(address):
                self.checked.append(address)
                self._ends.append(end)
                await end.wait()
        except TooManyLogins:
            self.refused.append(address)


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with anyio.create_task_group() as tasks:
        yield Hall(tasks)
        tasks.cancel_scope.cancel()


async def test_two_are_checked_at_once_and_the_others_in_turn(hall: Hall) -> None:
    await hall.comes("192.0.2.1", "192.0.2.2", "192.0.2.3")
    assert hall.checked == ["192.0.2.1", "192.0.2.2"]
    assert await hall.next() == ["192.0.2.3"]


async def test_a_source_with_many_waits_behind_one_with_few(hall: Hall) -> None:
    await hall.comes(*["2001:db8::1", "2001:db8::2"] * 3, HONEST)
    assert await hall.next() == [HONEST]
    await hall.comes("192.0.2.8")
    assert await hall.next() == ["192.0.2.8"]
    assert await hall.next() == ["2001:db8::1"]


async def test_a_crowd_that_came_before_makes_nobody_wait(hall: Hall) -> None:
    await hall.comes(*[f"198.51.100.{number}" for number in range(20)], HONEST)
    assert await hall.next() == [HONEST]


async def test_guessers_are_checked_one_at_a_time(hall: Hall) -> None:
    await hall.guesses("192.0.2.1")
    await hall.comes("192.0.2.1", "192.0.2.1", HONEST, "192.0.2.8")
    assert hall.checked[GUESSES_FROM:] == ["192.0.2.1", HONEST]
    assert await hall.next() == ["192.0.2.8"]
    assert await hall.next() == ["192.0.2.1"]


async def test_who_has_shown_a_right_password_goes_first(hall: Hall) -> None:
    hall.turns.succeeded(HONEST)
    await hall.comes("192.0.2.1", "192.0.2.2", HONEST, HONEST, "192.0.2.3")
    assert await hall.next() == [HONEST]
    # A success is no licence to guess: the second try is a stranger's.
    assert await hall.next() == ["192.0.2.3"]


async def test_of_a_queue_that_is_full_the_last_in_turn_is_refused_at_once(hall: Hall) -> None:
    crowd = [f"198.51.100.{number}" for number in range(WAITING_AT_MOST + 2)]
    await hall.comes(*crowd)
    assert hall.refused == []
    await hall.comes(crowd[1])
    assert hall.refused == [crowd[1]]
    await hall.comes(HONEST)
    assert hall.refused == crowd[1:3]
    assert await hall.next() == [HONEST]


async def test_a_site_of_many_networks_is_one_guesser(hall: Hall) -> None:
    """The /48 of one customer has 65,536 networks; each would be new, and go before the honest."""
    for network in range(GUESSES_FROM):
        await hall.comes(f"2001:db8:0:{network:x}::1")
        await hall.next()
    site = [f"2001:db8:0:{network:x}::1" for network in range(0x100, 0x110)]
    await hall.comes(*site, "2001:db8:1::9", "192.0.2.8", HONEST)
    assert hall.checked[GUESSES_FROM:] == [site[0], "2001:db8:1::9"]
    assert await hall.next() == [HONEST]
    assert await hall.next() == ["192.0.2.8"]


async def test_who_has_shown_a_right_password_has_no_part_in_what_its_site_does(hall: Hall) -> None:
    hall.turns.succeeded("2001:db8:0:7::1")
    for network in range(0x100, 0x100 + GUESSES_FROM):
        await hall.comes(f"2001:db8:0:{network:x}::1")
        await hall.next()
    await hall.comes("192.0.2.1", "192.0.2.2", "2001:db8:0:200::1", "2001:db8:0:7::2")
    assert await hall.next() == ["2001:db8:0:7::2"]


async def test_tries_are_forgotten_in_time(hall: Hall) -> None:
    await hall.guesses("192.0.2.1")
    hall.clock.now += login_turns.TRIES_LAST + 1
    await hall.comes("192.0.2.1", "192.0.2.1")
    assert len(hall.checked) == GUESSES_FROM + 2


async def test_who_leaves_the_queue_leaves_a_turn(hall: Hall) -> None:
    await hall.comes("192.0.2.1", "192.0.2.2")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await hall.turns.turn("192.0.2.3").__aenter__()
    await hall.comes(HONEST)
    assert await hall.next() == [HONEST]
