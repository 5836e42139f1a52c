"""Direct writes: statements made text once, carried out by PostgreSQL's driver past SQLAlchemy.

They are sent one after another without waiting for each answer (libpq's pipeline mode), until
something else is asked on the connection or the transaction ends. What is wrong with one of them is
raised then at the latest.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

_PIPELINE = "pipeline"
"Under which name a connection keeps what it has sent and not heard of."


def takes_direct_writes(connection: Connection) -> bool:
    """Whether its driver works in the thread it is called from."""
    return isinstance(connection.connection.driver_connection, psycopg.Connection)


def write_directly(connection: Connection, text: bytes, rows: Sequence[Sequence[Any]]) -> None:
    """Send a statement for all rows, in order. Raises what SQLAlchemy does."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with _as_of_sqlalchemy(connection, driver):
        if _PIPELINE not in connection.info:
            pipeline = driver.pipeline()
            pipeline.__enter__()
            connection.info[_PIPELINE] = pipeline
        cursor = driver.cursor()
        for row in rows:
            cursor.execute(text, row)


def wait_for_direct_writes(engine: Engine) -> None:
    """Have answers waited for before anything else is done on a connection of ``engine``."""

    def settle(connection: Connection, *_: object) -> None:
        if pipeline := connection.info.pop(_PIPELINE, None):
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            with _as_of_sqlalchemy(connection, driver):
                pipeline.__exit__(None, None, None)

    def abandon(connection: Connection) -> None:
        if not connection.invalidated:
            with suppress(DBAPIError):
                settle(connection)

    event.listen(engine, "before_cursor_execute", settle)
    event.listen(engine, "commit", settle)
    event.listen(engine, "rollback", abandon)


@contextmanager
def _as_of_sqlalchemy(connection: Connection, driver: "psycopg.Connection[Any]") -> Iterator[None]:
    try:
        yield
    except psycopg.Error as fault:
        is_lost = driver.closed or driver.broken
        if is_lost:
            # Or a rollback would be tried on it.
            connection.invalidate(fault)
        raise DBAPIError.instance(
            None,
            None,
            fault,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=is_lost,
        ) from fault
