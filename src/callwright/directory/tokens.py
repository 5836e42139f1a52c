"""Secrets we make: access tokens, with the hash stored in their place, and phones' passwords."""

import hashlib
import secrets

_READABLE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"Letters and digits that are not taken for one another: people type them into phones."


def new_token() -> str:
    """Return a fresh token, 64 hexadecimal digits, to be shown once."""
    return secrets.token_hex(32)


def hash_of_token(token: str) -> str:
    """Return the SHA-256 of ``token`` in hexadecimal, under which it is stored and looked up.

    A plain hash is enough: a token carries 256 random bits, so there is nothing to guess. Takes any
    string, as it comes from the network.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def hint_of_token(token: str) -> str:
    """Return the last four characters, which tell tokens apart in a list."""
    return token[-4:]


def new_password() -> str:
    """Return a fresh password for a phone: 20 letters and digits, 116 random bits."""
    return "".join(secrets.choice(_READABLE) for _ in range(20))
