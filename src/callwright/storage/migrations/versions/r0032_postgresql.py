"""Texts of PostgreSQL in the order of code points, and which code can work with the tables."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

TEXTS = """
SELECT table_name, column_name, format_type(atttypid, atttypmod) AS kind
FROM information_schema.columns
JOIN pg_attribute ON attrelid = format('%I.%I', table_schema, table_name)::regclass
    AND attname = column_name
WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying')
    AND table_name != 'alembic_version' AND collation_name IS DISTINCT FROM 'C'
ORDER BY table_name, column_name
"""


def upgrade() -> None:
    table = op.create_table(
        "compatible_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("oldest", sa.String(8), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_compatible_code_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compatible_code")),
    )
    op.bulk_insert(table, [{"id": 1, "oldest": revision}])
    if op.get_bind().dialect.name == "postgresql":
        _order_by_code_points()


def _order_by_code_points() -> None:
    """Collate every text as SQLite does, so that one index serves =, <, LIKE and the order.

    The rows stay as they are; indexes with texts in them are made again.
    """
    quote = op.get_bind().dialect.identifier_preparer.quote
    changes: dict[str, list[str]] = {}
    for row in op.get_bind().execute(sa.text(TEXTS)):
        changes.setdefault(row.table_name, []).append(
            f'ALTER COLUMN {quote(row.column_name)} TYPE {row.kind} COLLATE "C"'
        )
    for name, columns in changes.items():
        op.execute(f"ALTER TABLE {quote(name)} {', '.join(columns)}")
