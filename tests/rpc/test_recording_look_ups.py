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
from callwright.rpc.file_turns import WAITING_AT_MOST
from callwright.rpc.files import Files

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
        self.answered: list[tuple[str, int]] = []
        "By whom, in the order of the answers."

    async def ask(self, path: str, host: str = "203.0.113.9") -> None:
        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
                self.answered.append((host, message["status"]))

        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [],
            "client": (host, 40000),
        }
        await self._app(scope, receive, send)

    async def crowd(
        self, tasks: TaskGroup, path: str, count: int, host: str = "203.0.113.{}"
    ) -> None:
        """Ask from so many addresses, or from one; wait until all wait."""
        for number in range(count):
            tasks.start_soon(self.ask, path, host.format(number))
        await anyio.wait_all_tasks_blocked()


async def test_strangers_have_a_bounded_share_of_the_database(tmp_path: Path) -> None:
    shelf = SlowShelf()
    strangers = Strangers(shelf, tmp_path)
    async with anyio.create_task_group() as tasks:
        await strangers.crowd(tasks, f"/1/{RECORD}", 1 + WAITING_AT_MOST + 20)
        assert shelf.asked == 1
        assert strangers.statuses == [503] * 20
        shelf.answers.set()
    assert strangers.statuses.count(404) == 1 + WAITING_AT_MOST


@pytest.mark.parametrize("crowd", ["198.51.100.66", "2001:db8:66:{:x}::1"])
async def test_a_crowd_of_one_site_neither_keeps_others_out_nor_goes_before_them(
    tmp_path: Path, crowd: str
) -> None:
    """An address, and the 65,536 networks that one customer of IPv6 has."""
    shelf = SlowShelf()
    strangers = Strangers(shelf, tmp_path)
    async with anyio.create_task_group() as tasks:
        await strangers.crowd(tasks, f"/1/{RECORD}", 1 + WAITING_AT_MOST + 20, crowd)
        await strangers.crowd(tasks, f"/1/{RECORD}", 3)
        assert strangers.statuses == [503] * 23, "three of the crowd have given way"
        shelf.answers.set()
    served = [host for host, status in strangers.answered if status == 404]
    # The first is served already, the next of the crowd is first in turn; then one of each site.
    assert {served.index(f"203.0.113.{number}") for number in range(3)} == {2, 3, 4}


async def test_whoever_goes_away_while_it_waits_leaves_its_turn_to_others(tmp_path: Path) -> None:
    shelf = SlowShelf()
    strangers = Strangers(shelf, tmp_path)
    async with anyio.create_task_group() as tasks:
        await strangers.crowd(tasks, f"/1/{RECORD}", 1)
        async with anyio.create_task_group() as leaving:
            await strangers.crowd(leaving, f"/1/{RECORD}", 2, "198.51.100.66")
            leaving.cancel_scope.cancel()
        await strangers.crowd(tasks, f"/1/{RECORD}", 1, "192.0.2.1")
        shelf.answers.set()
    assert strangers.answered[-1] == ("192.0.2.1", 404)
    assert shelf.asked == 2


async def test_what_can_be_no_id_is_not_looked_up(tmp_path: Path) -> None:
    shelf = SlowShelf()
    strangers = Strangers(shelf, tmp_path)
    for path in ("/1/nonsense", f"/{1 << 53}/{RECORD}", f"/1/{RECORD.upper()}"):
        await strangers.ask(path)
    assert (shelf.asked, strangers.statuses) == (0, [404] * 3)
