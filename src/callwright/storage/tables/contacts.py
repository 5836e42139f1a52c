"""Contacts: people outside whom an account knows, their groups and organisations."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from callwright.storage.tables.columns import Id, metadata

contact_organizations = Table(
    "contact_organizations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("origin", String(16), nullable=False, server_default="file"),
    UniqueConstraint("account_id", "name"),
)

contact_groups = Table(
    "contact_groups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("origin", String(16), nullable=False, server_default="file"),
    UniqueConstraint("account_id", "name"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("last_name", Text, nullable=False),
    Column("first_name", Text),
    Column("patronymic", Text),
    Column("full_name", Text, nullable=False),
    Column("emails", JSON, nullable=False),
    # No foreign keys: whom it names may be put later, or removed earlier, in one transaction.
    Column("personal_manager", Id, index=True),
    Column("organization", Id, index=True),
    Column("origin", String(16), nullable=False, server_default="file"),
)

contact_numbers = Table(
    "contact_numbers",
    metadata,
    Column(
        "contact_id",
        ForeignKey("contacts.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("number", String(32), nullable=False),
    # The contact's: every call asks whose a number is.
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Index(None, "account_id", "number", "contact_id"),
    sqlite_with_rowid=False,
)

contact_memberships = Table(
    "contact_memberships",
    metadata,
    Column(
        "contact_id",
        ForeignKey("contacts.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("group_id", Id, primary_key=True, autoincrement=False),
    Index(None, "group_id"),
    sqlite_with_rowid=False,
)
