"""Webhook signatures: how a receiver knows that a request is ours (Standard Webhooks 1.0).

The signature is an HMAC-SHA256 over ``id.timestamp.content``, in base64, after ``v1,``; several of
them stand beside each other, with a space between, while a secret is being replaced.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from callwright.directory.webhook import key_of_secret


def signed(
    delivery_id: str, now: datetime, content: bytes, secrets: Sequence[str]
) -> list[tuple[bytes, bytes]]:
    """Return the headers that vouch for ``content``: the body, or the query of a GET."""
    timestamp = str(int(now.timestamp()))
    message = f"{delivery_id}.{timestamp}.".encode() + content
    signatures = (
        b"v1," + base64.b64encode(hmac.digest(key_of_secret(secret), message, hashlib.sha256))
        for secret in secrets
    )
    return [
        (b"webhook-id", delivery_id.encode()),
        (b"webhook-timestamp", timestamp.encode()),
        (b"webhook-signature", b" ".join(signatures)),
    ]
