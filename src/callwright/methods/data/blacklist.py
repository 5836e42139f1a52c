"""The blacklist: numbers that are not called."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from callwright.directory.editing import BlacklistEditor
from callwright.methods.data.entity_method import (
    DONE,
    DUPLICATE,
    Done,
    OfEntity,
    answering,
    deletion,
    entity_declaration,
)
from callwright.methods.data.list_fields import Moment, Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.data.number_check import check_number
from callwright.methods.method import Caller, Method, Params, PhoneNumber, described


class BlockParams(Params):
    phone_number: PhoneNumber
    "E.164 digits without +."
    add_comment: Annotated[str, Field(max_length=255)] | None = None
    "For people."


@described
class Blocked(TypedDict):
    id: int
    "For `delete.phone_number_from_blacklist`."
    phone_number: str


@described
class ShownBlocked(TypedDict):
    id: int
    phone_number: Annotated[str, Stored("number")]
    add_user_name: Annotated[str | None, Stored("added_by")]
    "Login of the user who put it there; null: the directory file, or `block.contact`."
    add_comment: Annotated[str, Stored("comment")]
    add_date_time: Annotated[Moment | None, Stored("added_at")]
    "Null where `add_user_name` is."


GET_BLACKLIST = list_declaration(
    "get.blacklist_phone_numbers",
    ShownBlocked,
    table="blacklist",
    params=ListRequest,
    summary="List the numbers that are not called.",
)
CREATE_IN_BLACKLIST = entity_declaration(
    "create.phone_number_to_blacklist",
    BlockParams,
    summary="Put a number on the blacklist.",
    errors=(DUPLICATE,),
    result=Blocked,
)
DELETE_FROM_BLACKLIST = deletion(
    "delete.phone_number_from_blacklist",
    summary="Take a number off the blacklist.",
)
DECLARATIONS = (GET_BLACKLIST, CREATE_IN_BLACKLIST, DELETE_FROM_BLACKLIST)


class Blacklist:
    def __init__(self, editor: BlacklistEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_IN_BLACKLIST.served_by(self.create),
            DELETE_FROM_BLACKLIST.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: BlockParams) -> Blocked:
        check_number("phone_number", params.phone_number)
        with answering():
            added = await self._editor.block(
                caller.account.id,
                params.phone_number,
                comment=params.add_comment or "",
                login=caller.user.login,
            )
        return {"id": added, "phone_number": params.phone_number}

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.unblock(caller.account.id, params.id)
        return DONE
