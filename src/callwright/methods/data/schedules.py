"""Schedules: get.schedules, create.schedules, update.schedules, delete.schedules."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from typing_extensions import TypedDict

from callwright.directory.entries import Text
from callwright.directory.schedule import Periods, SchedulesEditor
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
from callwright.methods.data.list_fields import Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Method, Params, described


class CreateSchedule(Params):
    name: Text
    "Unique in the account."
    schedules: Periods
    "Days with their hours, in the account's time zone: it is active while one of them holds."


class UpdateSchedule(OfEntity):
    name: Text | None = None
    "Unique in the account; left out, it stays."
    schedules: Periods | None = None
    "All of them; left out, they stay."


class ShownDays(TypedDict):
    type: Literal["days_of_week", "days_of_month"]
    days: list[int]


class ShownInterval(TypedDict):
    time_from: str
    time_till: str


@described
class ShownPeriod(TypedDict):
    activity_days: ShownDays
    "Days of the week, 1 is Monday, or of the month."
    activity_time: list[ShownInterval]
    "Hours, `HH:MM`; one that ends before it begins goes on into the next day. Empty: all day."
    activity_date_from: str | None
    "The first day it holds on, `YYYY-MM-DD`; null: from ever."
    activity_date_till: str | None
    "The last day; null: for ever."


@described
class ShownSchedule(TypedDict):
    id: int
    name: str
    schedules: Annotated[list[ShownPeriod], Stored("periods")]
    "It is active while one of them holds."


GET_SCHEDULES = list_declaration(
    "get.schedules",
    ShownSchedule,
    table="schedules",
    params=ListRequest,
    summary="List the account's schedules, by which scenarios may choose.",
)
CREATE_SCHEDULES = entity_declaration(
    "create.schedules",
    CreateSchedule,
    summary="Create a schedule.",
    errors=(DUPLICATE,),
    result=Made,
)
UPDATE_SCHEDULES = entity_declaration(
    "update.schedules",
    UpdateSchedule,
    summary="Change what is sent of a schedule; it holds from the next call on.",
    errors=(NOT_FOUND, DUPLICATE),
)
DELETE_SCHEDULES = deletion(
    "delete.schedules",
    summary="Delete a schedule that no scenario goes by and no employee has.",
    errors=(DEPENDENCY,),
)
DECLARATIONS = (GET_SCHEDULES, CREATE_SCHEDULES, UPDATE_SCHEDULES, DELETE_SCHEDULES)


class Schedules:
    def __init__(self, editor: SchedulesEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_SCHEDULES.served_by(self.create),
            UPDATE_SCHEDULES.served_by(self.update),
            DELETE_SCHEDULES.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: CreateSchedule) -> Made:
        with answering():
            schedule = await self._editor.add_schedule(
                caller.account.id, params.name, params.schedules
            )
        return {"id": schedule}

    async def update(self, caller: Caller, params: UpdateSchedule) -> Done:
        with answering():
            await self._editor.change_schedule(
                caller.account.id, params.id, params.name, params.schedules
            )
        return DONE

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_schedule(caller.account.id, params.id)
        return DONE
