"""The wire of a request: what an application may know and do about its connection."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

_EXTENSION = "callwright.connection"
"Extension of the ASGI scope that holds the connection's `Wire`."


def _nothing() -> None: ...


def _cannot(_messages: Sequence[str]) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Wire:
    """What an application that sends for hours, or knows the client, has to do with it."""

    transport: asyncio.Transport
    recognise: Callable[[], None] = _nothing
    "To be called when the client has shown a token: its place is then no guest's any more."
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    "Set when the server stops. A WebSocket is closed by then, with code 1012."
    say_at_once: Callable[[Sequence[str]], bool] = _cannot
    "Sends messages of a WebSocket, all of them or none: False if the client is behind, or gone."

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Self:
        """The wire that a request has come by."""
        wire: Self = scope["extensions"][_EXTENSION]["wire"]
        return wire

    def extension(self) -> dict[str, dict[object, object]]:
        """What lets `of` find it among the extensions of a scope."""
        return {_EXTENSION: {"wire": self}}

    def cut(self) -> None:
        """End the connection now, with all that is not sent yet."""
        self.transport.abort()

    def cut_after(self, seconds: float) -> None:
        """Give what is not sent yet so much time: who reads nothing would keep it for ever."""
        asyncio.get_running_loop().call_later(seconds, self.transport.abort)


def recogniser_of(scope: Mapping[str, Any]) -> Callable[[], None]:
    """What to call when the sender of a request is known, also of one that came by no wire."""
    if _EXTENSION in scope.get("extensions", {}):
        return Wire.of(scope).recognise
    return _nothing
