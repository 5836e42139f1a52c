"""Rows of the directory that have been read and still hold.

A request asks the directory a dozen questions, most of them those of the request before, and each
costs several turns of a thread. Every change of the directory counts its revision up; so answers
are kept, and thrown away when the revision is another. It is looked at in this interval at most:
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

LOOK = 0.05
"Seconds. For so long a request may still see the directory as it was before a change."
ANSWERS_AT_MOST = 10_000

Answer = TypeVar("Answer")
Question = tuple[object, ...]


class Remembered(Generic[Answer]):
    """``clock``: tells seconds; ``look``: how many of them what has been read is believed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, look: float = LOOK) -> None:
        self._clock = clock
        self._look_after = look
        self._looked_at = 0.0
        self._seen: int | None = None
        self._answers: dict[Question, Sequence[Answer]] = {}

    def forget(self) -> None:
        """Whoever changes what is not counted says so."""
        self._answers = {}

    async def answer(
        self,
        question: Question,
        ask: Callable[[], Awaitable[Sequence[Answer]]],
        revision: Callable[[], Awaitable[int]],
    ) -> Sequence[Answer]:
        """The answer to a question: a remembered one, or what ``ask`` brings."""
        await self._look(revision)
        # An answer belongs to the memory it was asked for: a change in the meantime replaces it.
        answers = self._answers
        if (known := answers.get(question)) is not None:
            return known
        answer = await ask()
        if len(answers) >= ANSWERS_AT_MOST:
            answers.clear()
        answers[question] = answer
        return answer

    async def _look(self, revision: Callable[[], Awaitable[int]]) -> None:
        now = self._clock()
        if self._seen is not None and now - self._looked_at < self._look_after:
            return
        current = await revision()
        self._looked_at = now
        if current != self._seen:
            self._seen = current
            self._answers = {}
