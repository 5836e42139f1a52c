"""Trunks whose audio is taken from where their SDP says, and from nowhere else."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "trunks",
        sa.Column("symmetric_rtp", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
