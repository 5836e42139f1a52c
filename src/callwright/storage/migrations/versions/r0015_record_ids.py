"""Ids of recordings that cannot be guessed, also for those there are."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

AT_ONCE = 1000
SIZE = 16
"Bytes of an id."

recordings = sa.table(
    "call_recordings", sa.column("id"), sa.column("session_id"), sa.column("record")
)
events = sa.table(
    "call_events",
    sa.column("session_id"),
    sa.column("sequence"),
    sa.column("kind"),
    sa.column("data", sa.JSON()),
)


def upgrade() -> None:
    op.add_column("call_recordings", sa.Column("record", sa.String(32)))
    _fill(op.get_bind())
    op.create_index(op.f("ix_call_recordings_record"), "call_recordings", ["record"], unique=True)


def _fill(connection: sa.Connection) -> None:
    """Give every recording an id, in its row and in the event it began with."""
    last = -1
    rows = sa.select(recordings.c.id, recordings.c.session_id).order_by(recordings.c.id)
    while some := connection.execute(rows.where(recordings.c.id > last).limit(AT_ONCE)).all():
        last = some[-1].id
        names: dict[int, str] = {row.id: secrets.token_hex(SIZE) for row in some}
        for recording, name in names.items():
            connection.execute(
                sa.update(recordings).where(recordings.c.id == recording).values(record=name)
            )
        begun = sa.select(events.c.session_id, events.c.sequence, events.c.data).where(
            events.c.session_id.in_({row.session_id for row in some}),
            events.c.kind == "RecordingStarted",
        )
        for event in connection.execute(begun).all():
            if given := names.get(event.data["recording"]):
                connection.execute(
                    sa.update(events)
                    .where(
                        events.c.session_id == event.session_id,
                        events.c.sequence == event.sequence,
                    )
                    .values(data={**event.data, "record": given})
                )
