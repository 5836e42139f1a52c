"""Tags of calls, whether they live or are over: set and unset one by one, or all at once."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field
from typing_extensions import TypedDict

from callwright.calls.commands import CommandRefused, NoSuchTag, RemoveTag, SetTag, TagAlreadySet
from callwright.calls.immediate_commands import carry_out
from callwright.calls.manager import CallManager
from callwright.calls.plan import SessionId
from callwright.calls.session import Session
from callwright.directory.lookup import Directory
from callwright.directory.model import Tag, User
from callwright.methods import errors
from callwright.methods.data.entity_method import (
    DONE,
    DUPLICATE,
    NOT_FOUND,
    Done,
    entity_declaration,
)
from callwright.methods.data.list_request import LooseNumber
from callwright.methods.method import Caller, Id, Method, Params, described

TAGS_AT_MOST = 100
"Of one request."


class OfCommunication(Params):
    communication_id: Id | None = None
    "The call: its `call_session_id`."
    communication_ext_id: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    "The same by the `external_id` it was started with; of several calls the latest."
    communication_type: Literal["call"]
    "There are only calls here."
    tag_id: Id
    "One of the account's tags."


SET_TAG = entity_declaration(
    "set.tag_communications",
    OfCommunication,
    summary="Put a tag on a call, live or over.",
    errors=("invalid_parameters_combination", NOT_FOUND, DUPLICATE),
)
UNSET_TAG = entity_declaration(
    "unset.tag_communications",
    OfCommunication,
    summary="Take a tag off a call, live or over.",
    errors=("invalid_parameters_combination", NOT_FOUND),
)


class WithTags(Params):
    communication_id: Annotated[Id, LooseNumber]
    "The call: its `call_session_id`."
    communication_type: Literal["call"]
    "There are only calls here."
    tag_ids: Annotated[tuple[Id, ...], Field(max_length=TAGS_AT_MOST)]
    "Of the account's tags."


class SetTagItem(TypedDict):
    id: int


class NamedTagItem(SetTagItem):
    name: str
    color: str | None
    "Null: tags have none here."


@described
class SetTags(TypedDict):
    communication_id: int
    communication_type: Literal["call"]
    items: list[SetTagItem]
    "The tags it has now."


@described
class UpdatedTags(TypedDict):
    communication_id: int
    communication_type: Literal["call"]
    items: list[NamedTagItem]
    "The tags it has now."


SET_TAGS = entity_declaration(
    "set.communications_tags",
    WithTags,
    summary="Put tags on a call, live or over; those it has already stay.",
    errors=(NOT_FOUND,),
    result=SetTags,
)
UPDATE_TAGS = entity_declaration(
    "update.tags_communication",
    WithTags,
    summary="Give a call these tags, live or over, and no others.",
    errors=(NOT_FOUND,),
    result=UpdatedTags,
)
DECLARATIONS = (SET_TAG, UNSET_TAG, SET_TAGS, UPDATE_TAGS)


class SessionTags(Protocol):
    """The tags of sessions on record."""

    async def session_of(self, account: int, external_id: str) -> SessionId | None:
        """The latest session with this external id."""

    async def exists(self, account: int, session: SessionId) -> bool: ...

    async def set(self, session: SessionId, tag: Tag, user: User) -> bool:
        """False: it is there already."""

    async def unset(self, session: SessionId, tag: int) -> bool:
        """False: it is not there."""

    async def set_all(
        self, session: SessionId, tags: Sequence[Tag], user: User, *, only: bool
    ) -> Mapping[int, str]:
        """Set those that are not there yet; ``only``: take all others off.

        Returns the names of the tags there are then, by id."""

    async def tags_of(self, session: SessionId) -> Mapping[int, str] | None:
        """The names of a session's tags by id; None: its end is not on record yet."""


class Communications:
    def __init__(self, manager: CallManager, directory: Directory, tagging: SessionTags) -> None:
        self._manager = manager
        self._directory = directory
        self._tagging = tagging

    def methods(self) -> Sequence[Method[Any]]:
        return (
            SET_TAG.served_by(self.set),
            UNSET_TAG.served_by(self.unset),
            SET_TAGS.served_by(self.set_all),
            UPDATE_TAGS.served_by(self.update),
        )

    async def set(self, caller: Caller, params: OfCommunication) -> Done:
        session = await self._session(caller, params)
        tag = await self._tag(caller, params.tag_id, "tag_id")
        if live := self._live(caller, session):
            try:
                carry_out(live, SetTag(tag.id, tag.name))
                return DONE
            except TagAlreadySet:
                raise errors.DuplicateEntity(field="tag_id", value=tag.id) from None
            except CommandRefused:
                pass  # It is over, but for saying good-bye.
        if not await self._tagging.set(session, tag, caller.user):
            raise errors.DuplicateEntity(field="tag_id", value=tag.id)
        return DONE

    async def unset(self, caller: Caller, params: OfCommunication) -> Done:
        session = await self._session(caller, params)
        if live := self._live(caller, session):
            try:
                carry_out(live, RemoveTag(params.tag_id))
                return DONE
            except NoSuchTag:
                raise errors.EntityNotFound(field="tag_id", value=params.tag_id) from None
            except CommandRefused:
                pass
        if not await self._tagging.unset(session, params.tag_id):
            raise errors.EntityNotFound(field="tag_id", value=params.tag_id)
        return DONE

    async def set_all(self, caller: Caller, params: WithTags) -> SetTags:
        tags = await self._tags(caller, params, only=False)
        return {
            "communication_id": params.communication_id,
            "communication_type": "call",
            "items": [{"id": id} for id in tags],
        }

    async def update(self, caller: Caller, params: WithTags) -> UpdatedTags:
        tags = await self._tags(caller, params, only=True)
        return {
            "communication_id": params.communication_id,
            "communication_type": "call",
            "items": [{"id": id, "name": name, "color": None} for id, name in tags.items()],
        }

    async def _tags(self, caller: Caller, params: WithTags, *, only: bool) -> Mapping[int, str]:
        """Set tags, and take the others off if ``only`` these are wanted; those it has then."""
        session = await self._by_id(caller, params.communication_id)
        tags = [
            await self._tag(caller, id, f"tag_ids.{at}") for at, id in enumerate(params.tag_ids)
        ]
        if live := self._live(caller, session):
            try:
                return _tagged(live, tags, only=only)
            except CommandRefused:
                pass  # It is over, but for saying good-bye.
        return await self._tagging.set_all(session, tags, caller.user, only=only)

    async def _tag(self, caller: Caller, id: int, place: str) -> Tag:
        tag = await self._directory.tag(caller.account.id, id)
        if tag is None:
            raise errors.EntityNotFound(field=place, value=id)
        return tag

    def _live(self, caller: Caller, session: SessionId) -> Session | None:
        return self._manager.find(caller.account.id, session)

    async def _session(self, caller: Caller, params: OfCommunication) -> SessionId:
        """The session that is meant, of the caller's account."""
        account = caller.account.id
        match params.communication_id, params.communication_ext_id:
            case None, None:
                raise errors.RequiredParameterMissed(field="communication_id")
            case int() as number, None:
                return await self._by_id(caller, number)
            case None, str() as external_id:
                if (found := await self._tagging.session_of(account, external_id)) is not None:
                    return found
                raise errors.EntityNotFound(field="communication_ext_id", value=external_id)
        raise errors.InvalidParametersCombination(
            field="communication_ext_id", value=params.communication_ext_id
        )

    async def _by_id(self, caller: Caller, number: int) -> SessionId:
        session = SessionId(number)
        known = self._live(caller, session) is not None
        if known or await self._tagging.exists(caller.account.id, session):
            return session
        raise errors.EntityNotFound(field="communication_id", value=number)


def _tagged(live: Session, tags: Sequence[Tag], *, only: bool) -> Mapping[int, str]:
    """Put tags on a live session; raises `CommandRefused` once it is over."""
    there = live.record.tags
    wanted = {tag.id: tag.name for tag in tags}
    for id in [id for id in there if only and id not in wanted]:
        carry_out(live, RemoveTag(id))
    for id, name in wanted.items():
        if id not in there:
            carry_out(live, SetTag(id, name))
    return dict(there)
