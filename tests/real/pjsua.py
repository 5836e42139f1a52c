"""Driving a phone that is PJSIP's, which shares nothing with us, nor with baresip."""

import asyncio
import json
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from demo.phones.phone import Events, Fact
from tests.peers import program_of_peer
from tests.waiting import WITHIN

PROGRAM = Path(__file__).with_name("pjsua_program.py")


class Pjsua:
    """``events``: what the program tells, by name, with ``call`` among its details."""

    def __init__(self, process: asyncio.subprocess.Process, registrar: str) -> None:
        self.events = Events()
        self.registrar = registrar
        self._process = process

    def do(self, line: str) -> None:
        """Say what it is to do; see the program."""
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")

    async def told(self, event: str, call: int) -> None:
        """Wait until it has told something of one of its calls."""
        number = 1
        while True:
            fact = await self.events.wait(event, within=WITHIN, number=number)
            if fact.details["call"] == call:
                return
            number += 1

    async def read(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            facts = json.loads(line)
            self.events.tell(Fact(facts.pop("event"), time.monotonic(), time.time(), facts))
        self.events.close("the phone has ended")


@asynccontextmanager
async def pjsua(*, number: str, password: str, registrar: str) -> AsyncIterator[Pjsua]:
    """Start one, which registers and takes every call."""
    program = program_of_peer("pjsua2")
    assert program
    process = await asyncio.create_subprocess_exec(
        program, str(PROGRAM), number, password, registrar,
        stdin=PIPE, stdout=DEVNULL, stderr=PIPE, start_new_session=True,
    )  # fmt: skip
    phone = Pjsua(process, registrar)
    reading = asyncio.create_task(phone.read())
    try:
        registered = await phone.events.wait("registered", within=WITHIN)
        assert registered.details["status"] == 200
        yield phone
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
