"""Routes: by which device, and from which address of ours, the kernel reaches an IPv4 address."""

import socket
import sys
from ipaddress import IPv4Address
from struct import Struct
from typing import NamedTuple

_HEADER = Struct("=IHHII")
_ROUTE = Struct("=BBBBBBBBI")
_ATTRIBUTE = Struct("=HH")
_GET_ROUTE, _NEW_ROUTE = 26, 24
_REQUEST = 0x01
_DESTINATION, _OUTPUT, _PREFERRED_SOURCE = 1, 4, 7
_ANSWER = 4096


class DeviceRoute(NamedTuple):
    device: int
    "Its number."
    source: str | None
    "Address of ours that packets leave from, where it is not for the sender to say."


class Routes:
    """Asks the kernel by rtnetlink(7). An answer takes some 10 µs and is there at once."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._socket.setblocking(False)
        self._socket.bind((0, 0))
        self._number = 0

    def to(self, host: str) -> DeviceRoute | None:
        """Return the route to an address; None: there is none, or it is not of IPv4."""
        try:
            address = IPv4Address(host).packed
        except ValueError:
            return None
        self._number = (self._number + 1) & 0xFFFFFFFF
        wanted = _ATTRIBUTE.pack(_ATTRIBUTE.size + 4, _DESTINATION) + address
        body = _ROUTE.pack(socket.AF_INET, 32, 0, 0, 0, 0, 0, 0, 0) + wanted
        size = _HEADER.size + len(body)
        try:
            self._socket.send(_HEADER.pack(size, _GET_ROUTE, _REQUEST, self._number, 0) + body)
            while True:
                answer = self._socket.recv(_ANSWER)
                _, kind, _, number, _ = _HEADER.unpack_from(answer)
                if number == self._number:
                    return _read(answer) if kind == _NEW_ROUTE else None
        except OSError:
            return None

    def close(self) -> None:
        self._socket.close()


def _read(answer: bytes) -> DeviceRoute | None:
    device, source = 0, None
    size = _HEADER.unpack_from(answer)[0]
    at = _HEADER.size + _ROUTE.size
    while at + _ATTRIBUTE.size <= size:
        length, kind = _ATTRIBUTE.unpack_from(answer, at)
        if length < _ATTRIBUTE.size:
            break
        value = answer[at + _ATTRIBUTE.size : at + length]
        if kind == _OUTPUT:
            device = int.from_bytes(value, sys.byteorder)
        elif kind == _PREFERRED_SOURCE:
            source = str(IPv4Address(value))
        at += (length + 3) & ~3
    return DeviceRoute(device, source) if device else None
