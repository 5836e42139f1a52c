"""Phones that register with us, and what we do to be known to trunks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "trunk_states",
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("registration", sa.String(length=16), nullable=False),
        sa.Column("registered_until", MOMENT, nullable=True),
        sa.Column("reachable", sa.Boolean(), nullable=True),
        sa.Column("round_trip", sa.Float(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("known_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("trunk", name=op.f("pk_trunk_states")),
    )
    op.add_column(
        "trunks", sa.Column("register", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column(
        "trunks", sa.Column("expires", sa.Integer(), server_default="300", nullable=False)
    )
    op.add_column("trunks", sa.Column("options_ping", sa.Float(), nullable=True))
    op.add_column("employee_phones", sa.Column("password", sa.Text(), nullable=True))
    registers = sa.text("password IS NOT NULL")
    op.create_index(
        op.f("uq_employee_phones_registered_number"),
        "employee_phones",
        ["number"],
        unique=True,
        sqlite_where=registers,
        postgresql_where=registers,
    )


def downgrade() -> None:
    op.drop_index(op.f("uq_employee_phones_registered_number"), table_name="employee_phones")
    op.drop_column("employee_phones", "password")
    op.drop_table("trunk_states")
    for column in ("options_ping", "expires", "register"):
        op.drop_column("trunks", column)
