"""Tags, talk options, coaches, which calls are recorded, and who blacklisted a number."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_tags_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_tags_account_id_name")),
    )
    op.create_table(
        "talk_options",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("button", sa.String(length=4), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("mnemonic", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_talk_options_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_options")),
        sa.UniqueConstraint("account_id", "button", name=op.f("uq_talk_options_account_id_button")),
    )
    op.add_column("employees", sa.Column("coach", ID, nullable=True))
    op.add_column(
        "employees",
        sa.Column("call_recording", sa.String(length=8), nullable=False, server_default="off"),
    )
    op.add_column(
        "blacklist",
        sa.Column("origin", sa.String(length=16), nullable=False, server_default="file"),
    )
