"""Framing: where one SIP message ends and the next begins in a stream (RFC 3261 18.3).

No socket and no clock: bytes go in, whole messages come out, and `Garbage` is raised where no
message can begin any more, since a stream that has lost its frame never finds it again.
"""

import re

from callwright.engines.sip.wire.message import MAX_LINE, MAX_MESSAGE

PING = b"\r\n\r\n"
"Keep-alive between messages (RFC 5626 4.4.1); answered by `PONG`."
PONG = b"\r\n"

_BREAKS = b"\r\n"
_END = b"\r\n\r\n"
_START = re.compile(
    rb"(?:SIP/2\.0 [1-6][0-9][0-9](?: .*)?|[A-Za-z0-9.!%*_+`'~-]{1,128} \S+ SIP/[0-9.]+)",
    re.IGNORECASE,
)
_FIRST = re.compile(rb"[A-Za-z0-9.!%*_+`'~-]")
_FOLD = re.compile(rb"\r\n[ \t]+")
_LENGTH = re.compile(
    rb"^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,6})[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_NAMES_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Garbage(ValueError):
    """The stream carries no SIP, or too much of it at once. The text is one of a few reasons."""


class Framer:
    """Cuts one stream into messages; holds at most one that is not whole yet."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        "Bytes of ``_held`` known to hold no end of headers."
        self._whole: int | None = None
        "Size of the message at the front, once its headers are there."
        self._begun = False
        "The first line of the message at the front has been looked at."

    @property
    def waiting(self) -> bool:
        """Whether a message has begun and is not whole yet."""
        return bool(self._held) and self._held[0] not in _BREAKS

    def feed(self, data: bytes) -> list[bytes]:
        """Take what has come; return the messages, and `PING` where there was one.

        Raises `Garbage`; messages whole before it are lost with the connection.
        """
        self._held += data
        found: list[bytes] = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> bytes | None:
        if self._whole is None:
            if self._held and self._held[0] in _BREAKS:
                return self._between()
            self._whole = self._measure()
        if self._whole is None or len(self._held) < self._whole:
            return None
        message = bytes(self._held[: self._whole])
        del self._held[: self._whole]
        self._whole, self._searched, self._begun = None, 0, False
        return message

    def _between(self) -> bytes | None:
        """Take the line breaks before a message; a pair of them is a ping."""
        if self._held.startswith(PING):
            del self._held[:4]
            return PING
        if PING.startswith(self._held):
            return None
        if not self._held.startswith(PONG):
            raise Garbage("bare CR or LF")
        del self._held[:2]
        return self._next()

    def _measure(self) -> int | None:
        """Size of the message at the front; None while its headers are not all there."""
        held = self._held
        if held and not self._begun:
            self._begun = self._check_start()
        end = held.find(_END, max(0, self._searched - len(_END) + 1))
        if end < 0:
            self._searched = len(held)
            if len(held) > MAX_MESSAGE:
                raise Garbage("oversize")
            return None
        head = _FOLD.sub(b" ", bytes(held[:end])).replace(b"\r\n", b"\n")
        lengths = _LENGTH.findall(head)
        if len(lengths) != 1 or len(_NAMES_LENGTH.findall(head)) != 1:
            # RFC 3261 20.14: over a stream it must be there, and two would be two frames.
            raise Garbage("content-length not exactly once")
        size = end + len(_END) + int(lengths[0])
        if size > MAX_MESSAGE:
            raise Garbage("oversize")
        return size

    def _check_start(self) -> bool:
        """Refuse at its first line what is no SIP; False if that line is not there yet."""
        end = self._held.find(b"\r\n", 0, MAX_LINE)
        if end < 0:
            if len(self._held) >= MAX_LINE or not _FIRST.match(self._held):
                raise Garbage("no start line")
            return False
        if not _START.fullmatch(bytes(self._held[:end])):
            raise Garbage("no start line")
        return True
