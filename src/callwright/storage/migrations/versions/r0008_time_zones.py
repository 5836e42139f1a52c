"""In which time zone an account's reports show times."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column("timezone", sa.String(length=64), nullable=False, server_default="UTC"),
    )
