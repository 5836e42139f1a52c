"""The demo: one real call between two phones on this machine, shown as it goes on."""

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import anyio
from rich.console import Console

from callwright.calls.plan import MessageUnavailable
from callwright.drawing.call import PHONES, Call, Who
from demo import phones
from demo.phones import Behaviour, PhoneFault
from demo.ports import free_port
from demo.report import Report, write
from demo.screen import Screen
from demo.service import HERE, Api, DemoFault, filled_in, run_callwright, service
from demo.sound import Heard
from demo.sounds import make_sounds, make_voice
from demo.verdict import Phone, checks

OUT = HERE / "out"
REPORT = HERE / "report.html"
REQUEST = HERE / "request.json"

KEYS = (("1", 1.0), ("2", 2.0), ("3", 3.0))
"What ``.1.2.3`` in the request asks for, in seconds after the contact's answer."

LOOK_EVERY = 0.2
"Seconds between looks at the call."
CALL_WITHIN = 60.0
"Seconds after which a call that has not ended has gone wrong."
PHONES_SETTLE_WITHIN = 5.0
"Seconds a phone may take to put its recording away when the call is over."


@dataclass(frozen=True, slots=True)
class Part:
    """What a phone is in the demo."""

    number: str
    tone: int
    "Hz of the notes it says."
    answers_after: float
    "Seconds."
    hangs_up_after: float | None = None
    "Seconds from its answer."


PARTS = {
    Who.EMPLOYEE: Part("79260000001", tone=440, answers_after=1.5),
    Who.CONTACT: Part("79260000000", tone=660, answers_after=2.5, hangs_up_after=11.0),
}


def main() -> int:
    """Make the call; 0 if it went as it must, 1 if not, 130 if it was stopped."""
    console = Console(highlight=False)
    try:
        with alone():
            return anyio.run(demo, console)
    except (DemoFault, PhoneFault, MessageUnavailable, OSError) as fault:
        console.print(
            f"The demo could not be made: {fault}", style="bold red", markup=False, soft_wrap=True
        )
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return 130


@contextmanager
def alone() -> Iterator[None]:
    """One demo at a time, for they share a folder. Raises `DemoFault`."""
    folder = os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DemoFault("another demo is running in this checkout") from None
    else:
        yield
    finally:
        os.close(folder)


async def demo(console: Console) -> int:
    # Asked to stop in whatever way, it does the same: blocks are left, processes are ended.
    for request in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(request, signal.getsignal(signal.SIGINT))

    with Screen(console) as screen:
        screen.say("Making sounds and phones ...", style="dim")
        await anyio.to_thread.run_sync(_empty, OUT)
        await make_sounds(OUT / "media")
        async with ringing_phones() as pair:
            port = free_port()
            await anyio.to_thread.run_sync(_write_files, pair, port)
            await run_callwright(OUT, "init", "--config", "callwright.toml")
            await run_callwright(OUT, "apply", "directory.toml", "--config", "callwright.toml")
            programs = ", ".join(f"{who}: {pair[who].program}" for who in PHONES)
            screen.say(f"Two phones ({programs}), one service, one request.", style="dim")
            async with service(OUT, port) as api:
                call, accepted_in = await _follow(api, screen)
            seen = {who: await _what_was_heard(who, pair[who], call) for who in PHONES}

    verdict = checks(call, seen, KEYS)
    report = Report(call, seen, verdict, await anyio.Path(REQUEST).read_text("utf-8"), accepted_in)
    write(report, REPORT)
    _tell(console, report)
    return 0 if report.passed else 1


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


@asynccontextmanager
async def ringing_phones() -> AsyncIterator[Mapping[Who, phones.Phone]]:
    """Two phones that can be called while the block runs. Raises `PhoneFault`."""
    pair: dict[Who, phones.Phone] = {}
    try:
        for who, part in PARTS.items():
            folder = OUT / f"{who}-phone"
            says = OUT / "media" / f"{who}-says.wav"
            await anyio.to_thread.run_sync(make_voice, says, part.tone)
            behaviour = Behaviour(
                answers_after=part.answers_after,
                hangs_up_after=part.hangs_up_after,
                says=says,
            )
            pair[who] = phones.make_phone(folder, behaviour, number=part.number)
            await pair[who].start()
        yield pair
    finally:
        with anyio.CancelScope(shield=True):
            for phone in pair.values():
                await phone.stop()


def _write_files(pair: Mapping[Who, phones.Phone], port: int) -> None:
    """Write the settings and the directory with the addresses of this run."""
    values = {
        "http_port": port,
        "employee_contact": pair[Who.EMPLOYEE].uri,
        "contact_port": pair[Who.CONTACT].uri.rpartition(":")[2],
    }
    for name in ("callwright.toml", "directory.toml"):
        (OUT / name).write_text(filled_in(HERE / name, values), "utf-8")


async def _follow(api: Api, screen: Screen) -> tuple[Call, float]:
    """Send the request and show the call to its end; also give the seconds the answer took."""
    request = await anyio.Path(REQUEST).read_bytes()
    token = json.loads(request)["params"]["access_token"]
    session, accepted_in = await api.start(request)
    screen.say(f"Accepted in {accepted_in * 1000:.0f} ms as {session}.", style="dim")
    began = time.monotonic()
    with anyio.move_on_after(CALL_WITHIN):
        while True:
            call = await api.call(session, token)
            screen.show(call, time.monotonic() - began)
            if call.verdict:
                return call, accepted_in
            await anyio.sleep(LOOK_EVERY)
    raise DemoFault(f"the call has not ended within {CALL_WITHIN:.0f} s")


async def _what_was_heard(who: Who, phone: phones.Phone, call: Call) -> Phone:
    """What a phone says of the call, once it has put its recording away."""
    heard = None
    if call.first("leg_answered", who):
        try:
            await phone.events.wait("recorded", within=PHONES_SETTLE_WITHIN)
        except TimeoutError as fault:
            raise DemoFault(f"the {who}'s phone has no recording: {fault}") from None
        recording = phone.heard
        assert recording
        # The timeline's times are UTC without saying so, as the API gives them.
        began = call.timeline[0].time.replace(tzinfo=UTC).timestamp()
        heard = Heard.read(recording.path, start=recording.wall - began)
    invites = phone.events.all("invite")
    return Phone(
        number=PARTS[who].number,
        program=phone.program,
        says=f"notes of {PARTS[who].tone} Hz",
        tone=PARTS[who].tone,
        heard=heard,
        keys=[key.key for key in phone.keys],
        shown=str(invites[0].details["caller"]) if invites else "",
    )


def _tell(console: Console, report: Report) -> None:
    """The verdict, and where the report is."""
    console.print()
    for check in report.checks:
        mark, style = ("yes", "green") if check.passed else ("NO ", "bold red")
        console.print(f"[{style}]{mark}[/]  {check.sentence}", soft_wrap=True)
        if not check.passed:
            console.print(f"     It was: {check.seen}", style="red", markup=False, soft_wrap=True)
    verdict = "The call went as it must." if report.passed else "The call did not go as it must."
    if not report.passed:
        _tell_load(console)
    console.print(f"\n{verdict} What each phone heard:", style="bold")
    console.print(str(REPORT), markup=False, soft_wrap=True)


def _tell_load(console: Console) -> None:
    """Other work on the machine delays packets, and that is not the call's fault."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores:
        console.print(
            f"     This machine had other work ({load:.1f} programs wanted its {cores} cores); "
            "try again when it has less.",
            style="yellow",
            soft_wrap=True,
        )
