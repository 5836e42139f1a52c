"""The wire: bytes to a running house and the answers that come back, without any HTTP client."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from tests.waiting import WITHIN


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    "By their names in lower case."
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Wire:
    """One TCP connection."""

    _socket: socket.socket
    _reader: BinaryIO

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def done(self) -> None:
        """Say that nothing more is sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self) -> Answer:
        """Read one response; 100 Continue is one, too."""
        status = int(self._line().split(b" ")[1])
        headers = {}
        while line := self._line():
            name, _, value = line.decode("ascii").partition(":")
            headers[name.lower()] = value.strip()
        body = self._reader.read(int(headers.get("content-length", "0")))
        return Answer(status, headers, body)

    def closed(self) -> bool:
        """Wait for what else there is; whether it is the end."""
        return self._reader.read(1) == b""

    def _line(self) -> bytes:
        line = self._reader.readline()
        assert line.endswith(b"\r\n"), f"the connection ends with {line!r}"
        return line.rstrip()


@contextmanager
def connected(url: str) -> Iterator[Wire]:
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    with (
        socket.create_connection((where.hostname, where.port), WITHIN) as connection,
        connection.makefile("rb") as reader,
    ):
        yield Wire(connection, reader)
