"""A thin controller of Asterisk: events and commands of its ARI by WebSocket.

    python bench/peers/controller.py 8088

Reads the number of a call from each line of its input, sets that call up between two phones, ends
it, and prints the number; "refused" before it where that failed. Nothing is stored, and nobody is
told: what Callwright does beside that has no counterpart here.
"""

import asyncio
import itertools
import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect

APP = "bench"
WITHIN = 20.0

# What a controller has no use for.
_NOT_WANTED = ("ChannelVarset", "ChannelDialplan", "ChannelCallerId", "ChannelConnectedLine")


class Controller:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count()
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._awaited: dict[tuple[str, str], asyncio.Future[None]] = {}

    async def listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message)
            if told["type"] == "RESTResponse":
                self._answers.pop(told["request_id"]).set_result(told)
            elif (channel := told.get("channel")) is not None:
                awaited = self._awaited.pop((told["type"], channel["id"]), None)
                if awaited is not None and not awaited.done():
                    awaited.set_result(None)

    async def ask(self, method: str, path: str, body: object = None, **query: str) -> None:
        """Send a command (REST over WebSocket, Asterisk 22.5). Raises RuntimeError if refused."""
        number = str(next(self._numbers))
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        request = {
            "type": "RESTRequest",
            "request_id": number,
            "method": method,
            "uri": f"{path}?{urlencode(query)}" if query else path,
        }
        if body is not None:
            request |= {"content_type": "application/json", "message_body": json.dumps(body)}
        await self._socket.send(json.dumps(request))
        said = await answer
        if said["status_code"] >= 400:
            raise RuntimeError(f"{method} {path}: {said['status_code']}")

    async def call(self, number: int) -> None:
        """Ring one, then the other, join them, and hang both up."""
        employee, contact, bridge = f"E{number}", f"C{number}", f"B{number}"
        async with asyncio.timeout(WITHIN):
            await self._ring(employee, f"PJSIP/{number}@employees")
            await self._ring(contact, f"PJSIP/{number}@contacts")
            await self.ask("POST", f"bridges/{bridge}", type="mixing")
            joined = {"channel": f"{employee},{contact}", "inhibitConnectedLineUpdates": "true"}
            await self.ask("POST", f"bridges/{bridge}/addChannel", **joined)
            gone = [self._happens("ChannelDestroyed", leg) for leg in (employee, contact)]
            for leg in (employee, contact):
                await self.ask("DELETE", f"channels/{leg}")
            await asyncio.gather(*gone)
            await self.ask("DELETE", f"bridges/{bridge}")

    async def _ring(self, channel: str, endpoint: str) -> None:
        answered = self._happens("StasisStart", channel)
        asked = {"endpoint": endpoint, "app": APP, "callerId": "74993720692", "formats": "alaw"}
        await self.ask("POST", "channels", channelId=channel, timeout="20", **asked)
        await answered

    def _happens(self, event: str, channel: str) -> "asyncio.Future[None]":
        awaited = self._awaited[event, channel] = asyncio.get_running_loop().create_future()
        return awaited


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    uri = f"ws://127.0.0.1:{port}/ari/events?app={APP}&api_key=bench:bench"
    async with connect(uri, max_size=None) as socket:
        controller = Controller(socket)
        listening = asyncio.create_task(controller.listen())
        unwanted = {"disallowed": [{"type": kind} for kind in _NOT_WANTED]}
        await controller.ask("PUT", f"applications/{APP}/eventFilter", unwanted)
        print("ready", flush=True)
        calls: set[asyncio.Task[None]] = set()
        while line := await lines.readline():
            number = int(line)
            call = asyncio.create_task(controller.call(number))
            calls.add(call)
            call.add_done_callback(_telling(number, calls.discard))
        listening.cancel()


def _telling(
    number: int, forget: Callable[["asyncio.Task[None]"], None]
) -> Callable[["asyncio.Task[None]"], None]:
    def tell(call: "asyncio.Task[None]") -> None:
        forget(call)
        print(f"refused {number}" if call.exception() else number, flush=True)

    return tell


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
