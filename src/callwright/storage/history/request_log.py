"""The log of requests: written behind, so that no answer waits for it."""

import logging
from collections import deque
from collections.abc import Sequence
from functools import partial
from itertools import islice

import anyio
from sqlalchemy import Connection, exists, insert, select
from sqlalchemy.exc import SQLAlchemyError

from callwright.api_requests import AnsweredRequest
from callwright.storage.database_faults import reason
from callwright.storage.prepared_writes import PreparedWrite
from callwright.storage.tables import api_requests
from callwright.storage.writer import Writer

log = logging.getLogger(__name__)

QUEUED_AT_MOST = 10_000
"Requests that wait before new ones are left out."
WRITTEN_AT_ONCE = 500
GATHERED_FOR = 1.0
"Seconds requests are gathered before they are written: one commit for all of them."
FLUSHED_WITHIN = 2.0
"Seconds the log may still write when the service ends."
PAUSE = 5.0
"Seconds until a database that does not take them is tried again."


class StoredRequests:
    """Keeps requests in the database. ``run`` must be running for them to be written.

    ``turn``: what writers of this process wait for each other by.
    """

    def __init__(
        self,
        writer: Writer,
        turn: anyio.Lock,
        *,
        queued_at_most: int = QUEUED_AT_MOST,
        gathered_for: float = GATHERED_FOR,
    ) -> None:
        self.left_out = 0
        "Requests that were never written because too many waited."
        self._writer = writer
        self._turn = turn
        self._queued_at_most = queued_at_most
        self._gathered_for = gathered_for
        self._queue: deque[AnsweredRequest] = deque()
        self._filled = anyio.Event()
        self._unheard = 0
        "How many were being written when the database was lost: they may be there."

    @property
    def queued(self) -> int:
        """Requests that are not written yet."""
        return len(self._queue)

    def hear(self, request: AnsweredRequest) -> None:
        """Queue a request; count it as left out if the queue is full."""
        if len(self._queue) >= self._queued_at_most:
            self.left_out += 1
            if self.left_out == 1:
                log.error("%s requests wait for the database: new ones are not logged", self.queued)
            return
        self._queue.append(request)
        self._filled.set()

    async def run(self) -> None:
        """Write what is heard until cancelled, then what is left, for `FLUSHED_WITHIN` seconds."""
        try:
            while True:
                await self._filled.wait()
                await anyio.sleep(self._gathered_for)
                self._filled = anyio.Event()
                while not await self.write_all():  # noqa: ASYNC110 - the database has no event
                    await anyio.sleep(PAUSE)
        finally:
            with anyio.move_on_after(FLUSHED_WITHIN, shield=True):
                await self.write_all()

    async def write_all(self) -> bool:
        """Write what waits, at once; tell whether the database has taken it."""
        while self._queue:
            async with self._turn:
                unheard = self._unheard
                batch = [_row(one) for one in islice(self._queue, unheard or WRITTEN_AT_ONCE)]
                if not batch:
                    break
                try:
                    await self._writer.write(partial(_insert_once if unheard else _insert, batch))
                except SQLAlchemyError as fault:
                    self._unheard = len(batch)
                    log.warning("%s requests wait for the database: %s", self.queued, reason(fault))
                    return False
                self._unheard = 0
                for _ in batch:
                    self._queue.popleft()
        return True


_NEW_REQUESTS = PreparedWrite(
    insert(api_requests),
    (
        "account_id",
        "time",
        "api",
        "method",
        "ip",
        "user_id",
        "user_login",
        "mnemonic",
        "duration",
        "session_id",
    ),
)


def _insert(batch: Sequence[dict[str, object]], connection: Connection) -> None:
    _NEW_REQUESTS.carry_out(connection, batch)


def _insert_once(batch: Sequence[dict[str, object]], connection: Connection) -> None:
    """Insert them unless they are there: with the first one, all of them are."""
    same = (api_requests.c[name] == value for name, value in batch[0].items() if value is not None)
    if connection.scalar(select(exists().where(*same))):
        return
    _insert(batch, connection)


def _row(request: AnsweredRequest) -> dict[str, object]:
    return {
        "account_id": request.account,
        "time": request.time,
        "api": request.api,
        "method": request.method,
        "ip": request.ip,
        "user_id": request.user,
        "user_login": request.login,
        "mnemonic": request.mnemonic,
        "duration": round(1000 * request.duration, 3),
        "session_id": request.session,
    }
