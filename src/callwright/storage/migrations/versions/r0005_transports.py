"""What carries SIP to a trunk, and whose certificate it must have."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "trunks",
        sa.Column("transport", sa.String(length=3), server_default="udp", nullable=False),
    )
    op.add_column(
        "trunks", sa.Column("tls_verify", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.add_column("trunks", sa.Column("tls_ca", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in ("tls_ca", "tls_verify", "transport"):
        op.drop_column("trunks", column)
