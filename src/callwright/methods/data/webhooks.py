"""Webhooks: get.webhooks, create.webhooks, update.webhooks, delete.webhooks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, NotRequired, Protocol

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from callwright.directory.entries import Text
from callwright.directory.model import AccountId
from callwright.directory.webhook import (
    TEMPLATE_AT_MOST,
    Verb,
    Webhook,
    WebhookDraft,
    WebhookId,
    checked_url,
)
from callwright.methods import errors
from callwright.methods.data.entity_method import (
    DONE,
    DUPLICATE,
    NOT_FOUND,
    UNUSABLE,
    Done,
    OfEntity,
    answering,
    deletion,
    entity_declaration,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Method, Params, described
from callwright.public_events.webhook_checks import fault_of_template, faulty_types


def _event_type(name: str) -> str:
    for _, reason in faulty_types([name]):
        raise ValueError(reason)
    return name


EventTypes = Annotated[
    tuple[Annotated[str, AfterValidator(_event_type)], ...], Field(max_length=200)
]
Url = Annotated[str, AfterValidator(checked_url)]
Template = Annotated[str, Field(max_length=TEMPLATE_AT_MOST)]


class CreateWebhook(Params):
    name: Text
    "What it is called; unique in the account."
    url: Url
    "Where events are sent: `https://crm.example.com/hook`."
    event_types: EventTypes = ()
    "Types of the events that are sent, such as `talk.started`; empty: all."
    method: Literal["POST", "GET"] = "POST"
    "`GET` has everything in the query."
    template: Template | None = None
    "What is sent, with `{{parameter}}` in it; null: the event as JSON."
    active: bool = True
    "False: nothing is sent, and nothing is kept to be sent."


class UpdateWebhook(OfEntity):
    """What is not sent stays as it is."""

    name: Text | None = None
    "What it is called; unique in the account."
    url: Url | None = None
    "Where events are sent."
    event_types: EventTypes | None = None
    "Types of the events that are sent; empty: all."
    method: Literal["POST", "GET"] | None = None
    "`GET` has everything in the query."
    template: Template | None = None
    "What is sent; null: the event as JSON."
    active: bool | None = None
    "False: nothing is sent, and nothing is kept to be sent."
    rotate_secret: bool = False
    "True: a new secret is made; the one before goes on signing beside it for 24 hours."


@described
class MadeWebhook(TypedDict):
    id: int
    secret: str
    "Signs what is sent. It is shown only now."


@described
class UpdatedWebhook(TypedDict):
    secret: NotRequired[str]
    "The new one, where it was asked for. It is shown only now."


@described
class ShownWebhook(TypedDict):
    id: int
    name: str
    url: str
    event_types: list[str]
    "Empty: all."
    method: Literal["POST", "GET"]
    template: str | None
    "Null: the event as JSON."
    active: bool


GET_WEBHOOKS = list_declaration(
    "get.webhooks",
    ShownWebhook,
    table="webhooks",
    params=ListRequest,
    summary="List the account's webhooks, without their secrets.",
)
CREATE_WEBHOOKS = entity_declaration(
    "create.webhooks",
    CreateWebhook,
    summary="Create a webhook: a URL that is told what happens in the account's calls.",
    errors=(DUPLICATE, UNUSABLE),
    result=MadeWebhook,
)
UPDATE_WEBHOOKS = entity_declaration(
    "update.webhooks",
    UpdateWebhook,
    summary="Change a webhook, or its secret.",
    errors=(NOT_FOUND, DUPLICATE, UNUSABLE),
    result=UpdatedWebhook,
)
DELETE_WEBHOOKS = deletion(
    "delete.webhooks",
    summary="Delete a webhook, and what it was still to be told.",
)
DECLARATIONS = (GET_WEBHOOKS, CREATE_WEBHOOKS, UPDATE_WEBHOOKS, DELETE_WEBHOOKS)


class WebhookEditor(Protocol):
    """What is asked of storage. Every method raises `callwright.directory.editing.Refusal`."""

    async def one(self, account: AccountId, webhook: WebhookId) -> Webhook: ...

    async def create(self, account: AccountId, draft: WebhookDraft) -> Webhook: ...

    async def update(self, account: AccountId, webhook: WebhookId, draft: WebhookDraft) -> None: ...

    async def rotate(self, account: AccountId, webhook: WebhookId) -> str: ...

    async def delete(self, account: AccountId, webhook: WebhookId) -> None: ...


class Webhooks:
    def __init__(self, editor: WebhookEditor, refresh: Callable[[], Awaitable[None]]) -> None:
        """``refresh``: lets what is set up hold at once."""
        self._editor = editor
        self._refresh = refresh

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_WEBHOOKS.served_by(self.create),
            UPDATE_WEBHOOKS.served_by(self.update),
            DELETE_WEBHOOKS.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: CreateWebhook) -> MadeWebhook:
        draft = WebhookDraft(
            params.name,
            params.url,
            Verb(params.method),
            params.event_types,
            params.active,
            params.template,
        )
        _check_template(draft)
        with answering():
            made = await self._editor.create(caller.account.id, draft)
        await self._refresh()
        return {"id": made.id, "secret": made.secret}

    async def update(self, caller: Caller, params: UpdateWebhook) -> UpdatedWebhook:
        account, webhook = caller.account.id, WebhookId(params.id)
        told: UpdatedWebhook = {}
        with answering():
            before = await self._editor.one(account, webhook)
            draft = _changed(before, params)
            _check_template(draft)
            if draft != _draft_of(before):
                await self._editor.update(account, webhook, draft)
            if params.rotate_secret:
                told = {"secret": await self._editor.rotate(account, webhook)}
        await self._refresh()
        return told

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.delete(caller.account.id, WebhookId(params.id))
        await self._refresh()
        return DONE


def _draft_of(webhook: Webhook) -> WebhookDraft:
    return WebhookDraft(
        webhook.name,
        webhook.url,
        webhook.verb,
        tuple(sorted(webhook.event_types)),
        webhook.active,
        webhook.template,
    )


def _changed(before: Webhook, params: UpdateWebhook) -> WebhookDraft:
    draft = _draft_of(before)
    if params.name is not None:
        draft = replace(draft, name=params.name)
    if params.url is not None:
        draft = replace(draft, url=params.url)
    if params.event_types is not None:
        draft = replace(draft, event_types=tuple(sorted(set(params.event_types))))
    if params.method is not None:
        draft = replace(draft, verb=Verb(params.method))
    if params.active is not None:
        draft = replace(draft, active=params.active)
    if "template" in params.model_fields_set:
        draft = replace(draft, template=params.template)
    return draft


def _check_template(draft: WebhookDraft) -> None:
    """Raises `errors.Unusable`, which names the parameters there are not."""
    if reason := fault_of_template(draft.template, draft.verb):
        raise errors.Unusable(field="template", value=draft.template, reason=reason)
