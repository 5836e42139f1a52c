"""Webhooks on the terminal: which there are, whether they work, what became of what was sent."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from callwright.cli.terminal import (
    CommandFault,
    Config,
    at_database,
    checked_entry,
    in_database,
    open_settings,
    out,
    show,
)
from callwright.directory.webhook import Verb

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncEngine

    from callwright.config import Settings
    from callwright.directory.model import AccountId
    from callwright.directory.webhook import Webhook
    from callwright.storage.webhooks.stored import StoredWebhooks
    from callwright.storage.webhooks.webhook_log import Attempt, LoggedAttempt

T = TypeVar("T")

webhook_app = typer.Typer(help="URLs that are told what happens in calls.")

Named = Annotated[str, typer.Argument(help="Its name, or its id.", metavar="NAME|ID")]


@webhook_app.command(name="list")
def list_webhooks(config: Config = None) -> None:
    """List all webhooks, and of how many calls each has something still to be told."""
    from callwright.provisioning import lists

    show(
        ("Id", "Name", "Method", "URL", "Events", "State", "Waiting"),
        [
            (
                str(one.id),
                one.name,
                one.method,
                one.url,
                ", ".join(sorted(one.event_types)) or "all",
                "active" if one.active else "off",
                str(one.waiting),
            )
            for one in at_database(open_settings(config), lists.list_webhooks)
        ],
    )


@webhook_app.command(name="add")
def add_webhook(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    url: Annotated[str, typer.Argument(help="Where events are sent.", metavar="URL")],
    event: Annotated[
        list[str] | None, typer.Option(help="Type of event that is sent. (default: all)")
    ] = None,
    method: Annotated[Verb, typer.Option(help="GET has everything in the query.")] = Verb.POST,
    template: Annotated[
        Path | None, typer.Option(help="File with the text that is sent. (default: JSON)")
    ] = None,
    config: Config = None,
) -> None:
    """Make a webhook and show its secret, once."""
    from callwright.directory.editing import Refusal
    from callwright.directory.entries import WebhookEntry
    from callwright.directory.webhook import WebhookDraft
    from callwright.public_events.webhook_checks import fault_of_template, faulty_types
    from callwright.storage.tables import Origin
    from callwright.storage.webhooks.stored import StoredWebhooks

    settings = open_settings(config)
    text = None if template is None else template.read_text("utf-8")
    entry = checked_entry(
        lambda: WebhookEntry(
            name=name, url=url, event_types=event or [], method=method, template=text
        )
    )
    for _, reason in faulty_types(entry.event_types):
        raise CommandFault(reason)
    if fault := fault_of_template(entry.template, entry.method):
        raise CommandFault(f"{template}: {fault}")
    draft = WebhookDraft(name, url, method, entry.event_types, active=True, template=text)

    async def work(database: "AsyncEngine") -> "Webhook":
        stored = StoredWebhooks(database)
        try:
            return await stored.create(await _account(stored), draft, Origin.COMMAND)
        except Refusal as refusal:
            raise CommandFault(str(refusal)) from refusal

    made = in_database(settings, work)
    _show_secret(made.name, made.secret)


@webhook_app.command(name="remove")
def remove_webhook(webhook: Named, config: Config = None) -> None:
    """Remove a webhook, and what it was still to be told."""

    async def work(stored: "StoredWebhooks", found: "Webhook") -> None:
        await stored.delete(found.account, found.id)

    found, _ = _with_webhook(open_settings(config), webhook, work)
    out.print(f"Webhook {found.name} is removed.", soft_wrap=True)


@webhook_app.command(name="rotate")
def rotate_secret(webhook: Named, config: Config = None) -> None:
    """Give a webhook a new secret and show it, once; the one before goes on signing for a day."""
    from callwright.directory.webhook import GRACE

    async def work(stored: "StoredWebhooks", found: "Webhook") -> str:
        return await stored.rotate(found.account, found.id)

    found, secret = _with_webhook(open_settings(config), webhook, work)
    _show_secret(found.name, secret)
    hours = GRACE.total_seconds() / 3600
    out.print(f"The one before signs beside it for {hours:.0f} hours.")


@webhook_app.command(name="test")
def try_webhook(
    webhook: Named,
    event: Annotated[
        str | None, typer.Option(help="Type of the event. (default: one that is sent to it)")
    ] = None,
    config: Config = None,
) -> None:
    """Send a sample event from here, and show what was answered."""
    from callwright.notify.manual import send_sample
    from callwright.public_events.webhook_checks import faulty_types
    from callwright.storage.webhooks.stored import StoredWebhooks
    from callwright.storage.webhooks.webhook_log import StoredWebhookLog

    settings = open_settings(config)
    for _, reason in faulty_types([event] if event else []):
        raise CommandFault(reason)

    async def work(database: "AsyncEngine") -> "Attempt":
        found = await _find(StoredWebhooks(database), webhook)
        attempt = await send_sample(settings.webhooks, found, event, datetime.now(UTC))
        await StoredWebhookLog(database).add(attempt)
        return attempt

    _show_attempt(in_database(settings, work))


@webhook_app.command(name="log")
def show_log(
    webhook: Annotated[
        str | None, typer.Argument(help="Only of this one.", metavar="[NAME|ID]")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Entries.")] = 20,
    body: Annotated[bool, typer.Option("--body", help="Show what was sent and answered.")] = False,
    config: Config = None,
) -> None:
    """Show the latest attempts to tell webhooks something, the newest last."""
    from callwright.storage.webhooks.stored import StoredWebhooks
    from callwright.storage.webhooks.webhook_log import StoredWebhookLog

    async def work(database: "AsyncEngine") -> "list[LoggedAttempt]":
        stored = StoredWebhooks(database)
        chosen = None if webhook is None else (await _find(stored, webhook)).id
        return await StoredWebhookLog(database).latest(
            await _account(stored), webhook=chosen, at_most=limit
        )

    for entry in reversed(in_database(open_settings(config), work)):
        attempt = entry.attempt
        # Lines and not a table, which a terminal would cut: they are there to be searched.
        number = f" attempt {attempt.number}" if attempt.number else ""
        out.print(
            f"{entry.id} {attempt.started_at:%Y-%m-%d %H:%M:%S}Z {attempt.webhook_name} "
            f"{attempt.event_type} {attempt.event_id}{number}: "
            f"{_outcome(attempt)}, {attempt.duration:.3f} s",
            soft_wrap=True,
        )
        if body:
            _show_contents(attempt)


@webhook_app.command(name="resend")
def resend(
    entry: Annotated[int, typer.Argument(help="No, as `callwright webhook log` shows it.")],
    config: Config = None,
) -> None:
    """Send once more, from here, what was sent before, and show what was answered."""
    from callwright.notify.manual import send_again
    from callwright.storage.webhooks.stored import StoredWebhooks
    from callwright.storage.webhooks.webhook_log import StoredWebhookLog

    settings = open_settings(config)

    async def work(database: "AsyncEngine") -> "Attempt":
        stored, written = StoredWebhooks(database), StoredWebhookLog(database)
        account = await _account(stored)
        before = await written.entry(account, entry)
        if before is None:
            raise CommandFault(f"there is no entry {entry}; see `callwright webhook log`")
        found = next(
            (one for one in await stored.all(account) if one.id == before.attempt.webhook), None
        )
        if found is None:
            raise CommandFault(f"webhook {before.attempt.webhook_name} has been removed")
        again = await send_again(settings.webhooks, found, before.attempt, datetime.now(UTC))
        await written.add(again)
        return again

    _show_attempt(in_database(settings, work))


def _with_webhook(
    settings: "Settings", name: str, work: "Callable[[StoredWebhooks, Webhook], Awaitable[T]]"
) -> "tuple[Webhook, T]":
    from callwright.storage.webhooks.stored import StoredWebhooks

    async def run(database: "AsyncEngine") -> "tuple[Webhook, T]":
        stored = StoredWebhooks(database)
        found = await _find(stored, name)
        return found, await work(stored, found)

    return in_database(settings, run)


async def _find(stored: "StoredWebhooks", name: str) -> "Webhook":
    for one in await stored.all(await _account(stored)):
        if name in (one.name, str(one.id)):
            return one
    raise CommandFault(f"there is no webhook {name}; see `callwright webhook list`")


async def _account(stored: "StoredWebhooks") -> "AccountId":
    account = await stored.first_account()
    if account is None:
        raise CommandFault("there is no account yet: apply a directory file")
    return account


def _show_secret(name: str, secret: str) -> None:
    out.print(f"Secret of webhook {name}; it is shown only now:", soft_wrap=True)
    # Alone on its line, so that it can be cut out.
    out.print(secret, soft_wrap=True)


def _show_attempt(attempt: "Attempt") -> None:
    """Show what was sent and answered; exit with 1 if it was not taken."""
    from rich.text import Text

    from callwright.storage.webhooks.webhook_log import AttemptOutcome

    taken = attempt.outcome is AttemptOutcome.SENT
    told = f"{attempt.event_type}: {_outcome(attempt)}, in {attempt.duration:.3f} s"
    out.print(Text(told, style="green" if taken else "red"), soft_wrap=True)
    _show_contents(attempt)
    if not taken:
        sys.exit(1)


def _show_contents(attempt: "Attempt") -> None:
    from rich.text import Text

    out.print(Text(f"> {attempt.verb} {attempt.url}"), soft_wrap=True)
    out.print(Text(f"> {attempt.content}"), soft_wrap=True)
    for line in (attempt.answer or "").splitlines():
        # What others answer is not to steer the terminal.
        shown = "".join(one if one.isprintable() else "\ufffd" for one in line)
        out.print(Text(f"< {shown}"), soft_wrap=True)


def _outcome(attempt: "Attempt") -> str:
    from callwright.storage.webhooks.webhook_log import AttemptOutcome

    if attempt.outcome is AttemptOutcome.SENT:
        return f"taken ({attempt.status})"
    reason = attempt.error_message or attempt.error_type or ""
    if not attempt.number:
        return f"not taken: {reason}"
    return f"{'given up' if attempt.outcome is AttemptOutcome.GIVEN_UP else 'failed'}: {reason}"
