"""Accounts, their users and tokens: who may use the API."""

import json

from sqlalchemy import JSON, Boolean, Column, ForeignKey, String, Table, Text

from callwright.directory.directions import USUAL
from callwright.storage.tables.columns import Id, UtcDateTime, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # Where calls may go; what stands here is `callwright.directory.destinations.Destination`.
    Column("directions", JSON, nullable=False, server_default=json.dumps(USUAL)),
    Column("allowed_numbers", JSON, nullable=False, server_default="[]"),
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
