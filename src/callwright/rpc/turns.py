"""Turns: one at a time, each in a turn of the event loop of its own."""

import asyncio
from collections import deque


class Turns:
    """Lets who comes alone through at once, and who comes together one after the other."""

    def __init__(self) -> None:
        self._taken = False
        "Somebody has been let through in this turn of the loop."
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._pass_on)
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _pass_on(self) -> None:
        """Let the next one through, who goes on in the next turn of the loop."""
        while self._waiting and (turn := self._waiting.popleft()):
            if not turn.done():  # else it has been given up
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._pass_on)
                return
        self._taken = False
