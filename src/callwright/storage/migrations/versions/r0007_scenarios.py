"""Scenarios, groups of employees, and which scenario a virtual number runs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "employee_groups",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("employees", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_employee_groups_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee_groups")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_employee_groups_account_id_name")),
    )
    op.create_table(
        "scenarios",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("branches", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_scenarios_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenarios")),
    )
    op.create_index(op.f("ix_scenarios_account_id"), "scenarios", ["account_id"])
    op.add_column("virtual_numbers", sa.Column("scenario", ID, nullable=True))
