"""Webhooks: URLs of the account's that are told what happens in its calls, and their secrets."""

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NewType
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from callwright.directory.model import AccountId

WebhookId = NewType("WebhookId", int)

SECRET_PREFIX = "whsec_"

GRACE = timedelta(hours=24)
"For how long the secret before goes on signing beside a new one."
TEMPLATE_AT_MOST = 16 * 1024
"Characters of a template."


class Verb(StrEnum):
    """The HTTP method: POST has what is told in its body, GET in its query."""

    POST = "POST"
    GET = "GET"


@dataclass(frozen=True, slots=True)
class Webhook:
    id: WebhookId
    account: "AccountId"
    name: str
    url: str
    verb: Verb
    event_types: frozenset[str]
    "Empty: all."
    active: bool
    template: str | None
    "None: the event as JSON, as it is in docs/events.md."
    secret: str = field(repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    "Until then the secret before signs, too."
    timezone: str = "UTC"
    "The account's, of the IANA data base."

    def secrets(self, now: datetime) -> list[str]:
        """Those that sign: the present one, and the one before while it holds."""
        previous = self.previous_secret
        if previous is None or self.previous_until is None or now >= self.previous_until:
            return [self.secret]
        return [self.secret, previous]


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """A webhook as it is to be; its event types and its template have been checked."""

    name: str
    url: str
    verb: Verb
    event_types: Sequence[str]
    active: bool
    template: str | None


def checked_url(text: str) -> str:
    """Take a URL that can be told something. Raises ValueError."""
    if not re.fullmatch(r"https?://[!-~]{1,2000}", text) or re.search(r"[\\<>\"{}|^`]", text):
        raise ValueError("an address like https://crm.example.com/hook is needed")
    parts = urlsplit(text)
    if not parts.hostname or parts.port == 0:
        raise ValueError("an address like https://crm.example.com/hook is needed")
    if parts.username is not None or parts.fragment:
        raise ValueError("an address has neither user and password nor a #")
    return text


def new_secret() -> str:
    """Make a secret: 32 random bytes, in base64, after ``whsec_``."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of_secret(secret: str) -> bytes:
    """Return the bytes of a secret. Raises ValueError if they are not 24 to 64."""
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if encoded == secret or not 24 <= len(key) <= 64:
        raise ValueError(f"a secret is {SECRET_PREFIX} and 24 to 64 bytes in base64")
    return key
