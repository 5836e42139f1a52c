"""What calls have sold."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("call_sessions", sa.Column("sale_id", id))
    op.add_column("call_sessions", sa.Column("sale_date", MOMENT))
    op.add_column("call_sessions", sa.Column("sale_cost", sa.Float()))
    op.add_column("call_sessions", sa.Column("sale_comment", sa.Text()))
