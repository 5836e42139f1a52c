"""In which country's form numbers come from a trunk."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trunks", sa.Column("country", sa.String(2)))
    op.add_column("trunks", sa.Column("national_prefix", sa.String(4)))


def downgrade() -> None:
    op.drop_column("trunks", "national_prefix")
    op.drop_column("trunks", "country")
