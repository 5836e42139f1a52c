"""Tags: get.tags, create.tags, update.tags, delete.tags."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from typing_extensions import TypedDict

from callwright.directory.editing import TagsEditor
from callwright.directory.entries import Text
from callwright.methods.data.entity_method import (
    DEPENDENCY,
    DONE,
    DUPLICATE,
    NOT_FOUND,
    Done,
    Made,
    OfEntity,
    answering,
    deletion,
    entity_declaration,
)
from callwright.methods.data.list_fields import (
    ON_REQUEST,
    UNKNOWN,
    Always,
    UnknownInteger,
    UnknownMoment,
    UnknownText,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest, LooseBoolean
from callwright.methods.method import Caller, Method, Params, described


class GetTags(ListRequest):
    is_include_rating: Annotated[bool, LooseBoolean] = False
    "Taken, and of no consequence: there are no tags that rate."


class CreateTag(Params):
    name: Text
    "Unique in the account."


class UpdateTag(OfEntity):
    name: Text | None = None
    "Unique in the account; left out, it stays."


@described
class ShownTag(TypedDict):
    id: int
    name: str
    is_system: Annotated[bool, Always(False)]
    "Always false."
    rating: Annotated[UnknownInteger, ON_REQUEST]
    is_auto: Annotated[bool, Always(False), ON_REQUEST]
    "Always false."
    state: Annotated[Literal["active"], Always("active"), ON_REQUEST]
    creation_datetime: Annotated[UnknownMoment, ON_REQUEST]
    color: Annotated[UnknownText, ON_REQUEST]
    condition: Annotated[dict[str, object], UNKNOWN, ON_REQUEST]


GET_TAGS = list_declaration(
    "get.tags",
    ShownTag,
    table="tags",
    params=GetTags,
    summary="List the account's tags.",
)
CREATE_TAGS = entity_declaration(
    "create.tags", CreateTag, summary="Create a tag.", errors=(DUPLICATE,), result=Made
)
UPDATE_TAGS = entity_declaration(
    "update.tags", UpdateTag, summary="Rename a tag.", errors=(NOT_FOUND, DUPLICATE)
)
DELETE_TAGS = deletion(
    "delete.tags",
    summary="Delete a tag; calls that have it keep its name.",
    errors=(DEPENDENCY,),
)
DECLARATIONS = (GET_TAGS, CREATE_TAGS, UPDATE_TAGS, DELETE_TAGS)


class Tags:
    def __init__(self, editor: TagsEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_TAGS.served_by(self.create),
            UPDATE_TAGS.served_by(self.update),
            DELETE_TAGS.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: CreateTag) -> Made:
        with answering():
            return {"id": await self._editor.add_tag(caller.account.id, params.name)}

    async def update(self, caller: Caller, params: UpdateTag) -> Done:
        if params.name is None:
            return DONE
        with answering():
            await self._editor.rename_tag(caller.account.id, params.id, params.name)
        return DONE

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_tag(caller.account.id, params.id)
        return DONE
