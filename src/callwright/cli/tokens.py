"""Tokens on the terminal: made and blocked."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from callwright.cli.terminal import (
    CommandFault,
    Config,
    at_database,
    open_settings,
    out,
    show,
    show_token,
)

token_app = typer.Typer(help="Access tokens.")


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
    from callwright.provisioning import access

    expires_at = _moment(expires, datetime.now(UTC)) if expires else None
    show_token(
        at_database(
            open_settings(config),
            lambda ask: access.create_token(ask, user, expires_at),
        )
    )


@token_app.command(name="list")
def list_tokens(config: Config = None) -> None:
    """List permanent tokens, by their last characters."""
    from callwright.provisioning import access

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
            for token in at_database(open_settings(config), access.list_tokens)
        ],
    )


@token_app.command(name="block")
def block_token(
    token: Annotated[int, typer.Argument(help="Id, as `callwright token list` shows it.")],
    config: Config = None,
) -> None:
    """Make a token unusable, at once and for good."""
    from callwright.provisioning import access

    at_database(open_settings(config), lambda ask: access.block_token(ask, token))
    out.print(f"Token {token} is blocked.")


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
