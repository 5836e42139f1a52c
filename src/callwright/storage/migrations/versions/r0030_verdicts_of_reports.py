"""What reports filter and sort by, told once in columns of the sessions and legs that are over."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FINISHED = sa.text("finish_reason IS NOT NULL")

LEG = """
SELECT {told} FROM call_legs AS rung
WHERE rung.session_id = call_sessions.id AND rung.role <> 'contact' AND rung.{at} IS NOT NULL{more}
ORDER BY rung.{at} {order}, rung.id {order} LIMIT 1
"""
# As reports have found it out until now.
CHARGEABLE = """CASE WHEN charge_step IS NULL THEN 0
    ELSE (CAST(round(talk_duration) AS INTEGER) + charge_step - 1) / charge_step * charge_step
    END"""
CHARGED = f"""
UPDATE call_legs SET chargeable_duration = {CHARGEABLE}, total_charge = CAST(round(
    CAST({CHARGEABLE} * coalesce(per_minute, 0.0) / 60 AS NUMERIC(18, 6)), 4) AS FLOAT)
WHERE finish_reason IS NOT NULL
"""
DETAILS = (
    "account_id",
    "started_at",
    "finish_reason",
    "last_talked_employee_id",
    "last_talked_employee_full_name",
    "first_talked_employee_id",
    "first_talked_employee_full_name",
    "last_answered_employee_id",
    "last_answered_employee_full_name",
    "first_answered_employee_id",
    "first_answered_employee_full_name",
    "operator_number",
    "sale_date",
    "sale_cost",
    "external_id",
    "contact_id",
    "contact_full_name",
    "employee_id",
    "employee_full_name",
    "finished_at",
    "ended_by",
    "fault",
    "direction",
    "is_lost",
    "is_transfer",
    "virtual_number",
    "contact_number",
    "source",
    "wait_duration",
    "talk_duration",
    "total_duration",
)
OF_LEGS = (
    "account_id",
    "started_at",
    "finish_reason",
    "total_charge",
    "role",
    "employee_id",
    "talk_duration",
    "chargeable_duration",
    "per_minute",
    "direction_type",
    "offered",
    "calling_number",
    "called_number",
)
BY_CHARGE = ("account_id", sa.text("total_charge DESC"), "id", "started_at", "finish_reason")
INDEXES = (
    ("call_sessions", "ix_call_sessions_details", DETAILS, "1000000 1000000 1" + 29 * " 1"),
    ("call_legs", "ix_call_legs_report", OF_LEGS, "2000000 2000000 1" + 11 * " 1"),
    ("call_legs", "ix_call_legs_total_charge", BY_CHARGE, "2000000 2000000 2000 1 1 1"),
)
"With what the planner is told of them: see revision 10."


def upgrade() -> None:
    names = [f"{which}_{what}" for what in ("answered", "talked") for which in ("first", "last")]
    for name in names:
        op.add_column("call_sessions", sa.Column(f"{name}_employee_id", ID))
        op.add_column("call_sessions", sa.Column(f"{name}_employee_full_name", sa.Text()))
    op.add_column("call_sessions", sa.Column("operator_number", sa.String(32)))
    op.add_column("call_legs", sa.Column("chargeable_duration", sa.Integer()))
    op.add_column("call_legs", sa.Column("total_charge", sa.Float()))
    op.drop_index("ix_call_legs_report", "call_legs")
    op.execute(CHARGED)
    op.execute(_found_out(names))
    for table, index, columns, rows in INDEXES:
        if columns is DETAILS and op.get_bind().dialect.name != "sqlite":
            continue  # its rows may be longer than an index may have them there
        op.create_index(index, table, [*columns], sqlite_where=FINISHED, postgresql_where=FINISHED)
        if op.get_bind().dialect.name == "sqlite":
            told = sa.text("INSERT INTO sqlite_stat1 VALUES (:table, :index, :rows)")
            op.execute(told.bindparams(table=table, index=index, rows=rows))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ANALYZE sqlite_schema")


def _found_out(names: list[str]) -> str:
    told = "rung.employee_id, rung.employee_full_name"
    found = [
        f"({name}_employee_id, {name}_employee_full_name) = ("
        + LEG.format(
            told=told,
            at=f"{name.partition('_')[2]}_at",
            more=" AND rung.employee_id IS NOT NULL",
            order="DESC" if name.startswith("last") else "ASC",
        )
        + ")"
        for name in names
    ]
    last = LEG.format(told="rung.called_number", at="talked_at", more="", order="DESC")
    found.append(f"operator_number = ({last})")
    return f"UPDATE call_sessions SET {', '.join(found)} WHERE finish_reason IS NOT NULL"
