"""The simulated engine keeps the engine contract."""

import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from callwright.engines.port import Address, LegId, LegReleased, Media
from callwright.engines.simulated.engine import SimulatedEngine
from callwright.engines.simulated.far_end import Act, Answers, FarEnd
from tests.calls.stage import Props, play
from tests.engines.commands import WatchedEngine
from tests.engines.contract import CLAUSES, INBOUND, Heard, Line


class SimulatedLine:
    def __init__(self, folder: Path) -> None:
        self.simulated = SimulatedEngine()
        self.heard = Heard()
        self.engine = WatchedEngine(self.simulated, self.heard)
        self._folder = folder
        self._props = Props(folder)
        self._numbers = itertools.count(79260000000)
        self._legs = itertools.count(1)

    async def phone(self, *acts: tuple[float, Act]) -> Address:
        number = str(next(self._numbers))
        self.simulated.far_ends[number] = FarEnd(acts)
        return Address(number, phone="a phone")

    async def call_in(self, caller: str, called: str, *acts: tuple[float, Act]) -> None:
        self.simulated.far_ends[caller] = FarEnd(acts)
        leg = LegId(next(self._legs))
        self.simulated.offer(leg, caller=caller, called=called, trunk=INBOUND)

    def file(self, name: str) -> Path:
        return self._folder / name

    def media(self, seconds: float) -> Media:
        return self._props.media(f"{seconds}", seconds)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_clause(clause: Callable[[Line], Awaitable[None]], tmp_path: Path) -> None:
    async def story() -> None:
        line = SimulatedLine(tmp_path)
        async with anyio.create_task_group() as tasks:
            ready = anyio.Event()
            tasks.start_soon(lambda: line.engine.run(line.heard.deliver, started=ready.set))
            await ready.wait()
            await clause(line)
            tasks.cancel_scope.cancel()

    play(story)


def test_an_engine_that_is_stopped_ends_every_leg(tmp_path: Path) -> None:
    async def story() -> None:
        line = SimulatedLine(tmp_path)
        async with anyio.create_task_group() as tasks:
            ready = anyio.Event()
            tasks.start_soon(lambda: line.engine.run(line.heard.deliver, started=ready.set))
            await ready.wait()
            line.engine.ring(LegId(1), await line.phone((0.1, Answers())), caller_id="1234567")
            line.engine.ring(LegId(2), await line.phone((9.9, Answers())), caller_id="1234567")
            await anyio.sleep(1)
            tasks.cancel_scope.cancel()
        ended = [event.leg for event in line.heard.events if isinstance(event, LegReleased)]
        assert ended == [1, 2]

    play(story)
