"""The directory: what an account owns, and what is known of it."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from callwright.storage.tables.columns import Id, UtcDateTime, metadata

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
    Column("from_user", Text),
    Column("from_domain", Text),
    Column("symmetric_rtp", Boolean, nullable=False, server_default=true()),
    Column("country", String(2)),
    Column("national_prefix", String(4)),
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
    Column("ping_refusal", Text, nullable=False, server_default=""),
    Column("call_refusal", Text, nullable=False, server_default=""),
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
    # Whether the account uses it, and who said so; where it is locked, nobody does.
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("active_origin", String(16), nullable=False, server_default="file"),
    Column("locked", Boolean, nullable=False, server_default=false()),
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
    # The file's alone: no request opens it.
    Column("calls_out", Boolean, nullable=False, server_default=false()),
    # What the full name was made of; it is not, where these say something else.
    Column("last_name", Text),
    Column("first_name", Text),
    Column("patronymic", Text),
    Column("email", Text),
    # A mnemonic of `employee_statuses`.
    Column("status", String(32), nullable=False, server_default="available"),
    # No foreign key, as for the coach.
    Column("schedule", Id),
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
    Column("channels", Integer, nullable=False, server_default="1"),
    Column("origin", String(16), nullable=False, server_default="file"),
    # Who has given it its number: what the file says may be called, a request may not say.
    Column("number_origin", String(16), nullable=False, server_default="file"),
    # The account's number that calls from it bear.
    Column("virtual_number", String(32)),
    UniqueConstraint("account_id", "number"),
)
# A phone registers by its number alone, whosever it is.
Index(
    "uq_employee_phones_registered_number",
    employee_phones.c.number,
    unique=True,
    sqlite_where=employee_phones.c.password.is_not(None),
)

employee_groups = Table(
    "employee_groups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("employees", JSON, nullable=False),
    # Its short number.
    Column("number", String(8)),
    Column("queue", Boolean, nullable=False, server_default=false()),
    # Calls it may be in at once.
    Column("channels", Integer, nullable=False, server_default="199"),
    # Numbers of its members' phones, and whether they are rung: as far as a request has said it.
    Column("phone_order", JSON, nullable=False, server_default="[]"),
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

schedules = Table(
    "schedules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    # As `callwright.directory.schedule.PERIODS` writes them.
    Column("periods", JSON, nullable=False),
    Column("origin", String(16), nullable=False, server_default="file"),
    UniqueConstraint("account_id", "name"),
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
