"""Tables: what the database keeps, and under which names.

Portable between SQLite and PostgreSQL. Ids are 64 bit and stay below 2**53, so that every JSON
client reads them exactly. A change here needs a migration in ``storage/migrations/versions``; a
test compares the two. Which rows a partial index has is said here for SQLite alone, and for both in
the migrations, which make it: to name PostgreSQL is to load its dialect, at every start. Tables are
taken from this package, which knows them all: whoever has the metadata has it whole.
"""

from callwright.directory.origin import Origin
from callwright.storage.tables.access import accounts, tokens, users
from callwright.storage.tables.columns import UtcDateTime, compatible_code, metadata
from callwright.storage.tables.contacts import (
    contact_groups,
    contact_memberships,
    contact_numbers,
    contact_organizations,
    contacts,
)
from callwright.storage.tables.deliveries import webhook_log, webhook_outbox
from callwright.storage.tables.directory import (
    blacklist,
    directory_revision,
    employee_groups,
    employee_phones,
    employees,
    media_files,
    scenarios,
    schedules,
    tags,
    talk_options,
    trunk_states,
    trunks,
    virtual_numbers,
    webhooks,
)
from callwright.storage.tables.history import (
    call_events,
    call_legs,
    call_recordings,
    call_sessions,
    call_tags,
    id_blocks,
)
from callwright.storage.tables.requests import api_requests, idempotency_keys
from callwright.storage.tables.statuses import employee_status_changes, employee_statuses

__all__ = [
    "Origin",
    "UtcDateTime",
    "accounts",
    "api_requests",
    "blacklist",
    "call_events",
    "call_legs",
    "call_recordings",
    "call_sessions",
    "call_tags",
    "compatible_code",
    "contact_groups",
    "contact_memberships",
    "contact_numbers",
    "contact_organizations",
    "contacts",
    "directory_revision",
    "employee_groups",
    "employee_phones",
    "employee_status_changes",
    "employee_statuses",
    "employees",
    "id_blocks",
    "idempotency_keys",
    "media_files",
    "metadata",
    "scenarios",
    "schedules",
    "tags",
    "talk_options",
    "tokens",
    "trunk_states",
    "trunks",
    "users",
    "virtual_numbers",
    "webhook_log",
    "webhook_outbox",
    "webhooks",
]
