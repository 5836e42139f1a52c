"""What webhooks have still to be told, and what they were sent."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text

from callwright.storage.tables.columns import Id, UtcDateTime, metadata

# Sessions of which a webhook has something still to be told: what comes after ``after``.
webhook_outbox = Table(
    "webhook_outbox",
    metadata,
    # First in the key, so that a session that is removed finds its rows.
    Column(
        "session_id",
        ForeignKey("call_sessions.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "webhook_id",
        ForeignKey("webhooks.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("after", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("due_at", UtcDateTime, nullable=False),
    Index(None, "webhook_id", "due_at"),
    sqlite_with_rowid=False,
)

# Every attempt, for a time. Without foreign keys to what it is about, which may go before.
webhook_log = Table(
    "webhook_log",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("webhook_id", Id, nullable=False),
    Column("webhook_name", Text, nullable=False),
    Column("session_id", Id, nullable=False),
    Column("event_id", String(64), nullable=False),
    Column("event_type", String(64), nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
    Column("delivery_id", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("method", String(4), nullable=False),
    Column("url", Text, nullable=False),
    Column("form", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("duration", Float, nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    Column("error_type", String(32)),
    Column("error_message", Text),
    Index(None, "account_id", "started_at"),
    # An entry's number is what it is sent again by: it must never mean another one.
    sqlite_autoincrement=True,
)
