"""Driver options: what libpq is told beside the URL, and how a URL is put into its words.

Without SQLAlchemy, so that a command need not load it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from psycopg.conninfo import make_conninfo

OWN = ("pool_size", "prepare_threshold")
"What a URL may say to us, and not to the driver."

DEFAULTS: Mapping[str, str | int] = {
    "application_name": "callwright",
    "connect_timeout": 3,
    # A machine that is gone is noticed in 11 seconds; by default, in two hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"What the driver is told, unless the URL says otherwise; see libpq, *Parameter Key Words*."


def conninfo(url: str) -> str:
    """A URL in libpq's words, with what it leaves unsaid. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgresql+psycopg"):
        raise ValueError("PostgreSQL is spoken to by psycopg: postgresql://…")
    asked = parse_qs(parts.query)
    said: dict[str, Any] = {
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "host": parts.hostname,
        "port": parts.port,
        "dbname": unquote(parts.path[1:]) or None,
        **{name: values[-1] for name, values in asked.items() if name not in OWN},
    }
    hosts = asked.get("host", [])
    if len(hosts) > 1 or any(":" in host for host in hosts):
        # Each may bear its port, as SQLAlchemy has it written.
        said["host"] = ",".join(host.partition(":")[0] for host in hosts)
        said["port"] = ",".join(host.partition(":")[2] for host in hosts)
    return make_conninfo(
        **{**DEFAULTS, **{name: value for name, value in said.items() if value is not None}}
    )
