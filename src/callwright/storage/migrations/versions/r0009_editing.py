"""Who put a row of the directory there, and what methods of the data API keep beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ORIGINS = (
    ("employees", "origin"),
    ("employee_phones", "origin"),
    ("employee_groups", "origin"),
    ("scenarios", "origin"),
    ("tags", "origin"),
    ("virtual_numbers", "scenario_origin"),
)
TEXTS = (
    ("employees", "last_name"),
    ("employees", "first_name"),
    ("employees", "patronymic"),
    ("employees", "email"),
    ("virtual_numbers", "name"),
    ("virtual_numbers", "comment"),
    ("blacklist", "added_by"),
)


def upgrade() -> None:
    for table, column in ORIGINS:
        op.add_column(
            table, sa.Column(column, sa.String(16), server_default="file", nullable=False)
        )
    for table, column in TEXTS:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))
    op.add_column("blacklist", sa.Column("added_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("blacklist", "added_at")
    for table, column in (*TEXTS, *ORIGINS):
        op.drop_column(table, column)
