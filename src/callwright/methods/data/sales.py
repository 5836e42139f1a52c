"""Sales that calls have led to: set.tag_sales."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from callwright.calls.plan import SessionId
from callwright.methods import errors
from callwright.methods.data.entity_method import NOT_FOUND, Made, entity_declaration
from callwright.methods.data.list_request import LooseNumber, SentMoment
from callwright.methods.data.moments import moment_of
from callwright.methods.method import Caller, Id, Method, Params


class SetTagSales(Params):
    communication_id: Annotated[Id, LooseNumber]
    "The call: its `call_session_id`."
    communication_type: Literal["call"]
    "There are only calls here."
    date_time: SentMoment
    "When it was sold."
    transaction_value: Annotated[float, Field(ge=0, lt=1e15)]
    "For how much, in whatever currency the account reckons."
    comment: Annotated[str, Field(max_length=255)] | None = None
    "Kept with the sale, 255 characters at most."


SET_TAG_SALES = entity_declaration(
    "set.tag_sales",
    SetTagSales,
    summary="Note what a call, live or over, has sold; what was noted of it before gives way.",
    errors=(NOT_FOUND,),
    result=Made,
)


class SalesOfCalls(Protocol):
    async def set(
        self, account: int, session: SessionId, at: datetime, value: float, comment: str | None
    ) -> int | None:
        """Note a sale and return its id; None: the account has no such session."""


class Sales:
    def __init__(self, sales: SalesOfCalls) -> None:
        self._sales = sales

    def methods(self) -> Sequence[Method[Any]]:
        return (SET_TAG_SALES.served_by(self.set),)

    async def set(self, caller: Caller, params: SetTagSales) -> Made:
        id = await self._sales.set(
            caller.account.id,
            SessionId(params.communication_id),
            moment_of(params.date_time, caller.account.timezone),
            params.transaction_value,
            params.comment,
        )
        if id is None:
            raise errors.EntityNotFound(field="communication_id", value=params.communication_id)
        return {"id": id}
