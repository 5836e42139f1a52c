"""Points over restarts: a file in the data folder with what accounts have taken today.

No request waits for it. Once in a while the accounts whose points have changed are written, each in
a line of its own place and always of the same length: without a commit or a wait for the disk, for
it is to outlive the process, not the machine. A process that is killed loses what was taken since.
"""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread

from callwright.directory.model import AccountId
from callwright.rpc.limits import Budget, TakenPoints

log = logging.getLogger(__name__)

EVERY = 1.0
"Seconds between looks, and so what a process that is killed may lose."
WIDTHS = (16, 8, 10, 10, 10)
"Of account, day, minute, and the points in each."
LENGTH = sum(WIDTHS) + len(WIDTHS)


class PointsFile:
    """The file of one service. It begins anew with each day that something is taken in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._day = 0
        self._places: dict[AccountId, int] = {}
        "Which line is whose."

    def read(self) -> list[TakenPoints]:
        """What was taken on the last day that is on record; nothing if none is. Blocks."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return []
        known = [points for line in lines if (points := _points(line))]
        last = max((points.day for points in known), default=0)
        return [points for points in known if points.day == last]

    def write(self, changed: Sequence[TakenPoints]) -> None:
        """Write the lines of these accounts. Blocks. Raises OSError."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for points in sorted(changed, key=lambda points: points.day):
                if points.day != self._day:
                    # Nobody is held to what was taken on another day.
                    os.ftruncate(descriptor, 0)
                    self._day, self._places = points.day, {}
                place = self._places.setdefault(points.account, len(self._places))
                os.pwrite(descriptor, _line(points), place * LENGTH)
        finally:
            os.close(descriptor)


def restore_points(budget: Budget, file: PointsFile) -> None:
    """Give a budget what is on record, before the first request. Blocks."""
    before = file.read()
    budget.restore(before)
    # Each in a place of its own again.
    with suppress(OSError):
        file.write(before)


async def keep_points(budget: Budget, file: PointsFile, every: float = EVERY) -> None:
    """Record what is taken, every so many seconds until cancelled, and then once more."""
    waiting: dict[AccountId, TakenPoints] = {}
    noted: int | None = None
    "The error of the last attempt; it is told once, not with each."

    def record() -> None:
        nonlocal noted
        try:
            file.write([*waiting.values()])
        except OSError as fault:
            if noted != fault.errno:
                noted = fault.errno
                log.warning("points are not recorded: %s", fault.strerror)
            return
        waiting.clear()
        if noted is not None:
            noted = None
            log.warning("points are recorded again")

    try:
        while True:
            waiting |= {points.account: points for points in budget.changed()}
            if waiting:
                await anyio.to_thread.run_sync(record)
            await anyio.sleep(every)
    finally:
        waiting |= {points.account: points for points in budget.changed()}
        record()


def _line(points: TakenPoints) -> bytes:
    numbers = (points.account, points.day, points.minute, points.in_minute, points.in_day)
    return b" ".join(b"%0*d" % pair for pair in zip(WIDTHS, numbers, strict=True)) + b"\n"


def _points(line: bytes) -> TakenPoints | None:
    try:
        account, day, minute, in_minute, in_day = map(int, line.split())
    except ValueError:
        return None
    return TakenPoints(AccountId(account), day, minute, in_minute, in_day)
