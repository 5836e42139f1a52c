"""Far ends of nobody who is measured: two processes of SIPp, the same for every engine."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import anyio

from demo.ports import free_port
from demo.service import DemoFault

HOST = "127.0.0.1"
_SCENARIO = Path(__file__).with_name("answer.xml")


@dataclass(frozen=True, slots=True)
class FarEnds:
    """Where employees and contacts are called: ports of SIP at `HOST`."""

    employees: int
    contacts: int


@asynccontextmanager
async def far_ends() -> AsyncIterator[FarEnds]:
    """Answer calls while the block runs. Raises `DemoFault` where there is no SIPp."""
    async with _sipp() as employees, _sipp() as contacts:
        await anyio.sleep(0.5)
        yield FarEnds(employees, contacts)


@asynccontextmanager
async def _sipp() -> AsyncIterator[int]:
    sipp, port = shutil.which("sipp"), free_port()
    if sipp is None:
        raise DemoFault("SIPp is needed: scripts/setup_peers.sh")
    command = [sipp, "-sf", str(_SCENARIO), "-i", HOST, "-p", str(port), "-nostdin"]
    process = await anyio.open_process(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield port
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.wait()
