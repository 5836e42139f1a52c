"""Sessions by their tags and by who has been rung."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

SOMEBODYS = sa.text("employee_id IS NOT NULL")
# As in revision 10: rows, then rows that are alike in the first column, in the first two, ...
FIGURES = (
    ("call_tags", "ix_call_tags_tag_id_session_id", "200000 20000 1"),
    ("call_legs", "ix_call_legs_employee", "1000000 10000 1 1"),
)


def upgrade() -> None:
    op.create_index(op.f("ix_call_tags_tag_id_session_id"), "call_tags", ["tag_id", "session_id"])
    op.create_index(
        "ix_call_legs_employee",
        "call_legs",
        ["employee_id", "session_id", "role"],
        sqlite_where=SOMEBODYS,
        postgresql_where=SOMEBODYS,
    )
    if op.get_bind().dialect.name == "sqlite":
        for table, index, rows in FIGURES:
            op.execute(
                sa.text("INSERT INTO sqlite_stat1 VALUES (:table, :index, :rows)").bindparams(
                    table=table, index=index, rows=rows
                )
            )
        op.execute("ANALYZE sqlite_schema")
