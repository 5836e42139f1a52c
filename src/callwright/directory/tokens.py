"""Access tokens: how they are made, and the hash that is stored in their place."""

import hashlib
import secrets


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
