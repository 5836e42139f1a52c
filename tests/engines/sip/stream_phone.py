"""A phone over TCP or TLS, that acts as told in the words of the simulated engine."""

import asyncio
import re
import ssl
from collections.abc import Sequence

from callwright.engines.simulated.far_end import Act
from tests.engines.sip.phone import Phone

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class StreamPhone(Phone):
    """Listens, and answers over the connection it is spoken to by."""

    transport = "TCP"

    def __init__(
        self, acts: Sequence[tuple[float, Act]], *, certificate: ssl.SSLContext | None = None
    ) -> None:
        """``certificate``: what callers are shown; with it the phone speaks TLS."""
        super().__init__(acts)
        self.connections: list[asyncio.StreamWriter] = []
        self._certificate = certificate
        if certificate is not None:
            self.transport = "TLS"
        self._reading: set[asyncio.Task[None]] = set()

    async def _open(self) -> tuple[str, int]:
        self._server = await asyncio.start_server(self._read, self.host, 0, ssl=self._certificate)
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    def _close(self) -> None:
        self._server.close()
        for task in self._reading:
            task.cancel()
        for writer in self.connections:
            writer.close()

    async def connect(self, where: tuple[str, int]) -> None:
        """Connect to somebody, before calling."""
        reader, writer = await asyncio.open_connection(*where)
        task = asyncio.create_task(self._read(reader, writer))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        self.connections.append(writer)

    def cut(self) -> None:
        """Cut all connections off."""
        for writer in self.connections:
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if writer not in self.connections:
            self.connections.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                assert length is not None
                body = await reader.readexactly(int(length[1]))
                self.datagram_received(head + body, writer.get_extra_info("peername")[:2])
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def _send(self, data: bytes) -> None:
        self.connections[-1].write(data)
