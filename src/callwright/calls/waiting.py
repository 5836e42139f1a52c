"""Waiting for whichever of several things happens first."""

import anyio
import anyio.lowlevel


class Signal:
    """Something that happens once, as `anyio.Event`; several can be waited for at once.

    A call makes a score of them, and hardly one is ever waited for: those cost next to nothing.
    """

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[anyio.Event] = []

    def set(self) -> None:
        self._is_set = True
        for waiting in self._waiting:
            waiting.set()
        self._waiting.clear()

    def is_set(self) -> bool:
        return self._is_set

    async def wait(self) -> None:
        await first_of(self)


async def first_of(*signals: Signal) -> None:
    """Return once any of ``signals`` is set."""
    if any(signal.is_set() for signal in signals):
        await anyio.lowlevel.checkpoint_if_cancelled()
        return
    woken = anyio.Event()
    for signal in signals:
        signal._waiting.append(woken)
    try:
        await woken.wait()
    finally:
        for signal in signals:
            if woken in signal._waiting:
                signal._waiting.remove(woken)
