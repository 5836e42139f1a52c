"""Groups that clients manage, and because of which group a leg was rung."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("employee_groups", sa.Column("number", sa.String(8)))
    op.add_column(
        "employee_groups",
        sa.Column("queue", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "employee_groups", sa.Column("channels", sa.Integer(), server_default="199", nullable=False)
    )
    op.add_column(
        "employee_groups",
        sa.Column("phone_order", sa.JSON(), server_default="[]", nullable=False),
    )
    op.add_column(
        "call_legs", sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"))
    )
    op.add_column("call_legs", sa.Column("group_name", sa.Text()))
