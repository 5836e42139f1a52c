"""The command line: what an administrator types.

Everything a command works with is imported inside of it: what one types takes no longer than it has
to, be it for what another command needs.
"""

import os
import sys
from typing import Annotated

import typer
from rich.text import Text

from callwright import __version__
from callwright.cli import media, sandbox, scenarios, service, tokens, trunks, users, webhooks
from callwright.cli.terminal import CommandFault, errors, out

app = typer.Typer(
    name="callwright",
    help="A self-hosted Call API: one request rings two phones, speaks to each and joins them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command, name in (
    (service.init, "init"),
    (service.apply_file, "apply"),
    (service.migrate_database, "migrate"),
    (service.serve, "serve"),
    (sandbox.sandbox, "sandbox"),
):
    app.command(name=name)(command)
for commands, name in (
    (media.media_app, "media"),
    (tokens.token_app, "token"),
    (users.user_app, "user"),
    (trunks.trunk_app, "trunk"),
    (scenarios.scenario_app, "scenario"),
    (webhooks.webhook_app, "webhook"),
):
    app.add_typer(commands, name=name, no_args_is_help=True)


@app.callback(invoke_without_command=True)
def callwright(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        out.print(f"callwright {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; faults become one line on stderr and exit code 1."""
    # What commands write (database, audio, files with passwords) is its owner's alone.
    os.umask(0o077)
    try:
        app()
    except (CommandFault, OSError) as fault:
        _fail(str(fault))


def _fail(message: str) -> None:
    errors.print(Text.assemble(("callwright: ", "red"), message), soft_wrap=True)
    sys.exit(1)
