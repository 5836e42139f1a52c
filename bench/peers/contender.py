"""A contender: an engine that sets calls up, and whose CPU is counted."""

from collections.abc import Sequence
from typing import Protocol

import psutil


class Contender(Protocol):
    """One call after another, or many at once: `call` returns when one has been torn down again."""

    name: str

    async def call(self, number: int) -> None:
        """Set call ``number`` up between two phones, let them talk, and end it at once."""
        ...

    def cpu(self) -> float:
        """Seconds of CPU it has used so far, with everything a user needs to run it."""
        ...


def spent(processes: Sequence[psutil.Process]) -> float:
    """Seconds of CPU that processes have used so far, with those they have started."""
    everyone = [one for each in processes for one in (each, *each.children(recursive=True))]
    times = [one.cpu_times() for one in everyone]
    return sum(each.user + each.system for each in times)
