"""What the health is told of the disk."""

import threading
from pathlib import Path

import anyio
import pytest

from callwright.storage import disk as disk_module
from callwright.storage.disk import ANSWERS_WITHIN, Disk

pytestmark = pytest.mark.anyio


async def test_a_disk_without_room_is_full_until_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, told = Disk(tmp_path), []
    with anyio.CancelScope() as scope:

        def is_full(folder: Path) -> bool:
            told.append(disk.fault)
            if len(told) == 3:
                anyio.from_thread.run_sync(scope.cancel)
            return len(told) == 1

        # In this thread's clock: the look is in another one.
        monkeypatch.setattr(disk, "_clock", lambda: 0.0)
        monkeypatch.setattr(disk_module, "_is_full", is_full)
        await disk.watch(every=0.0)
    assert told == [None, "the disk is full", None]


async def test_a_disk_that_does_not_answer_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, asked, answer = [100.0], anyio.Event(), threading.Event()

    def is_full(folder: Path) -> bool:
        anyio.from_thread.run_sync(asked.set)
        answer.wait()
        return False

    monkeypatch.setattr(disk_module, "_is_full", is_full)
    disk = Disk(tmp_path, lambda: now[0])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(disk.watch)
        await asked.wait()
        told = [disk.fault]
        now[0] += ANSWERS_WITHIN + 1
        told.append(disk.fault)
        tasks.cancel_scope.cancel()
    answer.set()
    assert told == [None, "the disk does not answer"]


def test_this_disk_has_room(tmp_path: Path) -> None:
    assert not disk_module._is_full(tmp_path)
