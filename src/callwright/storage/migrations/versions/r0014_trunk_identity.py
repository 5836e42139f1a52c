"""As whom a trunk knows us, and what it refuses."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trunks", sa.Column("from_user", sa.Text()))
    op.add_column("trunks", sa.Column("from_domain", sa.Text()))
    for column in ("ping_refusal", "call_refusal"):
        op.add_column(
            "trunk_states", sa.Column(column, sa.Text(), server_default="", nullable=False)
        )
