"""G.711: how a phone call turns sound into bytes, A-law and µ-law, 8000 samples a second.

One byte is one sample, so lengths in bytes, samples and RTP timestamp units are the same number.
"""

import warnings
from enum import StrEnum

with warnings.catch_warnings():
    # Up to Python 3.12 this is the standard library's and says that it will go; from 3.13 on the
    # same module comes from audioop-lts. Whoever imports us need not hear about it.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop as audioop

RATE = 8000
FRAME = 160
"Samples in one packet of 20 ms."


class Law(StrEnum):
    """A companding law, by its name in SDP."""

    A = "PCMA"
    U = "PCMU"


def encode(law: Law, pcm: bytes) -> bytes:
    """Encode 16-bit samples in the machine's byte order, 8000 a second."""
    return audioop.lin2alaw(pcm, 2) if law is Law.A else audioop.lin2ulaw(pcm, 2)


def decode(law: Law, coded: bytes) -> bytes:
    """Return 16-bit samples in the machine's byte order."""
    return audioop.alaw2lin(coded, 2) if law is Law.A else audioop.ulaw2lin(coded, 2)


_EVERY_BYTE = bytes(range(256))

TRANSLATION: dict[tuple[Law, Law], bytes | None] = {
    (Law.A, Law.A): None,
    (Law.U, Law.U): None,
    (Law.A, Law.U): encode(Law.U, decode(Law.A, _EVERY_BYTE)),
    (Law.U, Law.A): encode(Law.A, decode(Law.U, _EVERY_BYTE)),
}
"Table for ``bytes.translate`` from one law to another; None where there is nothing to do."

SILENCE: dict[Law, bytes] = {Law.A: b"\xd5" * FRAME, Law.U: b"\xff" * FRAME}
"One frame of silence."
