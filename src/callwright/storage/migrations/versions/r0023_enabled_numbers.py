"""Which of its numbers an account uses, who said so, and which the operator has locked."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns: list[sa.Column[Any]] = [
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("active_origin", sa.String(16), server_default="file", nullable=False),
        sa.Column("locked", sa.Boolean(), server_default=sa.false(), nullable=False),
    ]
    for column in columns:
        op.add_column("virtual_numbers", column)
