"""Statuses of employees, and when each employee's has changed."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DIRECTIONS = ("in_external", "in_internal", "out_external", "out_internal")
_FLAGS = ("is_select_allowed", "is_worktime", "is_auto_out_calls_ready")
_BOTH, _OUT, _NONE = ["in", "out"], ["out"], list[str]()

# Mnemonic, name, description, colour; calls in from outside and from colleagues, calls out to
# either; whether people choose it, whether it is work, whether campaigns call in it.
_STATUSES = (
    ("available", "Доступен", "Принимает и совершает вызовы", "#48B23A")
    + (_BOTH, _BOTH, _BOTH, _BOTH, True, True, True),
    ("break", "Перерыв", "Не принимает внешние вызовы", "#F7B500")
    + (_OUT, _BOTH, _BOTH, _BOTH, True, True, False),
    ("do_not_disturb", "Не беспокоить", "Не принимает вызовы", "#E02020")
    + (_OUT, _OUT, _BOTH, _BOTH, True, True, False),
    ("not_at_workplace", "Нет на месте", "Не принимает вызовы", "#FA6400")
    + (_OUT, _OUT, _BOTH, _BOTH, True, True, False),
    ("not_at_work", "Нет на работе", "Не принимает вызовы", "#6D7278")
    + (_NONE, _NONE, _BOTH, _BOTH, True, False, False),
    ("auto_out_call", "Исходящий обзвон", "Занят исходящим обзвоном", "#0091FF")
    + (_OUT, _BOTH, _BOTH, _BOTH, True, True, True),
    ("unknown", "Неизвестно", "Статус неизвестен", "#B0B4B8")
    + (_BOTH, _BOTH, _BOTH, _BOTH, False, False, False),
)


def upgrade() -> None:
    statuses = op.create_table(
        "employee_statuses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mnemonic", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("color", sa.String(7), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in _DIRECTIONS),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in _FLAGS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee_statuses")),
    )
    names = ("mnemonic", "name", "description", "color", *_DIRECTIONS, *_FLAGS)
    op.bulk_insert(
        statuses,
        [
            {"id": at, **dict(zip(names, one, strict=True))}
            for at, one in enumerate(_STATUSES, start=1)
        ],
    )
    op.add_column(
        "employees",
        sa.Column("status", sa.String(32), server_default="available", nullable=False),
    )
    op.create_table(
        "employee_status_changes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("employee_id", _ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.String(32)),
        sa.Column("after", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_employee_status_changes_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"],
            ["employees.id"],
            name=op.f("fk_employee_status_changes_employee_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee_status_changes")),
    )
    for column in ("employee_id", "account_id"):
        op.create_index(
            op.f(f"ix_employee_status_changes_{column}_at"),
            "employee_status_changes",
            [column, "at"],
        )
