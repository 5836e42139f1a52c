"""Sessions, their legs and all that has happened in them."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
)

from callwright.storage.tables.columns import Id, UtcDateTime, metadata

call_sessions = Table(
    "call_sessions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("method", String(64), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("virtual_number", String(32), nullable=False),
    Column("contact_number", String(32), nullable=False),
    Column("external_id", Text),
    Column("employee_id", Id),
    Column("employee_full_name", Text),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("finish_reason", String(64)),
    Column("ended_by", String(16)),
    Column("fault", String(16)),
    Column("detail", Text),
    Column("wait_duration", Float),
    Column("talk_duration", Float),
    Column("total_duration", Float),
    # What has brought it about: `callwright.calls.plan.SOURCES`.
    Column("source", String(32), nullable=False, server_default="callapi"),
    Column("is_lost", Boolean, nullable=False, server_default=false()),
    Column("is_transfer", Boolean, nullable=False, server_default=false()),
    # Of the account's contacts, and as it was called then; the contact itself may be gone.
    Column("contact_id", Id),
    Column("contact_full_name", Text),
    # What it ran from its beginning, as it was called then; the scenario itself may be gone.
    Column("scenario_id", Id),
    Column("scenario_name", Text),
    # What it has sold, as a request has said last.
    Column("sale_id", Id),
    Column("sale_date", UtcDateTime),
    Column("sale_cost", Float),
    Column("sale_comment", Text),
    # Whom its legs name, told when it is over: `callwright.storage.history.verdicts`.
    *(
        Column(f"{which}_{what}_employee_{fact}", kind)
        for what in ("answered", "talked")
        for which in ("first", "last")
        for fact, kind in (("id", Id), ("full_name", Text))
    ),
    Column("operator_number", String(32)),
    # Reports count and sort by what stands in here without looking at the rows: a million of them
    # would take half a second.
    Index(
        "ix_call_sessions_report",
        "account_id",
        "started_at",
        "finish_reason",
        "talk_duration",
        "direction",
        "is_lost",
        "employee_id",
        "virtual_number",
        "contact_number",
        "source",
        "wait_duration",
        "total_duration",
        "is_transfer",
    ),
    Index(None, "account_id", "external_id"),
    # Which number was used with a contact last.
    Index(None, "account_id", "contact_number", "started_at"),
)
Index(
    "ix_call_sessions_unfinished",
    call_sessions.c.id,
    sqlite_where=call_sessions.c.finished_at.is_(None),
)

# The sessions of one contact, among a million; most contacts are unknown, and cost nothing here.
Index(
    "ix_call_sessions_contact",
    call_sessions.c.account_id,
    call_sessions.c.contact_id,
    call_sessions.c.started_at,
    sqlite_where=call_sessions.c.contact_id.is_not(None),
)
# The sessions of one scenario; those that run none cost nothing here.
Index(
    "ix_call_sessions_scenario",
    call_sessions.c.account_id,
    call_sessions.c.scenario_id,
    call_sessions.c.started_at,
    sqlite_where=call_sessions.c.scenario_id.is_not(None),
)
# What is asked for less often, beside what often is, so that the rows are not looked at for it
# either. A session comes in here once, when it is over: so little does it cost a call. PostgreSQL,
# whose index rows have 2,704 bytes at most, could not write long names into it.
Index(
    "ix_call_sessions_details",
    *(
        call_sessions.c[name]
        for name in (
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
    ),
    sqlite_where=call_sessions.c.finish_reason.is_not(None),
    info={"dialect": "sqlite"},
).ddl_if(dialect="sqlite")
# Reports that are sorted by these walk along, in place of sorting all there are.
for _walked in ("talk_duration", "finished_at"):
    Index(
        f"ix_call_sessions_{_walked}",
        call_sessions.c.account_id,
        call_sessions.c[_walked],
        call_sessions.c.started_at,
        call_sessions.c.finish_reason,
        sqlite_where=call_sessions.c.finish_reason.is_not(None),
    )

call_legs = Table(
    "call_legs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("session_id", ForeignKey("call_sessions.id"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("calling_number", String(32), nullable=False),
    Column("called_number", String(32), nullable=False),
    Column("employee_id", Id),
    Column("employee_full_name", Text),
    Column("started_at", UtcDateTime, nullable=False),
    Column("rang_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("finish_reason", String(64)),
    Column("cause", String(32)),
    Column("raw", Text),
    Column("talk_duration", Float),
    Column("total_duration", Float),
    # The session's. No foreign key: SQLite would have to make the table anew for it.
    Column("account_id", Id),
    # It has called in.
    Column("offered", Boolean, nullable=False, server_default=false()),
    # When it first talked with somebody.
    Column("talked_at", UtcDateTime),
    # It has handed the contact over to somebody else.
    Column("is_transferred", Boolean, nullable=False, server_default=false()),
    # How its audio came over: `callwright.engines.quality.Quality`. Loss is the share that is
    # missing.
    Column("loss", Float),
    Column("far_loss", Float),
    Column("jitter", Float),
    Column("round_trip", Float),
    Column("mos", Float),
    # Because of which group of employees it was rung.
    Column("group_id", Id),
    Column("group_name", Text),
    # What kind of call it was, and what a minute of it cost then, counted by how many seconds.
    # NULL: not a number outside, or free.
    Column("direction_type", String(16)),
    Column("per_minute", Float),
    Column("charge_step", Integer),
    # What was charged, told when it has ended.
    Column("chargeable_duration", Integer),
    Column("total_charge", Float),
)
# A leg comes in here once, when it has ended: of others nothing is reported.
Index(
    "ix_call_legs_report",
    *(
        call_legs.c[name]
        for name in (
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
    ),
    sqlite_where=call_legs.c.finish_reason.is_not(None),
)
# Legs by what they cost, the dearest first. Very many cost the same: the key is a part of it.
Index(
    "ix_call_legs_total_charge",
    call_legs.c.account_id,
    call_legs.c.total_charge.desc(),
    call_legs.c.id,
    call_legs.c.started_at,
    call_legs.c.finish_reason,
    sqlite_where=call_legs.c.finish_reason.is_not(None),
)

# Which sessions somebody has been rung in.
Index(
    "ix_call_legs_employee",
    call_legs.c.employee_id,
    call_legs.c.session_id,
    call_legs.c.role,
    sqlite_where=call_legs.c.employee_id.is_not(None),
)

call_recordings = Table(
    "call_recordings",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column(
        "session_id",
        ForeignKey("call_sessions.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # talk or voicemail.
    Column("kind", String(16), nullable=False),
    # Left channel, right channel; a single one for a voicemail.
    Column("legs", JSON, nullable=False),
    # In the folder of recordings.
    Column("file_name", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    # NULL: the file is not complete, and never will be if there is a fault.
    Column("duration", Float),
    Column("fault", Text),
    # What clients know it by: whoever has it may fetch the file. Only SQLite's way of adding
    # columns lets it be NULL; it never is.
    Column("record", String(32)),
    Index(None, "record", unique=True),
)

call_tags = Table(
    "call_tags",
    metadata,
    Column(
        "session_id",
        ForeignKey("call_sessions.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("tag_id", Id, primary_key=True, autoincrement=False),
    # As it was called then; the tag itself may be gone.
    Column("tag_name", Text, nullable=False),
    # auto or manual.
    Column("tag_type", String(8), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    # Who has set it, if it was done by the Data API.
    Column("user_id", Id),
    Column("user_login", Text),
    # Which sessions have a tag.
    Index(None, "tag_id", "session_id"),
    sqlite_with_rowid=False,
)

call_events = Table(
    "call_events",
    metadata,
    Column("session_id", ForeignKey("call_sessions.id"), primary_key=True, autoincrement=False),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("data", JSON, nullable=False),
    # Its place among all events that were ever written; see `callwright.storage.history.event_log`.
    Column("position", Id),
    # Read by its key or in order of writing only: the key is the table.
    sqlite_with_rowid=False,
)
Index(
    "ix_call_events_position",
    call_events.c.position,
    unique=True,
    sqlite_where=call_events.c.position.is_not(None),
)

id_blocks = Table(
    "id_blocks",
    metadata,
    Column("block", Id, primary_key=True),
    Column("reserved_at", UtcDateTime, nullable=False),
    # A block is never given twice, not even after its row has gone.
    sqlite_autoincrement=True,
)
