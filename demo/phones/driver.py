"""Driving the softphone: `softphone.py` as a process, its facts as events."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from demo.phones import phone
from demo.phones.phone import Behaviour, Events, Fact, Key, PhoneFault, Recording

PROGRAM = Path(__file__).with_name("softphone.py")
STARTS_WITHIN = 60.0
ENDS_WITHIN = 5.0


class Softphone:
    """See `demo.phones.phone.Phone`."""

    program = "softphone"

    def __init__(
        self, folder: Path, behaviour: Behaviour, *, number: str = "phone", port: int = 0
    ) -> None:
        """``folder``: recordings go there."""
        self.events = Events()
        self.uri = ""
        self._folder = folder
        self._options = [*_options(behaviour), f"--number={number}", f"--port={port}"]
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def keys(self) -> Sequence[Key]:
        return phone.keys(self.events)

    @property
    def heard(self) -> Recording | None:
        return phone.heard(self.events)

    async def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(PROGRAM), "--driven", f"--record={self._folder}"]
        self._process = await asyncio.create_subprocess_exec(
            *command, *self._options, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        self._reading = asyncio.create_task(self._read(self._process))
        try:
            listening = await self.events.wait("listening", within=STARTS_WITHIN)
        except (TimeoutError, PhoneFault):
            await self.stop()
            raise
        self.uri = str(listening.details["uri"])

    async def call(self, uri: str) -> None:
        await self._command(f"call {uri}")

    async def press(self, key: str) -> None:
        await self._command(f"key {key}")

    async def hang_up(self) -> None:
        await self._command("hang_up")

    async def stop(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), ENDS_WITHIN)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        with suppress(ConnectionError):
            await self._process.stdin.wait_closed()
        if self._reading:
            await self._reading

    async def _command(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n".encode())
            await self._process.stdin.drain()
        except ConnectionError as fault:
            raise PhoneFault("the softphone has ended") from fault

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            details = json.loads(line)
            name, at, wall = (details.pop(key) for key in ("fact", "at", "wall"))
            self.events.tell(Fact(name, at, wall, details))
        self.events.close(f"the softphone has ended with status {await process.wait()}")


def _options(behaviour: Behaviour) -> list[str]:
    if behaviour.srtp or behaviour.codec not in (None, "PCMA", "PCMU"):
        raise PhoneFault(f"the softphone cannot do this: {behaviour}")
    given: dict[str, object] = {
        "--answers-after": behaviour.answers_after,
        "--rings-after": behaviour.rings_after,
        "--rejects": behaviour.rejects,
        "--early-tone": behaviour.early_tone,
        "--wav" if isinstance(behaviour.says, Path) else "--tone": behaviour.says,
        "--codec": behaviour.codec,
        "--hangs-up-after": behaviour.hangs_up_after,
    }
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    if behaviour.sounds_keys:
        options.append("--no-keys")
    return options + [f"--key={after}:{key}" for after, key in behaviour.keys]
