"""Lists of what an account owns, as commands show them."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from callwright.storage.tables import media_files, trunks


@dataclass(frozen=True, slots=True)
class ListedMedia:
    id: int
    name: str
    system: bool
    duration: float
    "Seconds."
    size: int
    "Bytes."


@dataclass(frozen=True, slots=True)
class ListedTrunk:
    name: str
    host: str
    port: int
    "0: found by SRV records."
    transport: str
    user: str | None
    active: bool


def list_media_files(connection: Connection) -> list[ListedMedia]:
    """Return all media files, those of the system first."""
    query = select(media_files).order_by(media_files.c.account_id.is_not(None), media_files.c.id)
    return [
        ListedMedia(row.id, row.name, row.account_id is None, row.duration, row.size)
        for row in connection.execute(query)
    ]


def list_trunks(connection: Connection) -> list[ListedTrunk]:
    """Return all trunks in the order of the directory file, without their passwords."""
    query = select(
        trunks.c.name,
        trunks.c.host,
        trunks.c.port,
        trunks.c.transport,
        trunks.c.user,
        trunks.c.active,
    ).order_by(trunks.c.account_id, trunks.c.position)
    return [
        ListedTrunk(row.name, row.host, row.port, row.transport, row.user, row.active)
        for row in connection.execute(query)
    ]
