"""Users on the terminal: made, removed, and given passwords."""

import sys
from typing import Annotated

import typer

from callwright.cli.terminal import (
    CommandFault,
    Config,
    at_database,
    checked_entry,
    open_settings,
    out,
    show,
)

SHORTEST_PASSWORD = 10
"Characters."

user_app = typer.Typer(help="Users of the API.")


@user_app.command(name="add")
def add_user(
    login: Annotated[str, typer.Argument(help="Name of the user.")],
    network: Annotated[
        list[str] | None,
        typer.Option(help="Network (CIDR) its requests may come from. (default: this machine)"),
    ] = None,
    config: Config = None,
) -> None:
    """Add a user. Give it a token, or a password for login.user, with a further command."""
    from callwright.directory.entries import LOOPBACK, UserEntry
    from callwright.provisioning import access

    entry = checked_entry(lambda: UserEntry(login=login, networks=network or LOOPBACK))
    networks = entry.networks
    at_database(open_settings(config), lambda ask: access.add_user(ask, login, networks))
    out.print(f"User {login} may come from {', '.join(networks)}.")


@user_app.command(name="password")
def set_password(
    login: Annotated[str, typer.Argument(help="Name of the user.")],
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the password from the first line of stdin.")
    ] = False,
    config: Config = None,
) -> None:
    """Set a user's password for login.user."""
    import argon2

    from callwright.provisioning import access

    password = (
        sys.stdin.readline().rstrip("\n")
        if stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    if len(password) < SHORTEST_PASSWORD:
        raise CommandFault(f"a password has at least {SHORTEST_PASSWORD} characters")
    hashed = argon2.PasswordHasher().hash(password)
    at_database(
        open_settings(config),
        lambda ask: access.set_password(ask, login, hashed),
    )
    out.print(f"The password of {login} is set.")


@user_app.command(name="list")
def list_users(config: Config = None) -> None:
    """List all users, where they may come from, and by what."""
    from callwright.provisioning import access

    show(
        ("Login", "Made by", "Networks", "Password", "Tokens", "State"),
        [
            (
                user.login,
                user.origin.value,
                ", ".join(user.networks),
                "yes" if user.has_password else "no",
                str(user.tokens),
                "active" if user.active else "off",
            )
            for user in at_database(open_settings(config), access.list_users)
        ],
    )


@user_app.command(name="remove")
def remove_user(
    login: Annotated[str, typer.Argument(help="Name of the user.")],
    config: Config = None,
) -> None:
    """Remove a user; its tokens stop working at once, those of login.user too."""
    from callwright.provisioning import access

    tokens = at_database(open_settings(config), lambda ask: access.remove_user(ask, login))
    out.print(f"User {login} is removed, with its {tokens} permanent tokens.")
