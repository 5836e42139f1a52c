"""The stand of the benchmarks: the service and two sets of phones, each a process of its own."""

import hashlib
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory

import anyio
import psutil
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import BaseModel

from callwright.speech.music import write_dialing_music
from demo.ports import free_port
from demo.service import Api, run_callwright, service

TOKEN = "b" * 64
VIRTUAL_NUMBER = "74993720692"
MUSIC = 2701
"Id of the waiting music."
EMPLOYEE_MARKER, CONTACT_MARKER = 17, 34
REPORT_WITHIN = 30.0
RELAYED_HERE = 'kernel_relay = "off"'
"In the section of the media."


class PhoneReport(BaseModel):
    """One call as its phone saw it; see `bench.phones.Call`. Times are seconds since 1970."""

    number: str
    invited: float
    answered: float
    first_packet: float
    joined: float
    ended: float
    received: int
    missing: int
    relayed: int
    relayed_missing: int
    latencies: list[tuple[float, float]]
    played: list[list[float]]
    keys: list[tuple[float, int]]

    def relayed_within(self, began: float = 0.0, ended: float = inf) -> list[float]:
        """How long the packets took that were sent between two moments, in seconds."""
        return [took for sent, took in self.latencies if began <= sent < ended]


@dataclass(slots=True)
class Phones:
    """A process of phones."""

    port: int
    process: Process

    async def hang_up(self) -> Mapping[str, PhoneReport]:
        """Close the process's input and take its reports, by number."""
        assert self.process.stdin
        assert self.process.stdout
        await self.process.stdin.aclose()
        lines = b""
        with anyio.fail_after(REPORT_WITHIN):
            async for chunk in self.process.stdout:
                lines += chunk
        reports = [PhoneReport.model_validate_json(line) for line in lines.splitlines()]
        return {report.number: report for report in reports}


@dataclass(frozen=True, slots=True)
class Stand:
    api: Api
    employees: Phones
    contacts: Phones
    engine: psutil.Process
    "The service's process."
    log: Path

    def cpu(self) -> float:
        """Seconds of CPU the service has used so far, with its processes."""
        spent = [each.cpu_times() for each in self._processes()]
        return sum(times.user + times.system for times in spent)

    def memory(self) -> int:
        """Bytes that are the service's own (USS), with its processes."""
        return sum(each.memory_full_info().uss for each in self._processes())

    def _processes(self) -> list[psutil.Process]:
        return [self.engine, *self.engine.children(recursive=True)]

    async def hang_up(self) -> tuple[Mapping[str, PhoneReport], Mapping[str, PhoneReport]]:
        """Take the reports of employees and contacts."""
        return await self.employees.hang_up(), await self.contacts.hang_up()

    async def start_call(self, number: int, **params: object) -> int:
        """Start call ``number``: employee ``number`` and a contact of the same number."""
        request = {
            "jsonrpc": "2.0",
            "id": number,
            "method": "start.employee_call",
            "params": {
                "access_token": TOKEN,
                "first_call": "employee",
                "virtual_phone_number": VIRTUAL_NUMBER,
                "contact": contact_number(number),
                "employee": {"id": number},
            }
            | params,
        }
        session, _ = await self.api.start(json.dumps(request).encode())
        return session


def employee_number(number: int) -> str:
    return f"7926{number:07d}"


def contact_number(number: int) -> str:
    return f"7495{number:07d}"


@asynccontextmanager
async def stand(
    calls: int,
    *,
    answer_after: float = 0.2,
    hang_up_after: float = 0.0,
    settings: Sequence[str] = (),
) -> AsyncIterator[Stand]:
    """Run the service and phones for ``calls`` calls while the block runs.

    ``hang_up_after``: seconds after which a contact hangs up; 0: never.
    """
    with TemporaryDirectory(prefix="callwright-bench-") as name:
        folder = Path(name)
        port = free_port()
        async with (
            _phones(EMPLOYEE_MARKER, answer_after) as employees,
            _phones(CONTACT_MARKER, answer_after, hang_up_after) as contacts,
        ):
            write_dialing_music(folder / "music.wav")
            (folder / "callwright.toml").write_text(_settings(port, settings))
            (folder / "directory.toml").write_text(_directory(calls, employees, contacts))
            config = ("--config", "callwright.toml")
            await run_callwright(folder, "init", *config)
            await run_callwright(folder, "apply", "directory.toml", *config)
            async with service(folder, port) as api:
                yield Stand(api, employees, contacts, listener(port), folder / "callwright.log")


def listener(port: int) -> psutil.Process:
    """The process that listens on a TCP port of this machine."""
    for child in psutil.Process().children(recursive=True):
        for connection in child.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                return child
    raise RuntimeError(f"nothing of ours listens on {port}")


def _settings(port: int, more: Sequence[str]) -> str:
    # The kernel's work would be on the phones' account; bench/kernel_relay.py measures both.
    relayed_here = [] if "[media]" in more else ["[media]", RELAYED_HERE]
    return "\n".join(
        [
            'data = "data"',
            'log_level = "warning"',
            "[http]",
            f"port = {port}",
            "[api]",
            "points_per_minute = 1000000",
            "points_per_day = 1000000",
            "[sip]",
            "port = 0",
            "[calls]",
            "parallel_at_most = 1000",
            "drain_within = 0",
            *more,
            *relayed_here,
        ]
    )


def _directory(calls: int, employees: Phones, contacts: Phones) -> str:
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
        'host = "127.0.0.1"',
        f"port = {contacts.port}",
        "[[virtual_numbers]]",
        f'number = "{VIRTUAL_NUMBER}"',
        "[[media_files]]",
        f"id = {MUSIC}",
        'name = "music"',
        'file = "music.wav"',
    ]
    for number in range(1, calls + 1):
        lines += [
            "[[employees]]",
            f"id = {number}",
            f'full_name = "Employee {number}"',
            "[[employees.phones]]",
            f'number = "{employee_number(number)}"',
            'kind = "sip"',
            "channels = 100",  # the next call to a phone may come before the last is over
            f'contact = "sip:{employee_number(number)}@127.0.0.1:{employees.port}"',
        ]
    return "\n".join(lines)


@asynccontextmanager
async def _phones(
    marker: int, answer_after: float, hang_up_after: float = 0.0
) -> AsyncIterator[Phones]:
    command = [sys.executable, str(Path(__file__).with_name("phones.py"))]
    command += ["--marker", str(marker), "--answer-after", str(answer_after)]
    command += ["--hang-up-after", str(hang_up_after)]
    process = await anyio.open_process(command, stdin=PIPE, stdout=PIPE, stderr=None)
    try:
        assert process.stdout
        with anyio.fail_after(10):
            first = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 100)
        yield Phones(int(re.sub(rb"\D", b"", first)), process)
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.wait()
