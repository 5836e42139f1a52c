"""The channel to a media worker: lines in both directions, and sockets that go with them.

Both processes hold one end of a SOCK_SEQPACKET pair. Lines that are put in one turn of the event
loop go out together, as one message; sockets travel beside their line (SCM_RIGHTS). A process that
ends, however it ends, closes its end, and the other is told in the same moment.
"""

import asyncio
import socket
from array import array
from collections import deque
from collections.abc import Callable, Sequence

WAITING_AT_MOST = 20_000
"Lines that may wait for the other process; one that takes none of them is held to be stuck."
_MESSAGE = 32 * 1024
"Bytes after which no line is added to a message."
_LONGEST = 128 * 1024
"Bytes of a message; a single line is never longer than what is left to it above `_MESSAGE`."
_SOCKETS = 200
"Sockets in a message; Linux takes 253."
_ROOM_BESIDE = socket.CMSG_SPACE(_SOCKETS * array("i").itemsize)
_AT_ONCE = 8
"Messages taken in one turn of the loop."

Take = Callable[[list[bytes], list[int]], None]
"Told of the lines of a message, and of the descriptors that came with them, in their order."


class Channel:
    """One end. ``take`` is called for every message, ``closed`` once, when the other end is gone.

    Neither is called from inside a method. After ``closed``, or `close`, lines are dropped.
    """

    def __init__(self, end: socket.socket, take: Take, closed: Callable[[], None]) -> None:
        self._end = end
        self._take = take
        self._closed = closed
        self._loop = asyncio.get_running_loop()
        self._lines: deque[tuple[bytes, Sequence[socket.socket]]] = deque()
        self._flush_due = False
        self._blocked = False
        self._open = True
        end.setblocking(False)
        self._loop.add_reader(end.fileno(), self._readable)

    @property
    def waiting(self) -> int:
        """Lines that the other process has not been given yet."""
        return len(self._lines)

    def put(self, line: bytes, sockets: Sequence[socket.socket] = ()) -> None:
        """Send a line, which holds no newline. ``sockets`` are closed here when they have gone."""
        if not self._open:
            _close_all(sockets)
            return
        self._lines.append((line, sockets))
        if len(self._lines) > WAITING_AT_MOST:
            self._break()
        elif not self._flush_due and not self._blocked:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Send what still waits, as far as the other end takes it at once, and close this end."""
        self._flush()
        self._shut()

    def _shut(self) -> None:
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._end.fileno())
        self._loop.remove_writer(self._end.fileno())
        self._end.close()
        for _, sockets in self._lines:
            _close_all(sockets)
        self._lines.clear()

    def _break(self) -> None:
        """The other end is gone, stuck, or speaks nonsense."""
        if self._open:
            self._shut()
            self._loop.call_soon(self._closed)

    def _flush(self) -> None:
        self._flush_due = False
        while self._lines and self._open:
            count, message, sockets = self._next_message()
            descriptors = array("i", [each.fileno() for each in sockets])
            beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)] if sockets else []
            try:
                self._end.sendmsg([message], beside)
            except BlockingIOError:
                self._block()
                return
            except OSError:
                self._break()
                return
            _close_all(sockets)
            for _ in range(count):
                self._lines.popleft()
        if self._blocked and self._open:
            self._blocked = False
            self._loop.remove_writer(self._end.fileno())

    def _block(self) -> None:
        if not self._blocked:
            self._blocked = True
            self._loop.add_writer(self._end.fileno(), self._flush)

    def _next_message(self) -> tuple[int, bytes, list[socket.socket]]:
        lines: list[bytes] = []
        sockets: list[socket.socket] = []
        size = 0
        for line, with_it in self._lines:
            if lines and (size + len(line) > _MESSAGE or len(sockets) + len(with_it) > _SOCKETS):
                break
            lines.append(line)
            sockets += with_it
            size += len(line) + 1
        return len(lines), b"\n".join(lines), sockets

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                # Not socket.recv_fds, which forgets the flag: they would outlive us in a child.
                message, beside, _, _ = self._end.recvmsg(
                    _LONGEST, _ROOM_BESIDE, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                self._break()
                return
            if not message:
                self._break()
                return
            descriptors = array("i")
            for level, kind, data in beside:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(data)
            self._take(message.split(b"\n"), descriptors.tolist())
            if not self._open:
                return


def _close_all(sockets: Sequence[socket.socket]) -> None:
    for each in sockets:
        each.close()
