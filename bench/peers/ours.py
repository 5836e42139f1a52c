"""Callwright as its users run it: requests by HTTP, a listener to its events, and a webhook."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time

import psutil
from websockets.asyncio.client import ClientConnection, connect

from bench.peers.contender import spent
from bench.peers.far_ends import HOST, FarEnds
from bench.stand import TOKEN, VIRTUAL_NUMBER, contact_number, employee_number, listener
from demo.ports import free_port
from demo.service import Api, run_callwright, service

EMPLOYEES = 400
ENDED_WITHIN = 20.0
_TOLD = "talk.started,session.finished,leg.answered"


class Callwright:
    def __init__(self, name: str, api: Api, process: psutil.Process) -> None:
        self.name = name
        self._api = api
        self._process = process
        self._told: defaultdict[tuple[str, int], asyncio.Event] = defaultdict(asyncio.Event)
        self.delays: list[float] = []
        "Seconds from each fact to its event."

    async def call(self, number: int) -> None:
        params = {
            "access_token": TOKEN,
            "first_call": "employee",
            "virtual_phone_number": VIRTUAL_NUMBER,
            "contact": contact_number(number),
            "employee": {"id": number % EMPLOYEES + 1},
        }
        request = {"jsonrpc": "2.0", "id": 1, "method": "start.employee_call", "params": params}
        session, _ = await self._api.start(json.dumps(request).encode())
        async with asyncio.timeout(ENDED_WITHIN):
            await self._told["talk.started", session].wait()
            await self._api.ask("release.call", access_token=TOKEN, call_session_id=session)
            await self._told["session.finished", session].wait()

    def cpu(self) -> float:
        return spent([self._process])

    async def listen(self, events: ClientConnection) -> None:
        async for message in events:
            told = json.loads(message)
            if "call_session_id" in told:
                self.delays.append(time() - datetime.fromisoformat(told["time"]).timestamp())
                self._told[told["type"], told["call_session_id"]].set()


@asynccontextmanager
async def callwright(name: str, phones: FarEnds, *, webhook: bool) -> AsyncIterator[Callwright]:
    """Run one with a listener to its events while the block runs; ``webhook``: and a webhook."""
    with TemporaryDirectory(prefix="callwright-bench-") as place:
        folder, port = Path(place), free_port()
        async with await asyncio.start_server(_take_webhook, HOST, 0) as receiver:
            hook = receiver.sockets[0].getsockname()[1]
            (folder / "callwright.toml").write_text(_SETTINGS.format(port=port))
            (folder / "directory.toml").write_text(_directory(phones, hook if webhook else None))
            config = ("--config", "callwright.toml")
            await run_callwright(folder, "init", *config)
            await run_callwright(folder, "apply", "directory.toml", *config)
            async with (
                service(folder, port) as api,
                connect(
                    f"ws://{HOST}:{port}/events?types={_TOLD}",
                    additional_headers={"Authorization": f"Bearer {TOKEN}"},
                ) as events,
            ):
                ours = Callwright(name, api, listener(port))
                listening = asyncio.create_task(ours.listen(events))
                try:
                    yield ours
                finally:
                    listening.cancel()


async def _take_webhook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take whatever is sent: 204, as often as the sender likes."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lengths = [line for line in head.lower().split(b"\r\n") if b"content-length:" in line]
            await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


_SETTINGS = """
data = "data"
log_level = "warning"
[http]
port = {port}
[api]
points_per_minute = 1000000
points_per_day = 1000000
[sip]
port = 0
[calls]
parallel_at_most = 1000
drain_within = 0
[webhooks]
allow_private = true
"""


def _directory(phones: FarEnds, hook: int | None) -> str:
    lines = [
        "[account]",
        'name = "bench"',
        "[[users]]",
        'login = "bench"',
        "[[tokens]]",
        'user = "bench"',
        f'sha256 = "{hashlib.sha256(TOKEN.encode()).hexdigest()}"',
        "[[trunks]]",
        'name = "bench"',
        f'host = "{HOST}"',
        f"port = {phones.contacts}",
        "[[virtual_numbers]]",
        f'number = "{VIRTUAL_NUMBER}"',
    ]
    if hook is not None:
        lines += [
            "[[webhooks]]",
            'name = "crm"',
            f'url = "http://{HOST}:{hook}/"',
            'event_types = ["talk.started", "session.finished"]',
        ]
    for number in range(1, EMPLOYEES + 1):
        lines += [
            "[[employees]]",
            f"id = {number}",
            f'full_name = "Employee {number}"',
            "[[employees.phones]]",
            f'number = "{employee_number(number)}"',
            'kind = "sip"',
            "channels = 100",
            f'contact = "sip:{employee_number(number)}@{HOST}:{phones.employees}"',
        ]
    return "\n".join(lines)
