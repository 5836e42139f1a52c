"""Webhooks in the database: reading them, and changing them otherwise than by the directory file.

What is made here bears another origin than `Origin.FILE`, so that applying a directory file leaves
it alone.
"""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.directory.editing import AlreadyThere, NotThere, Unfit
from callwright.directory.model import AccountId
from callwright.directory.webhook import (
    GRACE,
    Verb,
    Webhook,
    WebhookDraft,
    WebhookId,
    new_secret,
)
from callwright.storage.database import writing
from callwright.storage.revision import touch
from callwright.storage.tables import Origin, accounts, webhook_outbox, webhooks

WEBHOOKS_AT_MOST = 50
"Of one account: each is another reader of every call's events."


class StoredWebhooks:
    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def all(self, account: AccountId | None = None) -> list[Webhook]:
        """Return the webhooks of an account, or of all of them, the oldest first."""
        query = (
            select(webhooks, accounts.c.timezone)
            .join_from(webhooks, accounts)
            .order_by(webhooks.c.id)
        )
        if account is not None:
            query = query.where(webhooks.c.account_id == account)
        async with self._database.connect() as connection:
            return [_webhook(row) for row in await connection.execute(query)]

    async def waiting(self) -> dict[WebhookId, int]:
        """Return of how many sessions each webhook has something still to be told."""
        count = select(webhook_outbox.c.webhook_id, func.count().label("sessions")).group_by(
            webhook_outbox.c.webhook_id
        )
        async with self._database.connect() as connection:
            return {
                WebhookId(row.webhook_id): row.sessions for row in await connection.execute(count)
            }

    async def one(self, account: AccountId, webhook: WebhookId) -> Webhook:
        """Return a webhook. Raises `NotThere`."""
        for found in await self.all(account):
            if found.id == webhook:
                return found
        raise _not_there(webhook)

    async def first_account(self) -> AccountId | None:
        """Return the account that commands mean."""
        async with self._database.connect() as connection:
            found = (await connection.execute(select(func.min(accounts.c.id)))).scalar()
        return None if found is None else AccountId(found)

    async def create(
        self, account: AccountId, draft: WebhookDraft, origin: Origin = Origin.API
    ) -> Webhook:
        """Make a webhook, with a secret. Raises `AlreadyThere` and `Unfit`."""
        async with writing(self._database) as connection:
            own = select(func.count()).where(webhooks.c.account_id == account)
            if (await connection.execute(own)).scalar_one() >= WEBHOOKS_AT_MOST:
                reason = f"an account has {WEBHOOKS_AT_MOST} webhooks at most"
                raise Unfit("name", draft.name, reason)
            try:
                result = await connection.execute(
                    insert(webhooks)
                    .values(
                        account_id=account,
                        secret=new_secret(),
                        origin=origin.value,
                        **_columns(draft),
                    )
                    .returning(webhooks.c.id)
                )
            except IntegrityError as fault:
                raise _name_taken(draft) from fault
            made = result.scalar_one()
            await touch(connection)
        return await self.one(account, WebhookId(made))

    async def update(self, account: AccountId, webhook: WebhookId, draft: WebhookDraft) -> None:
        """Make a webhook be as the draft says; it is the API's from then on.

        Raises `NotThere` and `AlreadyThere`.
        """
        async with writing(self._database) as connection:
            try:
                result = await connection.execute(
                    update(webhooks)
                    .where(_is(account, webhook))
                    .values(origin=Origin.API.value, **_columns(draft))
                )
            except IntegrityError as fault:
                raise _name_taken(draft) from fault
            if not result.rowcount:
                raise _not_there(webhook)
            await touch(connection)

    async def rotate(self, account: AccountId, webhook: WebhookId) -> str:
        """Give a webhook a new secret and return it; the one before signs beside it for `GRACE`.

        Raises `NotThere`.
        """
        secret = new_secret()
        async with writing(self._database) as connection:
            result = await connection.execute(
                update(webhooks)
                .where(_is(account, webhook))
                .values(
                    secret=secret,
                    previous_secret=webhooks.c.secret,
                    previous_until=datetime.now(UTC) + GRACE,
                )
            )
            if not result.rowcount:
                raise _not_there(webhook)
            await touch(connection)
        return secret

    async def delete(self, account: AccountId, webhook: WebhookId) -> None:
        """Remove a webhook and what it was still to be told. Raises `NotThere`."""
        async with writing(self._database) as connection:
            result = await connection.execute(delete(webhooks).where(_is(account, webhook)))
            if not result.rowcount:
                raise _not_there(webhook)
            await touch(connection)


def _columns(draft: WebhookDraft) -> dict[str, object]:
    return {
        "name": draft.name,
        "url": draft.url,
        "method": draft.verb.value,
        "event_types": sorted(set(draft.event_types)),
        "active": draft.active,
        "template": draft.template,
    }


def _not_there(webhook: WebhookId) -> NotThere:
    return NotThere("id", webhook, f"there is no webhook {webhook}")


def _name_taken(draft: WebhookDraft) -> AlreadyThere:
    return AlreadyThere("name", draft.name, f"there is a webhook {draft.name} already")


def _is(account: AccountId, webhook: WebhookId) -> ColumnElement[bool]:
    return (webhooks.c.id == webhook) & (webhooks.c.account_id == account)


def _webhook(row: Row[tuple[object, ...]]) -> Webhook:
    values = row._mapping
    return Webhook(
        id=WebhookId(values["id"]),
        account=AccountId(values["account_id"]),
        name=values["name"],
        url=values["url"],
        verb=Verb(values["method"]),
        event_types=frozenset(values["event_types"]),
        active=values["active"],
        template=values["template"],
        secret=values["secret"],
        previous_secret=values["previous_secret"],
        previous_until=values["previous_until"],
        timezone=values["timezone"],
    )
