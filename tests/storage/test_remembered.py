"""What is remembered of the directory, and when it is forgotten."""

from collections.abc import Sequence

import pytest

from callwright.storage import remembered as subject
from callwright.storage.remembered import LOOK, Remembered

pytestmark = pytest.mark.anyio


class World:
    """A directory that counts how often it is asked, at a time that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.revision = 1
        self.looks = 0
        self.asked: list[str] = []
        self.says = "old"
        self.remembered: Remembered[str] = Remembered(lambda: self.now)

    async def ask(self, question: str) -> Sequence[str]:
        async def read() -> Sequence[str]:
            self.asked.append(question)
            return [self.says]

        async def revision() -> int:
            self.looks += 1
            return self.revision

        return await self.remembered.answer((question,), read, revision)


async def test_a_question_is_asked_once_while_nothing_changes() -> None:
    world = World()
    for _ in range(3):
        assert await world.ask("who?") == ["old"]
        assert await world.ask("where?") == ["old"]
        world.now += 2 * LOOK
    assert world.asked == ["who?", "where?"]
    assert world.looks == 3


async def test_that_there_is_nothing_is_an_answer_too() -> None:
    world = World()
    asked = 0

    async def nothing() -> Sequence[str]:
        nonlocal asked
        asked += 1
        return []

    async def revision() -> int:
        return 1

    for _ in range(2):
        assert await world.remembered.answer(("who?",), nothing, revision) == []
    assert asked == 1


async def test_a_change_is_seen_after_the_interval_and_no_later() -> None:
    world = World()
    await world.ask("who?")
    world.says, world.revision = "new", 2
    world.now += LOOK / 2
    assert await world.ask("who?") == ["old"]
    world.now += LOOK
    assert await world.ask("who?") == ["new"]


async def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    """The answer is on its way while the directory changes and somebody else notices."""
    world = World()

    async def revision() -> int:
        return world.revision

    async def slow() -> Sequence[str]:
        answer = [world.says]
        world.says, world.revision = "new", 2
        world.now += 2 * LOOK
        await world.ask("something else")
        return answer

    assert await world.remembered.answer(("who?",), slow, revision) == ["old"]
    assert await world.ask("who?") == ["new"]


async def test_whoever_changes_what_is_not_counted_has_it_forgotten() -> None:
    world = World()
    await world.ask("who?")
    world.says = "new"
    world.remembered.forget()
    assert await world.ask("who?") == ["new"]


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "ANSWERS_AT_MOST", 2)
    world = World()
    for question in "abc":
        await world.ask(question)
    await world.ask("c")
    assert world.asked == ["a", "b", "c"]
    await world.ask("a")
    assert world.asked == ["a", "b", "c", "a"]
