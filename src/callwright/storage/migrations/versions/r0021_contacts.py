"""Contacts with their groups and organisations, and which contact each session was with."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("contact_organizations", "contact_groups"):
        op.create_table(
            table,
            sa.Column("id", ID, nullable=False),
            sa.Column("account_id", ID, nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("origin", sa.String(16), server_default="file", nullable=False),
            sa.ForeignKeyConstraint(
                ["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id")
            ),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("account_id", "name", name=op.f(f"uq_{table}_account_id_name")),
        )
    op.create_table(
        "contacts",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text()),
        sa.Column("patronymic", sa.Text()),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("emails", sa.JSON(), nullable=False),
        sa.Column("personal_manager", ID),
        sa.Column("organization", ID),
        sa.Column("origin", sa.String(16), server_default="file", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_contacts_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    for column in ("account_id", "personal_manager", "organization"):
        op.create_index(op.f(f"ix_contacts_{column}"), "contacts", [column])
    op.create_table(
        "contact_numbers",
        sa.Column("contact_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contacts.id"],
            name=op.f("fk_contact_numbers_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_contact_numbers_account_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", "position", name=op.f("pk_contact_numbers")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_contact_numbers_account_id_number_contact_id"),
        "contact_numbers",
        ["account_id", "number", "contact_id"],
    )
    op.create_table(
        "contact_memberships",
        sa.Column("contact_id", ID, autoincrement=False, nullable=False),
        sa.Column("group_id", ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contacts.id"],
            name=op.f("fk_contact_memberships_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("contact_id", "group_id", name=op.f("pk_contact_memberships")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_contact_memberships_group_id"), "contact_memberships", ["group_id"])
    of_sessions: list[sa.Column[Any]] = [
        sa.Column("contact_id", ID),
        sa.Column("contact_full_name", sa.Text()),
    ]
    for added in of_sessions:
        op.add_column("call_sessions", added)
    known = sa.text("contact_id IS NOT NULL")
    op.create_index(
        "ix_call_sessions_contact",
        "call_sessions",
        ["account_id", "contact_id", "started_at"],
        sqlite_where=known,
        postgresql_where=known,
    )
    if op.get_bind().dialect.name == "sqlite":
        # For the planner: of how many rows it will be, as in 0010. A contact has five sessions.
        op.execute(
            "INSERT INTO sqlite_stat1 VALUES "
            "('call_sessions', 'ix_call_sessions_contact', '200000 200000 5 1')"
        )
        op.execute("ANALYZE sqlite_schema")
