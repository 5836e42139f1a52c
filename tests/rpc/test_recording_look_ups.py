"""Recordings asked for by their ids: strangers may, and are to take the database from nobody."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest
from anyio.abc import TaskGroup
from starlette.applications import Starlette

from callwright.config import HttpSettings
from callwright.downloads.copies import Copies
from callwright.rpc.files import LOOK_UPS_AT_ONCE, LOOK_UPS_WAITING, Files

if TYPE_CHECKING:
    from callwright.downloads.links import Links
    from callwright.methods.data.media_files import MediaFiles
    from callwright.rpc.dispatch import Dispatcher

pytestmark = pytest.mark.anyio

RECORD = "0123456789abcdef" * 2


class SlowShelf:
    """A shelf whose database answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = anyio.Event()

    async def recording(self, recording: int) -> Path | None:
        raise NotImplementedError

    async def media_file(self, file: int) -> Path | None:
        raise NotImplementedError

    async def recording_of(self, session: int, record: str) -> Path | None:
        self.asked += 1
        await self.answers.wait()
        return None


class Strangers:
    def __init__(self, shelf: SlowShelf, folder: Path) -> None:
        copies = Copies(folder, bytes_at_most=0)
        files = Files(cast("Links", None), shelf, copies, cast("MediaFiles", None))
        self._app = Starlette(routes=files.routes(cast("Dispatcher", None), HttpSettings()))
        self.statuses: list[int] = []

    async def ask(self, path: str) -> None:
        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        await self._app(scope, receive, send)

    async def crowd(self, tasks: TaskGroup, path: str, count: int) -> None:
        for _ in range(count):
            tasks.start_soon(self.ask, path)
        await anyio.wait_all_tasks_blocked()


async def test_strangers_have_a_bounded_share_of_the_database(tmp_path: Path) -> None:
    shelf = SlowShelf()
    strangers = Strangers(shelf, tmp_path)
    async with anyio.create_task_group() as tasks:
        await strangers.crowd(tasks, f"/1/{RECORD}", LOOK_UPS_AT_ONCE + LOOK_UPS_WAITING + 20)
        assert shelf.asked == LOOK_UPS_AT_ONCE
        assert strangers.statuses == [503] * 20
        shelf.answers.set()
    assert strangers.statuses.count(404) == LOOK_UPS_AT_ONCE + LOOK_UPS_WAITING


async def test_what_can_be_no_id_is_not_looked_up(tmp_path: Path) -> None:
    shelf = SlowShelf()
    strangers = Strangers(shelf, tmp_path)
    for path in ("/1/nonsense", f"/{1 << 53}/{RECORD}", f"/1/{RECORD.upper()}"):
        await strangers.ask(path)
    assert (shelf.asked, strangers.statuses) == (0, [404] * 3)
