"""Callwright as the demo runs it: a process of its own, reached by HTTP alone."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import STDOUT

import anyio
import httpx
from anyio.abc import Process
from pydantic import BaseModel

from callwright.drawing.call import Call

HERE = Path(__file__).parent
CALLWRIGHT = Path(sys.executable).with_name("callwright")

UP_WITHIN = 60.0
"Seconds the service may take to answer."
DOWN_WITHIN = 8.0
"Seconds the service may take to stop before it is killed."


class DemoFault(Exception):
    """The demo cannot go on. The text is for the person who started it."""


def filled_in(file: Path, values: Mapping[str, object]) -> str:
    """A file of the demo with its ``{names}`` replaced; other braces are left alone."""
    return re.sub(
        r"\{(\w+)\}",
        lambda found: str(values.get(found[1], found[0])),
        file.read_text("utf-8"),
    )


async def run_callwright(folder: Path, *words: str) -> None:
    """Run ``callwright`` to its end, in ``folder``. Raises `DemoFault` with what it said."""
    done = await anyio.run_process(
        [str(CALLWRIGHT), *words], cwd=folder, stderr=STDOUT, check=False
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()
        raise DemoFault(f"callwright {' '.join(words)} failed:\n{said}")


class Started(BaseModel):
    call_session_id: int


@dataclass(frozen=True, slots=True)
class Api:
    """The service's API, as any client uses it."""

    client: httpx.AsyncClient
    log: Path

    async def start(self, request: bytes) -> tuple[int, float]:
        """Send the request as it is; give the session's id and the seconds the answer took."""
        began = time.monotonic()
        answer = Started.model_validate(await self._post(request))
        return answer.call_session_id, time.monotonic() - began

    async def call(self, session: int, token: str) -> Call:
        """What ``get.call`` tells of a session now."""
        told = await self.ask("get.call", access_token=token, call_session_id=session)
        return Call.model_validate(told)

    async def ask(self, method: str, **params: object) -> object:
        """Send any other request; give the data of its answer."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return await self._post(json.dumps(request).encode())

    async def _post(self, body: bytes) -> object:
        try:
            response = await self.client.post(
                "/v4.0", content=body, headers={"Content-Type": "application/json"}
            )
            answer = response.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as fault:
            raise DemoFault(f"callwright does not answer ({fault}). See {self.log}") from fault
        if error := answer.get("error"):
            raise DemoFault(f"callwright refused: {error['data']['mnemonic']}: {error['message']}")
        return answer["result"]["data"]


@asynccontextmanager
async def service(folder: Path, port: int) -> AsyncIterator[Api]:
    """Run ``callwright serve`` on the settings in ``folder`` while the block runs.

    Raises `DemoFault` if it does not come up; it is gone when the block has been left.
    """
    log = folder / "callwright.log"
    command = [str(CALLWRIGHT), "serve", "--config", str(folder / "callwright.toml")]
    with log.open("wb") as output:
        process = await anyio.open_process(
            command,
            cwd=folder,
            stdout=output,
            stderr=STDOUT,
            # Ctrl-C is for the demo, which then stops its processes in their order.
            start_new_session=True,
        )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=UP_WITHIN
        ) as client:
            await _comes_up(client, process, log)
            yield Api(client, log)
    finally:
        with anyio.CancelScope(shield=True):
            await _stop(process)


async def _comes_up(client: httpx.AsyncClient, process: Process, log: Path) -> None:
    with anyio.move_on_after(UP_WITHIN):
        while process.returncode is None:
            try:
                await client.get("/health")
            except httpx.TransportError:
                await anyio.sleep(0.05)
            else:
                return
    reason = "ended at once" if process.returncode is not None else f"not up in {UP_WITHIN:.0f} s"
    text = await anyio.Path(log).read_text("utf-8", "replace")
    tail = "\n".join(text.splitlines()[-15:])
    raise DemoFault(f"callwright serve: {reason}. Its log, {log}, ends:\n{tail}")


async def _stop(process: Process) -> None:
    """Ask the process to stop; kill it if it does not."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(process.pid, signal.SIGTERM)
        with anyio.move_on_after(DOWN_WITHIN):
            await process.wait()
        if process.returncode is None:
            process.kill()
    await process.wait()
