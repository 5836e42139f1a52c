"""Faults of the database: what it complains of, in a few words for people.

Without SQLAlchemy and the drivers of other databases than SQLite, which a command may not need.
"""

import sqlite3


class DatabaseFault(Exception):
    """The database cannot be used as it is. The message says what to do."""


def reason(fault: BaseException) -> str:
    """Say in a few words what the database complained of, by its driver or by SQLAlchemy."""
    said = getattr(fault, "orig", None) or fault
    if isinstance(said, sqlite3.Error):
        return _of_sqlite(said) or str(said)
    if said is fault and not hasattr(fault, "sqlstate"):
        return str(fault)
    # Drivers of PostgreSQL keep the five characters of the SQL standard.
    return _of_state(getattr(said, "sqlstate", None)) or _first_line(said)


def _of_sqlite(fault: sqlite3.Error) -> str | None:
    code = getattr(fault, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # what is needed beside the file, before it is read
        return "the disk is full"
    # The low byte is the error; the rest says which variety of it.
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "it is locked by another program"
        case sqlite3.SQLITE_FULL:
            return "the disk is full"
        case sqlite3.SQLITE_CANTOPEN:
            return "its file cannot be opened"
        case sqlite3.SQLITE_READONLY:
            return "it is read-only"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "its file is damaged, or is not a database"
    return None


def _of_state(state: str | None) -> str | None:
    """What a code of PostgreSQL says; see its appendix, *PostgreSQL Error Codes*."""
    match state:
        case "53100":
            return "the disk is full"
        case "53300":
            return "it has no connection left for us"
        case "57P03":
            return "it is starting, or shutting down"
        case "25006":
            return "it is read-only: is it a standby?"
        case "55P03":
            return "it is locked by another program"
        case "57014":
            return "it took too long"
        case "3D000":
            return "there is no such database"
        case "42501":
            return "its user may not do that"
    match state and state[:2]:
        case "08":
            return "it cannot be reached"
        case "28":
            return "it does not let us in: wrong user or password"
        case "53":
            return "it is short of memory or disk"
        case "57":
            return "it is shutting down"
        case "XX" | "58":
            return "it is damaged, or its disk is"
    return None


def _first_line(fault: BaseException) -> str:
    """What the driver says: of a connection that could not be made, what the server said of it."""
    lines = str(fault).strip().splitlines()
    if not lines:
        return type(fault).__name__
    _, refused, why = lines[0].rpartition("FATAL: ")
    return why.strip() if refused else lines[0].rstrip(":")
