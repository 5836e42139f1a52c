"""The sandbox: the command that starts one, and shows the numbers it knows."""

import json
import os
import shlex
import signal
import stat
from collections.abc import Awaitable, Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callwright.cli.terminal import CommandFault, faults_of_database, out, show

if TYPE_CHECKING:
    from callwright.sandbox.service import SandboxService


class ClockMode(Enum):
    REAL = "real"
    STEPPED = "stepped"


def sandbox(
    host: Annotated[str, typer.Option(help="Address it listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8080,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that is kept. (default: a temporary one)", show_default=False),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(help="Token of the account. (default: the one known to all)"),
    ] = None,
    webhook: Annotated[
        list[str] | None,
        typer.Option(help="URL that every event is sent to; may be given again."),
    ] = None,
    clock: Annotated[
        ClockMode, typer.Option(help="stepped: time stands until sandbox.advance moves it.")
    ] = ClockMode.REAL,
    speed: Annotated[
        float, typer.Option(min=0.01, max=10_000, help="Seconds of the sandbox in a real one.")
    ] = 1.0,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="Show the magic numbers and exit.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Tell URL and token as one line of JSON.")
    ] = False,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", hidden=True, help="End with the standard input.")
    ] = False,
) -> None:
    """Start a sandbox: the whole API, with simulated phones and without any set-up."""
    if numbers:
        show_numbers()
        return
    if clock is ClockMode.STEPPED and speed != 1.0:
        raise CommandFault("--speed is for a clock that runs, not for --clock stepped")
    if token is not None and not 1 <= len(token) <= 255:
        raise CommandFault("--token: a token has 1 to 255 characters")
    if until_eof and not stat.S_ISFIFO(os.fstat(0).st_mode):
        raise CommandFault("--until-eof needs a pipe as its standard input")
    from callwright.config import StartFault
    from callwright.sandbox import service
    from callwright.sandbox.template_data import TOKEN

    options = service.Options(
        host=host,
        port=port,
        data=data,
        token=token or TOKEN,
        webhooks=webhook or (),
        speed=None if clock is ClockMode.STEPPED else speed,
    )
    told = _tell_program if as_json else _tell
    try:
        with faults_of_database():
            service.run(options, lambda up: _until_told(up, told, until_eof=until_eof))
    except StartFault as fault:
        raise CommandFault(str(fault)) from fault


def show_numbers() -> None:
    """Show the table of magic numbers."""
    from callwright.sandbox.numbers import FAMILIES, PREFIX

    out.print(f"{PREFIX}FFPPP: FF says what the phone does, PPP is n. FFPPP alone is a SIP phone.")
    out.print("Every other number answers after 2 s, and stays.\n")
    show(
        ("FF", "the phone", "for example", ""),
        [(one.code, one.does, one.number, one.shows) for one in FAMILIES],
    )


async def _until_told(
    up: "SandboxService", tell: Callable[["SandboxService"], None], *, until_eof: bool
) -> None:
    import anyio

    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        tell(up)
        async with anyio.create_task_group() as tasks:

            async def end(until: Callable[[], Awaitable[object]]) -> None:
                await until()
                tasks.cancel_scope.cancel()

            tasks.start_soon(end, signals.__anext__)
            if until_eof:
                tasks.start_soon(end, _stdin_ended)


async def _stdin_ended() -> None:
    """Wait until whoever has started us is gone, and with them our standard input."""
    import anyio

    os.set_blocking(0, False)
    while True:
        await anyio.wait_readable(0)
        if not os.read(0, 1024):
            return


def _tell_program(up: "SandboxService") -> None:
    typer.echo(json.dumps({"url": up.url, "token": up.token, "clock": up.clock}))


def _tell(up: "SandboxService") -> None:
    from callwright.sandbox.numbers import PREFIX
    from callwright.sandbox.template_data import WEBHOOK_SECRET

    params: dict[str, object] = {
        "first_call": "employee",
        "employee": {"id": 1},
        "contact": f"{PREFIX}10005",
        "virtual_phone_number": "74990000001",
    }
    out.print(f"API    {up.url}/v4.0", soft_wrap=True)
    out.print(f"Token  {up.token}", soft_wrap=True)
    out.print(f"Clock  {up.clock}", soft_wrap=True)
    for url in up.webhooks:
        out.print(f"Sent   to {url}, signed by {WEBHOOK_SECRET}", soft_wrap=True)
    out.print("\nWhat happens, as it happens:\n")
    bearer = shlex.quote(f"Authorization: Bearer {up.token}")
    out.print(f"curl -N -H {bearer} {up.url}/events", soft_wrap=True, markup=False)
    out.print("\nA call:\n")
    out.print(_curl(up, "start.employee_call", params), soft_wrap=True, markup=False)
    if up.clock == "stepped":
        out.print("\nTime stands; this lets a minute go by:\n")
        out.print(_curl(up, "sandbox.advance", {"seconds": 60}), soft_wrap=True, markup=False)
    out.print()
    show_numbers()


def _curl(up: "SandboxService", method: str, params: dict[str, object]) -> str:
    asked = {"access_token": up.token, **params}
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": asked}
    return f"curl {up.url}/v4.0 -d {shlex.quote(json.dumps(request))}"
