"""Heartbeat: a proof of life in the data folder, for the start after a crash.

Calls write nothing while two people talk, so what is on record does not tell how long they did. The
file holds the last moment the service is known to have lived; a write costs no commit and no wait
for the disk, for it is to outlive the process, not the machine.
"""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread

log = logging.getLogger(__name__)

EVERY = 1.0
"Seconds between beats, and so what a crash may cost a call of its duration."


async def beat(file: Path, now: Callable[[], datetime], every: float = EVERY) -> None:
    """Write the time (UTC) into the file, now and every so many seconds, until cancelled."""
    while True:
        try:
            await anyio.to_thread.run_sync(_write, file, now())
        except OSError as fault:
            log.warning("%s: the time cannot be written: %s", file, fault.strerror)
        await anyio.sleep(every)


def last_beat(file: Path) -> datetime | None:
    """When the service lived last; None if that is not known. Blocks."""
    try:
        return datetime.fromtimestamp(float(file.read_text("ascii")), UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _write(file: Path, now: datetime) -> None:
    # In place and in one piece, always of the same length: never half of it is there.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, f"{now.timestamp():017.6f}\n".encode(), 0)
    finally:
        os.close(descriptor)
