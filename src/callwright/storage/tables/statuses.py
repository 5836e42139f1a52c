"""Statuses of employees: which there are, the same for every account, and who changed when."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from callwright.storage.tables.columns import Id, UtcDateTime, metadata

# Its rows are put there by the migration, and nobody changes them.
employee_statuses = Table(
    "employee_statuses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mnemonic", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("color", String(7), nullable=False),
    # Each: of "in" and "out", which calls the employee takes and makes.
    Column("in_external", JSON, nullable=False),
    Column("in_internal", JSON, nullable=False),
    Column("out_external", JSON, nullable=False),
    Column("out_internal", JSON, nullable=False),
    Column("is_select_allowed", Boolean, nullable=False),
    Column("is_worktime", Boolean, nullable=False),
    Column("is_auto_out_calls_ready", Boolean, nullable=False),
)

employee_status_changes = Table(
    "employee_status_changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("employee_id", ForeignKey("employees.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # Mnemonics; before: null of an employee who was not there.
    Column("before", String(32)),
    Column("after", String(32), nullable=False),
)
Index(
    "ix_employee_status_changes_employee_id_at",
    employee_status_changes.c.employee_id,
    employee_status_changes.c.at,
)
Index(
    "ix_employee_status_changes_account_id_at",
    employee_status_changes.c.account_id,
    employee_status_changes.c.at,
)
