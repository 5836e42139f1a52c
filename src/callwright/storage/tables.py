"""Tables: what the database keeps, and under which names.

Portable between SQLite and PostgreSQL. Ids are 64 bit and stay below 2**53, so that every JSON
client reads them exactly. A change here needs a migration in ``storage/migrations/versions``; a
test compares the two.
"""

import json
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    true,
)

from callwright.directory.destinations import USUAL


class Origin(StrEnum):
    """Who put a row of the directory there, and so who may take it away."""

    FILE = "file"
    "The directory file: removed when the file no longer names it."
    COMMAND = "command"
    "A command (``callwright token create``): stays until a command removes it."
    API = "api"
    "Methods of the data API: stays as it is until one of them changes or removes it."
    LOGIN = "login"
    "The API's ``login.user``: goes when it expires."


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it is taken off and put on again here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Named by rule, so that later migrations can name what they change on either database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only under the very name INTEGER, which has 64 bits there.
Id = BigInteger().with_variant(Integer(), "sqlite")


# Who may use the API.

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # Where calls may go; what stands here is `callwright.directory.destinations.Destination`.
    Column("directions", JSON, nullable=False, server_default=json.dumps(USUAL)),
    # Of the IANA data base, such as Europe/Moscow.
    Column("timezone", String(64), nullable=False, server_default="UTC"),
)

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    Column("networks", JSON, nullable=False),
    Column("disabled_components", JSON, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("origin", String(16), nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("hint", String(4), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("blocked", Boolean, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # A token's number is shown in lists and used to block it: it must never mean another one.
    sqlite_autoincrement=True,
)


# What an account owns.

trunks = Table(
    "trunks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False, unique=True),
    Column("position", Integer, nullable=False),
    Column("host", Text, nullable=False),
    # 0: what SRV records of the host say.
    Column("port", Integer, nullable=False),
    Column("user", Text),
    # In the clear: digest authentication (RFC 3261 section 22) needs the password itself.
    Column("password", Text),
    Column("caller_id_header", String(8), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("register", Boolean, nullable=False, server_default=false()),
    Column("expires", Integer, nullable=False, server_default="300"),
    Column("options_ping", Float),
    Column("transport", String(3), nullable=False, server_default="udp"),
    Column("tls_verify", Boolean, nullable=False, server_default=true()),
    Column("tls_ca", Text),
    Column("srtp", Boolean, nullable=False, server_default=false()),
)

# What the service last knew of each trunk, for other processes; no part of the directory.
trunk_states = Table(
    "trunk_states",
    metadata,
    Column("trunk", Text, primary_key=True),
    Column("registration", String(16), nullable=False),
    Column("registered_until", UtcDateTime),
    Column("reachable", Boolean),
    Column("round_trip", Float),
    Column("detail", Text, nullable=False),
    Column("known_at", UtcDateTime, nullable=False),
)

virtual_numbers = Table(
    "virtual_numbers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("number", String(32), nullable=False, unique=True),
    Column("trunk", ForeignKey("trunks.name"), index=True),
    # No foreign key: SQLite would have to make the table anew for it.
    Column("scenario", Id),
    # Who said which scenario that is; the number itself is always the file's.
    Column("scenario_origin", String(16), nullable=False, server_default="file"),
    Column("name", Text),
    Column("comment", Text),
)

employees = Table(
    "employees",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("full_name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # No foreign key: whom it names may be put later, or removed earlier, in one transaction.
    Column("coach", Id),
    Column("call_recording", String(8), nullable=False, server_default="off"),
    # What the full name was made of; it is not, where these say something else.
    Column("last_name", Text),
    Column("first_name", Text),
    Column("patronymic", Text),
    Column("email", Text),
    Column("origin", String(16), nullable=False, server_default="file"),
)

employee_phones = Table(
    "employee_phones",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column(
        "employee_id", ForeignKey("employees.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("number", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("contact", Text),
    Column("priority", Integer, nullable=False),
    Column("dial_time", Float, nullable=False),
    Column("active", Boolean, nullable=False),
    # In the clear, as that of a trunk.
    Column("password", Text),
    Column("srtp", Boolean, nullable=False, server_default=false()),
    Column("origin", String(16), nullable=False, server_default="file"),
    UniqueConstraint("account_id", "number"),
)
# A phone registers by its number alone, whosever it is.
Index(
    "uq_employee_phones_registered_number",
    employee_phones.c.number,
    unique=True,
    sqlite_where=employee_phones.c.password.is_not(None),
    postgresql_where=employee_phones.c.password.is_not(None),
)

employee_groups = Table(
    "employee_groups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("employees", JSON, nullable=False),
    Column("origin", String(16), nullable=False, server_default="file"),
    UniqueConstraint("account_id", "name"),
)

scenarios = Table(
    "scenarios",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    # Lists of operations by label, as `callwright.directory.scenario.BRANCHES` writes them.
    Column("branches", JSON, nullable=False),
    Column("origin", String(16), nullable=False, server_default="file"),
)

media_files = Table(
    "media_files",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id")),
    Column("name", Text, nullable=False),
    Column("duration", Float, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    UniqueConstraint("account_id", "name"),
)
# NULL differs from NULL in a unique constraint, and system files have no account.
Index(
    "uq_media_files_system_name",
    media_files.c.name,
    unique=True,
    sqlite_where=media_files.c.account_id.is_(None),
    postgresql_where=media_files.c.account_id.is_(None),
)

blacklist = Table(
    "blacklist",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("number", String(32), nullable=False),
    Column("comment", Text, nullable=False),
    Column("origin", String(16), nullable=False, server_default="file"),
    # Login of the user who put it there, and when; unknown of what the file says.
    Column("added_by", Text),
    Column("added_at", UtcDateTime),
    UniqueConstraint("account_id", "number"),
)

tags = Table(
    "tags",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("origin", String(16), nullable=False, server_default="file"),
    UniqueConstraint("account_id", "name"),
)

talk_options = Table(
    "talk_options",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("button", String(4), nullable=False),
    Column("position", Integer, nullable=False),
    Column("mnemonic", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Text),
    UniqueConstraint("account_id", "button"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("method", String(4), nullable=False),
    Column("event_types", JSON, nullable=False),
    Column("template", Text),
    Column("active", Boolean, nullable=False),
    # In the clear: an HMAC needs the secret itself.
    Column("secret", Text, nullable=False),
    Column("previous_secret", Text),
    Column("previous_until", UtcDateTime),
    Column("origin", String(16), nullable=False),
    UniqueConstraint("account_id", "name"),
    # A webhook's number is in the ids of its deliveries: it must never mean another one.
    sqlite_autoincrement=True,
)

directory_revision = Table(
    "directory_revision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)


# What has happened.

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
    # What has brought it about: `callwright.calls.source`.
    Column("source", String(32), nullable=False, server_default="callapi"),
    Column("is_lost", Boolean, nullable=False, server_default=false()),
    Column("is_transfer", Boolean, nullable=False, server_default=false()),
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
    postgresql_where=call_sessions.c.finished_at.is_(None),
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
    # How its audio came over: `callwright.engines.port.Quality`. Loss is the share that is missing.
    Column("loss", Float),
    Column("far_loss", Float),
    Column("jitter", Float),
    Column("round_trip", Float),
    Column("mos", Float),
    Index(
        "ix_call_legs_report",
        "account_id",
        "started_at",
        "finish_reason",
        "role",
        "employee_id",
        "talk_duration",
    ),
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
    sqlite_with_rowid=False,
)

call_events = Table(
    "call_events",
    metadata,
    Column("session_id", ForeignKey("call_sessions.id"), primary_key=True, autoincrement=False),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("data", JSON, nullable=False),
    # Its place among all events that were ever written; see `callwright.storage.event_log`.
    Column("position", Id),
    # Read by its key or in order of writing only: the key is the table.
    sqlite_with_rowid=False,
)
Index(
    "ix_call_events_position",
    call_events.c.position,
    unique=True,
    sqlite_where=call_events.c.position.is_not(None),
    postgresql_where=call_events.c.position.is_not(None),
)

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
    postgresql_where=api_requests.c.session_id.is_not(None),
)

id_blocks = Table(
    "id_blocks",
    metadata,
    Column("block", Id, primary_key=True),
    Column("reserved_at", UtcDateTime, nullable=False),
    # A block is never given twice, not even after its row has gone.
    sqlite_autoincrement=True,
)
