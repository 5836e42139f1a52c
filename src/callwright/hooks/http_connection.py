"""Connection of outbound HTTP: one request after another goes out, and its answer is read.

Heads are read by httptools (llhttp), which is strict; what a far end may make us keep is bounded.
"""

import asyncio
import select

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from callwright.hooks.answer import HttpAnswer, HttpFault, NotReached, Rest
from callwright.hooks.http_request import HttpOrigin

HEAD_AT_MOST = 100 * 1024
"Bytes of heads before an answer's body, those of interim answers among them."
CHUNKING_AT_MOST = 8
"Bytes to each of the body that is read: no chunk has more, however small it is."


class HttpConnection(asyncio.Protocol):
    """A connection that is made; give it to `asyncio.loop.create_connection`."""

    def __init__(self, origin: HttpOrigin) -> None:
        self.origin = origin
        self.kept_since = 0.0
        "When it had nothing more to do, by `time.monotonic`."
        self._reusable = True
        self._readable = select.poll()
        self._transport: asyncio.Transport | None = None
        self._answer: _AnswerReader | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._readable.register(transport.get_extra_info("socket"), select.POLLIN)

    @property
    def reusable(self) -> bool:
        """Whether another request may go over it: the far end has not said anything meanwhile.

        The event loop may not have come to tell us yet, so the kernel is asked.
        """
        return self._reusable and not self._readable.poll(0)

    async def ask(self, request: bytes, *, at_most: int) -> HttpAnswer:
        """Send a request; return the answer, with ``at_most`` bytes of its body.

        Call it only while the connection is `reusable`, and once at a time. Raises `NotReached`.
        """
        assert self._transport
        self._answer = answer = _AnswerReader(at_most)
        self._transport.write(request)
        try:
            return await answer.done
        finally:
            self._reusable = (
                self._reusable
                and answer.leaves_connection
                and not self._transport.get_write_buffer_size()
            )

    def so_far(self) -> HttpAnswer | None:
        """What has come of an answer that is late; None: not even all of its head."""
        return self._answer.told(Rest.LATE) if self._answer else None

    def close(self) -> None:
        """Close the connection at once, without effect if it is closed."""
        self._reusable = False
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done.done():
            self.close()  # nobody has asked
        else:
            self._answer.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._reusable = False
        if self._answer:
            self._answer.end(exc)


class _AnswerReader:
    """An answer that is being read; its methods ``on_…`` are called by httptools."""

    def __init__(self, at_most: int) -> None:
        self.done: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()
        self.leaves_connection = False
        "It has come to its end, and the connection is as it was."
        self._at_most = at_most
        self._parser = HttpResponseParser(self)
        self._received = 0
        self._status: int | None = None
        "Known once the head is complete."
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""

    def told(self, rest: Rest) -> HttpAnswer | None:
        if self._status is None:
            return None
        return HttpAnswer(self._status, self._headers, self._body, rest)

    def feed(self, data: bytes) -> None:
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._end_as(Rest.READ)  # 101: there is nothing more that would be HTTP
        except HttpParserError:
            self._break(HttpFault.PROTOCOL)
        else:
            # Whoever sends heads for ever, or trailers, is not listened to until the time is over.
            body = 0 if self._status is None else CHUNKING_AT_MOST * self._at_most
            if self._received > HEAD_AT_MOST + body:
                self._break(HttpFault.PROTOCOL)

    def end(self, fault: Exception | None) -> None:
        """Take the fact that nothing more will come."""
        if fault is None and self._status is not None and not self._tells_its_end():
            self._end_as(Rest.READ)  # RFC 9112 section 6.3: its end is that of the connection
        else:
            self._break(HttpFault.PROTOCOL if fault is None else HttpFault.UNREACHABLE)

    def on_message_begin(self) -> None:
        if self.done.done():
            self.leaves_connection = False  # more has come than was asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status is None:  # no trailers
            self._headers.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        if not self.done.done():
            self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        if self.done.done():
            return
        self._body += body
        if len(self._body) > self._at_most:
            self._body = self._body[: self._at_most]
            self._end_as(Rest.TOO_LONG)

    def on_message_complete(self) -> None:
        if self.done.done():
            return
        assert self._status is not None
        if self._status < 200 and self._status != 101:  # RFC 9110 section 15.2: it is still to come
            self._status = None
            self._headers = []
            return
        self.leaves_connection = self._parser.should_keep_alive()
        self._end_as(Rest.READ)

    def _tells_its_end(self) -> bool:
        return any(name in (b"content-length", b"transfer-encoding") for name, _ in self._headers)

    def _end_as(self, rest: Rest) -> None:
        answer = self.told(rest)
        assert answer
        if not self.done.done():
            self.done.set_result(answer)

    def _break(self, fault: HttpFault) -> None:
        """End it before its end; a status that has come stays true."""
        self.leaves_connection = False
        if self.done.done():
            return
        if answer := self.told(Rest.BROKEN):
            self.done.set_result(answer)
        elif fault is HttpFault.PROTOCOL:
            self.done.set_exception(no_http())
        else:
            self.done.set_exception(NotReached(fault, "it cannot be reached"))


def no_http() -> NotReached:
    """Say that what is there, or the URL, is nothing of HTTP."""
    return NotReached(HttpFault.PROTOCOL, "it does not speak HTTP as it should")
