"""Points over restarts: what the next start knows of them, however this one ends."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from callwright.directory.model import AccountId
from callwright.rpc.limits import DAY, MINUTE, Budget, TakenPoints
from callwright.rpc.points_file import PointsFile, keep_points, restore_points
from tests.rpc.world import NOW, Clock

pytestmark = pytest.mark.anyio

ONE, OTHER, THIRD = AccountId(1), AccountId(4_294_967_301), AccountId(3)
TODAY, THIS_MINUTE = int(NOW) // DAY, int(NOW) // MINUTE


def budget(clock: Clock, file: PointsFile | None = None) -> Budget:
    points = Budget(per_minute=250, per_day=10_000, clock=clock)
    if file:
        restore_points(points, file)
    return points


def take(points: Budget, *accounts: AccountId) -> None:
    for account in accounts:
        with points.point(account):
            pass


def left(points: Budget, account: AccountId) -> tuple[int, int]:
    limits = points.limits(account)
    return 250 - limits["minute_remaining"], 10_000 - limits["day_remaining"]


async def stopped(points: Budget, file: PointsFile) -> None:
    """Keep the points as a service does that is stopped at once."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        await keep_points(points, file)


async def test_a_restart_gives_nothing_back(tmp_path: Path) -> None:
    path, clock = tmp_path / "points", Clock()
    first = budget(clock, PointsFile(path))
    take(first, ONE, OTHER, OTHER)
    await stopped(first, PointsFile(path))
    # Accounts come in another order after it, and must not take each other's line.
    file = PointsFile(path)
    second = budget(clock, file)
    take(second, THIRD, OTHER)
    await stopped(second, file)
    clock.now += MINUTE
    third = budget(clock, PointsFile(path))
    assert [left(third, account) for account in (ONE, OTHER, THIRD)] == [(0, 1), (0, 3), (0, 1)]


async def test_a_new_day_begins_with_all_points(tmp_path: Path) -> None:
    path, clock = tmp_path / "points", Clock()
    file = PointsFile(path)
    points = budget(clock, file)
    take(points, ONE, OTHER)
    await stopped(points, file)
    clock.now += DAY
    assert left(budget(clock, PointsFile(path)), ONE) == (0, 0)
    take(points, OTHER)
    await stopped(points, file)
    [only] = PointsFile(path).read()
    assert only == TakenPoints(OTHER, TODAY + 1, THIS_MINUTE + DAY // MINUTE, 1, 1)


class Looked(Budget):
    """A budget that does something before each look at what has changed."""

    def __init__(self, look: Callable[[], None]) -> None:
        super().__init__(per_minute=250, per_day=10_000, clock=Clock())
        self._look = look

    def changed(self) -> list[TakenPoints]:
        self._look()
        return super().changed()


async def test_a_process_that_is_killed_has_told_all_but_the_last_moment(tmp_path: Path) -> None:
    path = tmp_path / "points"
    known: list[dict[AccountId, int]] = []
    with anyio.CancelScope() as scope:

        def look() -> None:
            # What another process sees, which knows the file and nothing else.
            known.append({one.account: one.in_day for one in PointsFile(path).read()})
            if len(known) == 3:
                scope.cancel()
            take(points, ONE, *([OTHER] if len(known) == 2 else []))

        points = Looked(look)
        await keep_points(points, PointsFile(path), every=0.0)
    assert known[:3] == [{}, {ONE: 1}, {ONE: 2, OTHER: 1}]


@pytest.mark.parametrize("text", [b"", b"\n", b"points\n", b"\xff\0", b"1 2 3\n", b"1 2 3 4 5 6\n"])
async def test_what_is_no_record_of_points_takes_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "points"
    path.write_bytes(text)
    file = PointsFile(path)
    points = budget(Clock(), file)
    assert left(points, ONE) == (0, 0)
    take(points, ONE)
    await stopped(points, file)
    assert len(PointsFile(path).read()) == 1


async def test_what_cannot_be_written_is_told_and_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "points"
    path.mkdir()
    with anyio.CancelScope() as scope:

        def look() -> None:
            if path.exists() and "points are not recorded: Is a directory" in caplog.text:
                path.rmdir()
                scope.cancel()

        points = Looked(look)
        take(points, ONE)
        await keep_points(points, PointsFile(path), every=0.0)
    assert [one.account for one in PointsFile(path).read()] == [ONE]


async def test_a_disk_that_stays_full_is_told_once_and_its_end_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, looks = tmp_path / "points", 0
    path.mkdir()
    with anyio.CancelScope() as scope:

        def look() -> None:
            nonlocal looks
            looks += 1
            if looks == 4:
                path.rmdir()
            elif looks == 7:
                scope.cancel()
            take(points, ONE)

        points = Looked(look)
        await keep_points(points, PointsFile(path), every=0.0)
    assert [record.getMessage() for record in caplog.records] == [
        "points are not recorded: Is a directory",
        "points are recorded again",
    ]
