"""Which scenario a session ran from its beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "call_sessions",
        sa.Column("scenario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
    )
    # As 0032 has made the others.
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    op.add_column("call_sessions", sa.Column("scenario_name", sa.Text(collation=collation)))
    known = sa.text("scenario_id IS NOT NULL")
    op.create_index(
        "ix_call_sessions_scenario",
        "call_sessions",
        ["account_id", "scenario_id", "started_at"],
        sqlite_where=known,
        postgresql_where=known,
    )
    if op.get_bind().dialect.name == "sqlite":
        # For the planner: of how many rows it will be, as in 0010. A scenario has many sessions.
        op.execute(
            "INSERT INTO sqlite_stat1 VALUES "
            "('call_sessions', 'ix_call_sessions_scenario', '200000 200000 10000 1')"
        )
