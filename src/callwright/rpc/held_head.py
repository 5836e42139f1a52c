"""Held head: a transport that keeps the head of a response until its body comes.

uvicorn writes the two one after the other. Together they are one system call of ours, one segment,
and one wake-up of the client.
"""

import asyncio

_CONTINUE = b"HTTP/1.1 100 "
"How that begins which is written before the head, and for which the client waits."


class HeldHead(asyncio.Transport):
    """The transport of one response, which has a body, be it an empty one."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._head: bytes | None = None
        self._let_go = False

    def write(self, data: "bytes | bytearray | memoryview[int]") -> None:
        if self._head is None and bytes(data[: len(_CONTINUE)]) != _CONTINUE:
            self._head = bytes(data)
        elif self._head is None or self._let_go:
            self._transport.write(data)
        else:
            self._let_go = True
            self._transport.write(self._head + data)

    def close(self) -> None:
        if self._head is not None and not self._let_go:
            self.write(b"")
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()
