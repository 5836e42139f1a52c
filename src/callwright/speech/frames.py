"""Frames: what the speech service and its worker say to each other through a pipe.

A frame is its length (4 bytes, big-endian) and that many bytes. The service sends a `Job`; the
worker answers each with the WAV, or with the reason why there is none.
"""

import json
import struct
from dataclasses import asdict, dataclass
from typing import IO

from callwright.speech.synthesiser import CannotSpeak

LENGTH = struct.Struct(">I")
FRAME_AT_MOST = 32 << 20
"Bytes: more than the longest speech takes (10 min at 32 kB/s)."

WAV = b"w"
REASON = b"r"


class BadFrame(Exception):
    """The bytes are no frame of this protocol: whoever sent them is out of order."""


@dataclass(frozen=True, slots=True)
class Job:
    text: str
    "As `callwright.speech.text.speakable` gives it."
    voice: str
    within: float
    "Seconds after which nobody waits any more: the worker then ends itself."


def frame(payload: bytes) -> bytes:
    return LENGTH.pack(len(payload)) + payload


def length_of(head: bytes) -> int:
    """Read the first four bytes of a frame. Raises `BadFrame`."""
    (length,) = LENGTH.unpack(head)
    if not 1 <= length <= FRAME_AT_MOST:
        raise BadFrame(f"a frame of {length} bytes")
    return int(length)


def pack_job(job: Job) -> bytes:
    return frame(json.dumps(asdict(job)).encode())


def unpack_job(payload: bytes) -> Job:
    return Job(**json.loads(payload))


def pack_wav(wav: bytes) -> bytes:
    return frame(WAV + wav)


def pack_reason(reason: str) -> bytes:
    return frame(REASON + reason.encode("utf-8", "replace"))


def unpack_answer(payload: bytes) -> bytes:
    """Return the WAV. Raises `CannotSpeak` with the worker's reason, or `BadFrame`."""
    kind, content = payload[:1], payload[1:]
    if kind == REASON:
        raise CannotSpeak(content.decode("utf-8", "replace"))
    if kind != WAV:
        raise BadFrame(f"an answer of kind {kind!r}")
    return content


def read_frame(file: IO[bytes]) -> bytes | None:
    """Read one frame, blocking; None where the stream ends. Raises `BadFrame`."""
    head = file.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    length = length_of(head)
    payload = file.read(length)
    return payload if len(payload) == length else None
