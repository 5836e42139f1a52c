"""What reports tell of sessions and legs: sources, talks, quality, recordings and tags."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

SOURCES = """
UPDATE call_sessions SET source = CASE method
    WHEN 'inbound' THEN 'va'
    WHEN 'start.informer_call' THEN 'callapi_informer_call'
    WHEN 'start.scenario_call' THEN 'callapi_scenario_call'
    WHEN 'start.vnumber_call' THEN 'callapi_scenario_call'
    ELSE 'callapi_management_call' END
"""
LOST = """
UPDATE call_sessions SET is_lost = true
WHERE method = 'inbound' AND finished_at IS NOT NULL AND talk_duration = 0
"""
ACCOUNTS = """
UPDATE call_legs SET account_id =
    (SELECT account_id FROM call_sessions WHERE call_sessions.id = call_legs.session_id)
"""


def upgrade() -> None:
    of_sessions: list[sa.Column[Any]] = [
        sa.Column("source", sa.String(length=32), nullable=False, server_default="callapi"),
        sa.Column("is_lost", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("is_transfer", sa.Boolean(), nullable=False, server_default=sa.false()),
    ]
    for column in of_sessions:
        op.add_column("call_sessions", column)
    of_legs: list[sa.Column[Any]] = [
        sa.Column("account_id", ID),
        sa.Column("offered", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("talked_at", MOMENT),
        sa.Column("is_transferred", sa.Boolean(), nullable=False, server_default=sa.false()),
        *(sa.Column(name, sa.Float()) for name in QUALITY),
    ]
    for column in of_legs:
        op.add_column("call_legs", column)
    for statement in (SOURCES, LOST, ACCOUNTS):
        op.execute(statement)
    op.drop_index(op.f("ix_call_sessions_account_id_started_at"), "call_sessions")
    op.create_index("ix_call_sessions_report", "call_sessions", [*REPORTED])
    op.create_index("ix_call_legs_report", "call_legs", [*REPORTED_OF_LEGS])
    op.create_table(
        "call_recordings",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("legs", sa.JSON(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("duration", sa.Float()),
        sa.Column("fault", sa.Text()),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["call_sessions.id"],
            name=op.f("fk_call_recordings_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_recordings")),
    )
    op.create_index(op.f("ix_call_recordings_session_id"), "call_recordings", ["session_id"])
    op.create_table(
        "call_tags",
        sa.Column("session_id", ID, autoincrement=False, nullable=False),
        sa.Column("tag_id", ID, autoincrement=False, nullable=False),
        sa.Column("tag_name", sa.Text(), nullable=False),
        sa.Column("tag_type", sa.String(length=8), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("user_id", ID),
        sa.Column("user_login", sa.Text()),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["call_sessions.id"],
            name=op.f("fk_call_tags_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "tag_id", name=op.f("pk_call_tags")),
        sqlite_with_rowid=False,
    )

    if op.get_bind().dialect.name == "sqlite":
        _tell_the_planner()


def _tell_the_planner() -> None:
    """Say of how many rows the tables will be, so that plans are good from the first call on.

    Without figures SQLite believes that an account has ten sessions, and would rather look through
    all of an account's in an index that has every column it needs than find the one it looks for.
    See "Manual Control Of Query Plans Using SQLITE_STAT Tables" in SQLite's documentation.
    """
    op.execute("ANALYZE sqlite_schema")
    op.execute("ANALYZE call_sessions")  # makes the table, also where there is nothing to count
    for table, index, rows in FIGURES:
        op.execute(sa.text("DELETE FROM sqlite_stat1 WHERE idx = :index").bindparams(index=index))
        op.execute(
            sa.text("INSERT INTO sqlite_stat1 VALUES (:table, :index, :rows)").bindparams(
                table=table, index=index, rows=rows
            )
        )
    op.execute("ANALYZE sqlite_schema")


# Rows of the table, then rows that are alike in the first column, in the first two, ...
FIGURES = (
    ("call_sessions", "ix_call_sessions_report", "1000000 1000000 1" + 11 * " 1"),
    ("call_sessions", "ix_call_sessions_account_id_external_id", "1000000 1000000 2"),
    (
        "call_sessions",
        "ix_call_sessions_account_id_contact_number_started_at",
        "1000000 1000000 5 1",
    ),
    ("call_sessions", "ix_call_sessions_unfinished", "200 1"),
    ("call_legs", "ix_call_legs_report", "2000000 2000000 1 1 1 1 1"),
    ("call_legs", "ix_call_legs_session_id", "2000000 2"),
)
QUALITY = ("loss", "far_loss", "jitter", "round_trip", "mos")
REPORTED = (
    "account_id",
    "started_at",
    "finish_reason",
    "talk_duration",
    "direction",
    "is_lost",
    "employee_id",
    "virtual_number",
    "contact_number",
    "source",
    "wait_duration",
    "total_duration",
    "is_transfer",
)
REPORTED_OF_LEGS = (
    "account_id",
    "started_at",
    "finish_reason",
    "role",
    "employee_id",
    "talk_duration",
)
