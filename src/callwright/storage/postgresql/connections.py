"""PostgreSQL connections: psycopg's, which wait for no answer for ever and are not used when dead.

A server that is stopped, or behind a broken network, says nothing and closes nothing; a caller who
waited for it would hold a thread, a request, and in the end all of them.
"""

import select
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import psycopg
from psycopg.errors import OperationalError, _WaitTimeout
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from callwright.storage.postgresql.direct_writes import wait_for_direct_writes
from callwright.storage.postgresql.driver_options import DEFAULTS, OWN

if TYPE_CHECKING:
    from psycopg.abc import RV, PQGen
    from sqlalchemy.ext.asyncio import AsyncEngine

ANSWERS_WITHIN = 5.0
"Seconds a statement has, unless it is given more (see `allow`)."
POOL_SIZE = 10
"Connections the service keeps for reading and for changes of the directory."
TWINS = 2
"Connections the journal and its like keep, who write one after another."
POOLED_WITHIN = 5.0
"Seconds a caller waits until one of them is free."

_NO_ANSWER = "the server does not answer"


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed by what takes too long on it."""

    answers_within: float | None = ANSWERS_WITHIN

    def wait(self, gen: "PQGen[RV]", interval: float = 0.1, timeout: float | None = None) -> "RV":
        try:
            return super().wait(gen, interval, timeout or self.answers_within)
        except _WaitTimeout:
            self.pgconn.finish()
            raise OperationalError(_NO_ANSWER) from None


class BoundedAsyncConnection(psycopg.AsyncConnection[Any]):
    """The same for an event loop."""

    answers_within: float | None = ANSWERS_WITHIN

    async def wait(
        self,
        gen: "PQGen[RV]",
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109 - psycopg's
    ) -> "RV":
        try:
            return await super().wait(gen, interval, timeout or self.answers_within)
        except _WaitTimeout:
            self.pgconn.finish()
            raise OperationalError(_NO_ANSWER) from None


Bounded = BoundedConnection | BoundedAsyncConnection


def is_stale(connection: object) -> bool:
    """Whether an idle connection has been closed by its server. Costs a microsecond, no message.

    Nobody has been asked anything, so what there is to be read is a farewell or the end.
    """
    assert isinstance(connection, Bounded)
    if connection.closed or connection.broken:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def open_pool(url: URL) -> "AsyncEngine":
    """Return an engine for the event loop; nothing is connected yet.

    Its statements are committed by themselves: most of what is asked is one SELECT, and BEGIN and
    ROLLBACK around it would be two more messages. Who needs a transaction says so.
    """
    from sqlalchemy.ext.asyncio import create_async_engine

    size = _number(url, "pool_size", POOL_SIZE)
    database = create_async_engine(
        _address(url),
        isolation_level="AUTOCOMMIT",
        connect_args={**driver_options(url), "async_creator_fn": BoundedAsyncConnection.connect},
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOLED_WITHIN,
        pool_use_lifo=True,
        use_native_hstore=False,
        hide_parameters=True,
    )
    event.listen(database.sync_engine, "checkout", _refuse_stale)
    return database


def open_engine(url: URL, *, answers_within: float | None = ANSWERS_WITHIN) -> Engine:
    """Return an engine that works in the thread it is called from; nothing is connected yet.

    When it is disposed of, connections that have not been given back are closed too.
    """
    made: WeakSet[BoundedConnection] = WeakSet()
    engine = create_engine(
        _address(url),
        connect_args=driver_options(url),
        pool_size=TWINS,
        max_overflow=0,
        pool_timeout=POOLED_WITHIN,
        pool_use_lifo=True,
        use_native_hstore=False,
        hide_parameters=True,
    )

    def connect(_dialect: object, _entry: object, _args: object, words: dict[str, Any]) -> object:
        connection = BoundedConnection.connect(**words)
        connection.answers_within = answers_within
        made.add(connection)
        return connection

    def close(_engine: Engine) -> None:
        for connection in made:
            connection.close()

    event.listen(engine, "do_connect", connect)
    wait_for_direct_writes(engine)
    event.listen(engine, "checkout", _refuse_stale)
    event.listen(engine, "engine_disposed", close)
    return engine


def driver_options(url: URL) -> dict[str, Any]:
    """What the driver is told beside the URL. Raises `ArgumentError`."""
    options: dict[str, Any] = {
        name: value for name, value in DEFAULTS.items() if name not in url.query
    }
    if url.query.get("prepare_threshold") == "none":
        # Behind a PgBouncer that knows nothing of prepared statements.
        options["prepare_threshold"] = None
    else:
        options["prepare_threshold"] = _number(url, "prepare_threshold", 5)
    return options


def words_of(url: URL) -> dict[str, Any]:
    """The words a connection without SQLAlchemy is made by. Raises `ArgumentError`."""
    address = _address(url)
    _, words = address.get_dialect()().create_connect_args(address)
    return {**words, **driver_options(url)}


def _address(url: URL) -> URL:
    if url.get_driver_name() not in ("", "psycopg"):
        raise ArgumentError("PostgreSQL is spoken to by psycopg: postgresql://…")
    return url.set(drivername="postgresql+psycopg").difference_update_query(OWN)


def _number(url: URL, name: str, otherwise: int) -> int:
    said = url.query.get(name, str(otherwise))
    if not isinstance(said, str) or not said.isdecimal():
        raise ArgumentError(f"{name} is a number")
    return int(said)


def allow(connection: Connection, seconds: float | None) -> None:
    """Give statements on a connection more time, or all there is, until it is given back."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, Bounded)
    driver.answers_within = seconds


def unbound(connection: Connection) -> None:
    """Let statements on a connection take their time, until it is given back."""
    allow(connection, None)


def _refuse_stale(_connection: object, entry: ConnectionPoolEntry, _proxy: object) -> None:
    driver = entry.driver_connection
    if isinstance(driver, BoundedAsyncConnection):
        driver.answers_within = ANSWERS_WITHIN
    if is_stale(driver):
        raise DisconnectionError("the server has closed it")
