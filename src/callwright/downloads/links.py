"""Signed URLs: where a recording or media file is fetched, by whoever has the link, for a while.

A link needs no token, so that a browser or a receiver of notices can follow it. It says until when
it holds, and an HMAC (RFC 2104) over what it leads to and that time, which only we can make.
"""

import hashlib
import hmac
import math
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

KEY_FILE = "link-key"
"Its name in the data folder."
KEY_SIZE = 32
"Bytes."
ROUNDED = 3600
"Links end at full hours, so that one asked for twice is the same one, and may be cached."

RECORDINGS = "/recordings"
MEDIA = "/media"


class LinkForged(Exception):
    """Nobody was given this link by us."""


class LinkExpired(Exception):
    """It was a good link, and its time is over."""


class Links:
    """Makes links and checks them.

    ``base``: where clients reach the service, ``https://calls.example.com``, without a slash at its
    end. ``lasts``: seconds a link holds at least. ``clock``: seconds since 1970 (UTC).
    """

    def __init__(
        self, base: str, key: bytes, *, lasts: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._base = base
        self._key = key
        self._lasts = lasts
        self._clock = clock

    def recording(self, recording: int) -> str:
        """The link to a recording, of a talk or of a voicemail, by its id.

        Whoever follows it may add ``&format=mp3`` or ``&format=opus``.
        """
        return self._to(f"{RECORDINGS}/{recording}")

    def media_file(self, file: int) -> str:
        """The link to a media file, by its id."""
        return self._to(f"{MEDIA}/{file}")

    def check(self, path: str, expires: str, signature: str) -> None:
        """Take a link apart. Raises `LinkForged`, and `LinkExpired` only for one of ours."""
        good = re.fullmatch(r"[0-9]{1,12}", expires) and hmac.compare_digest(
            self._signature(path, expires).encode(), signature.encode("utf-8", "replace")
        )
        if not good:
            raise LinkForged
        if int(expires) <= self._clock():
            raise LinkExpired

    def _to(self, path: str) -> str:
        expires = str(math.ceil((self._clock() + self._lasts) / ROUNDED) * ROUNDED)
        return f"{self._base}{path}?expires={expires}&signature={self._signature(path, expires)}"

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._key, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()


def link_key(folder: Path) -> bytes:
    """Return the key of a data folder, which is made the first time. Blocks.

    Raises `OSError`, and ValueError for a file that holds something else.
    """
    file = folder / KEY_FILE
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        key = os.urandom(KEY_SIZE)
        # Under another name first: half a key must never be taken for one.
        part = folder / f"{KEY_FILE}.part"
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as made:
            made.write(key)
            made.flush()
            os.fsync(made.fileno())
        os.replace(part, file)
    if len(key) != KEY_SIZE:
        raise ValueError(f"{file} is no key of {KEY_SIZE} bytes: remove it, and links begin anew")
    return key
