"""How many calls a phone may be in at once."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "employee_phones",
        sa.Column("channels", sa.Integer(), server_default="1", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("employee_phones", "channels")
