"""Trunks and phones whose audio must go over SRTP."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("trunks", "employee_phones"):
        op.add_column(
            table, sa.Column("srtp", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    for table in ("trunks", "employee_phones"):
        op.drop_column(table, "srtp")
