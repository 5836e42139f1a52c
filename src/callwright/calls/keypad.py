"""DTMF collection: how a script waits for the keys that a party presses."""

from collections import deque
from collections.abc import Collection
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import anyio

from callwright.calls.waiting import Signal, first_of

if TYPE_CHECKING:
    from callwright.calls.party import Party

WAITING_AT_MOST = 64
"Keys that wait to be taken; what is pressed beyond that is not believed."


class Keypad:
    """A ``with`` block in which the keys a party presses are kept until they are taken, in order.

    Keys pressed before the block are not in it. A party that leaves is noticed by ``present``::

        with present(contact), contact.presses() as keypad:
            key = await keypad.next()
    """

    def __init__(self, party: "Party") -> None:
        self._party = party
        self._keys: deque[str] = deque()
        self._pressed = Signal()
        self._listening = ExitStack()

    def __enter__(self) -> Self:
        self._party.keypads.append(self)
        if self._party.leg:
            self._listening.enter_context(self._party.leg.listened_to())
        return self

    def __exit__(self, *_: object) -> None:
        self._party.keypads.remove(self)
        self._listening.close()

    def take(self, key: str) -> None:
        """Take the fact that the party has pressed a key."""
        if len(self._keys) < WAITING_AT_MOST:
            self._keys.append(key)
            self._pressed.set()

    async def next(self) -> str:
        """Wait for the next key: one of ``0-9 * # A-D``."""
        while not self._keys:
            self._pressed = Signal()
            await self._pressed.wait()
        return self._keys.popleft()

    async def next_within(self, seconds: float) -> str | None:
        """Wait for the next key; None if there is none for so long."""
        with anyio.move_on_after(seconds):
            return await self.next()
        return None

    async def next_unless(self, settled: Signal) -> str | None:
        """Wait for the next key; None if something else is settled before."""
        while not self._keys and not settled.is_set():
            self._pressed = Signal()
            await first_of(self._pressed, settled)
        return self._keys.popleft() if self._keys else None

    async def next_of(self, keys: Collection[str]) -> str:
        """Wait for the next key that is one of ``keys``; others are passed over."""
        while (key := await self.next()) not in keys:
            pass
        return key
