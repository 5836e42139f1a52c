"""The account's number that belongs to a SIP line."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("employee_phones", sa.Column("virtual_number", sa.String(32)))
