"""Commands that change the directory by hand: tokens, users and media files."""

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import argon2
import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.cli.terminal import (
    CommandFault,
    Config,
    checked_entry,
    in_database,
    open_settings,
    out,
    show,
    show_token,
)
from callwright.directory.entries import LOOPBACK, MediaFileEntry, UserEntry
from callwright.directory.media import MediaFault, take_in
from callwright.engines.network import TrunkRegistration, TrunkState
from callwright.provisioning import administration
from callwright.storage.trunk_states import read_trunk_states

SHORTEST_PASSWORD = 10
"Characters."

media_app = typer.Typer(help="Media files made by hand, beside the directory file.")
token_app = typer.Typer(help="Access tokens.")
user_app = typer.Typer(help="Users of the API.")
trunk_app = typer.Typer(help="Ways to carriers and PBXs; the directory file says them.")


@media_app.command(name="add")
def add_media(
    file: Annotated[Path, typer.Argument(help="WAV, MP3, Ogg, FLAC, M4A and others.")],
    name: Annotated[str | None, typer.Option(help="(default: the file's name)")] = None,
    number: Annotated[
        int | None, typer.Option("--id", min=1, max=(1 << 53) - 1, help="(default: the next one)")
    ] = None,
    config: Config = None,
) -> None:
    """Normalise an audio file and make it playable under an id."""
    settings = open_settings(config)
    entry = checked_entry(
        lambda: MediaFileEntry(id=number or 1, name=name or file.stem, file=str(file))
    )

    async def work(database: AsyncEngine) -> int:
        return await administration.add_media(database, stored, name=entry.name, file=number)

    with out.status("Normalising …"):
        try:
            stored = take_in(
                file, settings.data / "media", at_most=settings.media.file_length_at_most
            )
        except MediaFault as fault:
            raise CommandFault(f"{file}: {fault}") from fault
    made = in_database(settings, work)
    out.print(f"Media file {made}: {entry.name}, {stored.duration:.1f} s", soft_wrap=True)


@media_app.command(name="list")
def list_media(config: Config = None) -> None:
    """List all media files."""
    show(
        ("Id", "Name", "Kind", "Seconds", "KiB"),
        [
            (
                str(file.id),
                file.name,
                "system" if file.system else "own",
                f"{file.duration:.1f}",
                f"{file.size / 1024:.0f}",
            )
            for file in in_database(open_settings(config), administration.list_media)
        ],
    )


@token_app.command(name="create")
def create_token(
    user: Annotated[
        str | None, typer.Option(help="Login of its user. (default: the only one)")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(help="When it stops working: 90d, 12h or 2030-12-31. (default: never)"),
    ] = None,
    config: Config = None,
) -> None:
    """Make a token and show it, once."""
    expires_at = _moment(expires, datetime.now(UTC)) if expires else None
    show_token(
        in_database(
            open_settings(config),
            lambda database: administration.create_token(database, user, expires_at),
        )
    )


@token_app.command(name="list")
def list_tokens(config: Config = None) -> None:
    """List permanent tokens, by their last characters."""
    now = datetime.now(UTC)
    show(
        ("Id", "User", "Ends with", "Made by", "Made", "Expires", "State"),
        [
            (
                str(token.id),
                token.login,
                f"…{token.hint}",
                token.origin.value,
                f"{token.created_at:%Y-%m-%d}",
                f"{token.expires_at:%Y-%m-%d %H:%M}Z" if token.expires_at else "never",
                "blocked"
                if token.blocked
                else "expired"
                if token.expires_at and token.expires_at <= now
                else "valid",
            )
            for token in in_database(open_settings(config), administration.list_tokens)
        ],
    )


@token_app.command(name="block")
def block_token(
    token: Annotated[int, typer.Argument(help="Id, as `callwright token list` shows it.")],
    config: Config = None,
) -> None:
    """Make a token unusable, at once and for good."""
    in_database(open_settings(config), lambda database: administration.block_token(database, token))
    out.print(f"Token {token} is blocked.")


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
    entry = checked_entry(lambda: UserEntry(login=login, networks=network or LOOPBACK))
    networks = entry.networks
    in_database(
        open_settings(config), lambda database: administration.add_user(database, login, networks)
    )
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
    password = (
        sys.stdin.readline().rstrip("\n")
        if stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    if len(password) < SHORTEST_PASSWORD:
        raise CommandFault(f"a password has at least {SHORTEST_PASSWORD} characters")
    hashed = argon2.PasswordHasher().hash(password)
    in_database(
        open_settings(config),
        lambda database: administration.set_password(database, login, hashed),
    )
    out.print(f"The password of {login} is set.")


@trunk_app.command(name="list")
def list_trunks(config: Config = None) -> None:
    """List all trunks; the first active one is the default.

    While the service runs, also how it stands with each: whether we are registered there, whether
    it answers, and whether it takes our calls for ours.
    """

    async def work(
        database: AsyncEngine,
    ) -> tuple[list[administration.ListedTrunk], Mapping[str, TrunkState]]:
        return await administration.list_trunks(database), await read_trunk_states(database)

    trunks, states = in_database(open_settings(config), work)
    show(
        ("Name", "Host", "Port", "Transport", "User", "State", "Answers", "Calls"),
        [
            (
                trunk.name,
                trunk.host,
                str(trunk.port or "SRV"),
                trunk.transport,
                trunk.user or "",
                *_line_state(states.get(trunk.name), active=trunk.active),
            )
            for trunk in trunks
        ],
    )


def _line_state(state: TrunkState | None, *, active: bool) -> tuple[str, str, str]:
    """Tell how it stands with a trunk: whether it has us registered, answers, takes our calls."""
    if not active:
        return "off", "", ""
    if state is None:
        return "active", "", ""
    held = "active" if state.registration is TrunkRegistration.OFF else state.registration.value
    if state.registered_for is not None:
        held += f", {max(0.0, state.registered_for):.0f} s"
    if state.detail and state.reachable is not False:
        held += f" ({state.detail})"
    match state.reachable:
        case None:
            answers = ""
        case True:
            answers = f"in {(state.round_trip or 0) * 1000:.0f} ms"
            if state.ping_refusal:
                answers += f" ({state.ping_refusal})"
        case False:
            answers = f"no ({state.detail})" if state.detail else "no"
    return held, answers, f"refused ({state.call_refusal})" if state.call_refusal else ""


def _moment(text: str, now: datetime) -> datetime:
    if span := re.fullmatch(r"([1-9][0-9]{0,5})([dh])", text):
        amount = int(span[1])
        return now + (timedelta(days=amount) if span[2] == "d" else timedelta(hours=amount))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise CommandFault(f"expires: {text!r} is neither 90d, 12h nor a date") from fault
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise CommandFault(f"expires: {text} is in the past")
    return moment
