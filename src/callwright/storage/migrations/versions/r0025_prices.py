"""What kind of call a leg was, and its price."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call_legs", sa.Column("direction_type", sa.String(16)))
    op.add_column("call_legs", sa.Column("per_minute", sa.Float()))
    op.add_column("call_legs", sa.Column("charge_step", sa.Integer()))
