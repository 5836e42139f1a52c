"""Who has given a phone its number, and which numbers an account may call whatever they are."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "employee_phones",
        sa.Column("number_origin", sa.String(16), server_default="file", nullable=False),
    )
    # Whether the API has given it its number or only changed the rest is not known any more: what
    # lifts a restriction is said again by applying the file.
    op.execute("UPDATE employee_phones SET number_origin = origin")
    # The file trusts no number that it has inactive.
    op.execute(
        "UPDATE employee_phones SET number_origin = 'api' WHERE NOT active OR employee_id IN "
        "(SELECT id FROM employees WHERE NOT active)"
    )
    op.add_column(
        "accounts", sa.Column("allowed_numbers", sa.JSON(), server_default="[]", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("accounts", "allowed_numbers")
    op.drop_column("employee_phones", "number_origin")
