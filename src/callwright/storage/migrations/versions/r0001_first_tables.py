"""The first tables: directory, sessions, their events and the blocks of ids."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )

    directory_revision = op.create_table(
        "directory_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_directory_revision_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_revision")),
    )

    op.create_table(
        "id_blocks",
        sa.Column("block", ID, nullable=False),
        sa.Column("reserved_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("block", name=op.f("pk_id_blocks")),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "blacklist",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_blacklist_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blacklist")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_blacklist_account_id_number")),
    )

    op.create_table(
        "call_sessions",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("virtual_number", sa.String(length=32), nullable=False),
        sa.Column("contact_number", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("employee_id", ID, nullable=True),
        sa.Column("employee_full_name", sa.Text(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("finish_reason", sa.String(length=64), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.Column("fault", sa.String(length=16), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("wait_duration", sa.Float(), nullable=True),
        sa.Column("talk_duration", sa.Float(), nullable=True),
        sa.Column("total_duration", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_call_sessions_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_sessions")),
    )
    op.create_index(
        op.f("ix_call_sessions_account_id_external_id"),
        "call_sessions",
        ["account_id", "external_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_call_sessions_account_id_started_at"),
        "call_sessions",
        ["account_id", "started_at"],
        unique=False,
    )
    op.create_index(
        "ix_call_sessions_unfinished",
        "call_sessions",
        ["id"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )

    op.create_table(
        "employees",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_employees_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employees")),
    )
    op.create_index(op.f("ix_employees_account_id"), "employees", ["account_id"], unique=False)

    op.create_table(
        "media_files",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("duration", sa.Float(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_media_files_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_files")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_media_files_account_id_name")),
    )
    op.create_index(
        "uq_media_files_system_name",
        "media_files",
        ["name"],
        unique=True,
        sqlite_where=sa.text("account_id IS NULL"),
        postgresql_where=sa.text("account_id IS NULL"),
    )

    op.create_table(
        "trunks",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("user", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("caller_id_header", sa.String(length=8), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_trunks_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trunks")),
        sa.UniqueConstraint("name", name=op.f("uq_trunks_name")),
    )
    op.create_index(op.f("ix_trunks_account_id"), "trunks", ["account_id"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.Column("disabled_components", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_users_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_index(op.f("ix_users_account_id"), "users", ["account_id"], unique=False)

    op.create_table(
        "call_events",
        sa.Column("session_id", ID, autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["call_sessions.id"], name=op.f("fk_call_events_session_id")
        ),
        sa.PrimaryKeyConstraint("session_id", "sequence", name=op.f("pk_call_events")),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "call_legs",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("calling_number", sa.String(length=32), nullable=False),
        sa.Column("called_number", sa.String(length=32), nullable=False),
        sa.Column("employee_id", ID, nullable=True),
        sa.Column("employee_full_name", sa.Text(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("rang_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("finish_reason", sa.String(length=64), nullable=True),
        sa.Column("cause", sa.String(length=32), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("talk_duration", sa.Float(), nullable=True),
        sa.Column("total_duration", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["call_sessions.id"], name=op.f("fk_call_legs_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_legs")),
    )
    op.create_index(op.f("ix_call_legs_session_id"), "call_legs", ["session_id"], unique=False)

    op.create_table(
        "employee_phones",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("employee_id", ID, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("dial_time", sa.Float(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_employee_phones_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"],
            ["employees.id"],
            name=op.f("fk_employee_phones_employee_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee_phones")),
        sa.UniqueConstraint(
            "account_id", "number", name=op.f("uq_employee_phones_account_id_number")
        ),
    )
    op.create_index(
        op.f("ix_employee_phones_employee_id"), "employee_phones", ["employee_id"], unique=False
    )

    op.create_table(
        "tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=4), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False)

    op.create_table(
        "virtual_numbers",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_virtual_numbers_account_id")
        ),
        sa.ForeignKeyConstraint(["trunk"], ["trunks.name"], name=op.f("fk_virtual_numbers_trunk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_virtual_numbers")),
        sa.UniqueConstraint("number", name=op.f("uq_virtual_numbers_number")),
    )
    op.create_index(
        op.f("ix_virtual_numbers_account_id"), "virtual_numbers", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_virtual_numbers_trunk"), "virtual_numbers", ["trunk"], unique=False)

    # Changes count it up; a running service compares it with the one it has seen.
    op.bulk_insert(directory_revision, [{"id": 1, "revision": 0, "changed_at": datetime.now(UTC)}])


def downgrade() -> None:
    for table in (
        "virtual_numbers",
        "tokens",
        "employee_phones",
        "call_legs",
        "call_events",
        "users",
        "trunks",
        "media_files",
        "employees",
        "call_sessions",
        "blacklist",
        "id_blocks",
        "directory_revision",
        "accounts",
    ):
        op.drop_table(table)
