"""What is remembered of requests that were answered."""

from sqlalchemy import Column, Float, ForeignKey, Index, String, Table, Text

from callwright.storage.tables.columns import Id, UtcDateTime, metadata

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("session_id", ForeignKey("call_sessions.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    sqlite_with_rowid=False,
)

api_requests = Table(
    "api_requests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("time", UtcDateTime, nullable=False),
    # Where it was sent to: v4.0, v2.0.
    Column("api", String(8), nullable=False),
    Column("method", String(64), nullable=False),
    Column("ip", String(64), nullable=False),
    # As it was called then; the user may be gone.
    Column("user_id", Id, nullable=False),
    Column("user_login", Text, nullable=False),
    Column("mnemonic", String(64)),
    # Milliseconds.
    Column("duration", Float, nullable=False),
    # The one it has begun, which may be gone.
    Column("session_id", Id),
    Index(None, "account_id", "time"),
)
Index(
    "ix_api_requests_session_id",
    api_requests.c.session_id,
    sqlite_where=api_requests.c.session_id.is_not(None),
)
