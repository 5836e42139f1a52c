"""Scenarios: get.scenarios, and create, update and delete of ours."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from callwright.directory.editing import ScenariosEditor
from callwright.directory.entries import ScenarioEntry, Text
from callwright.directory.scenario import START, Label, Operations, ScenarioId
from callwright.methods.data.entity_method import (
    DEPENDENCY,
    DONE,
    DUPLICATE,
    NOT_FOUND,
    UNUSABLE,
    Done,
    Made,
    OfEntity,
    answering,
    deletion,
    entity_declaration,
)
from callwright.methods.data.list_fields import MadeOf, Stored, UnknownArray
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Id, Method, Params, described

Branches = Annotated[dict[Label, Operations], Field(max_length=100)]
Numbers = Annotated[tuple[str, ...], Field(max_length=1000)]


# As they are shown: who reads, changes and writes sends them back.
Nothing = Annotated[tuple[object, ...], Field(max_length=0, description="Empty: there are none.")]


class CreateScenario(Params):
    name: Text
    "Unique in the account."
    operations: Operations
    "What it begins with; each has `do` and what belongs to it, as in the directory file."
    branches: Branches = {}
    "What operations may lead to, by label."
    virtual_phone_numbers: Numbers | None = None
    "The account's numbers that run it."


class UpdateScenario(Params):
    id: Id
    "Which one. What is left out stays; what is sent replaces the whole."
    name: Text | None = None
    "Unique in the account."
    operations: Operations | None = None
    "What it begins with."
    branches: Branches | None = None
    "All branches; those left out go."
    virtual_phone_numbers: Numbers | None = None
    "The account's numbers that run it from now on; those left out run none."
    sites: Nothing = ()
    campaigns: Nothing = ()


def _without_start(lists: Mapping[str, object]) -> dict[str, object]:
    return {label: operations for label, operations in lists.items() if label != START}


@described
class ShownScenario(TypedDict):
    id: int
    name: str
    virtual_phone_numbers: Annotated[list[str], Stored("numbers")]
    "Those that run it."
    sites: UnknownArray
    campaigns: UnknownArray
    operations: Annotated[list[dict[str, object]], MadeOf("branches", lambda lists: lists[START])]
    "As in the directory file; what has its default value is shown, too."
    branches: Annotated[dict[str, object], MadeOf("branches", _without_start)]
    "Lists of operations by label."


GET_SCENARIOS = list_declaration(
    "get.scenarios",
    ShownScenario,
    table="scenarios",
    params=ListRequest,
    summary="List the account's scenarios.",
)
CREATE_SCENARIOS = entity_declaration(
    "create.scenarios",
    CreateScenario,
    summary="Create a scenario.",
    errors=(NOT_FOUND, DUPLICATE, UNUSABLE),
    result=Made,
)
UPDATE_SCENARIOS = entity_declaration(
    "update.scenarios",
    UpdateScenario,
    summary="Change what is sent of a scenario; calls that run it go on as it was.",
    errors=(NOT_FOUND, DUPLICATE, UNUSABLE),
)
DELETE_SCENARIOS = deletion(
    "delete.scenarios",
    summary="Delete a scenario that no number runs.",
    errors=(DEPENDENCY,),
)
DECLARATIONS = (GET_SCENARIOS, CREATE_SCENARIOS, UPDATE_SCENARIOS, DELETE_SCENARIOS)


class ScenarioEntities:
    def __init__(self, editor: ScenariosEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_SCENARIOS.served_by(self.create),
            UPDATE_SCENARIOS.served_by(self.update),
            DELETE_SCENARIOS.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: CreateScenario) -> Made:
        def made(id: int) -> ScenarioEntry:
            return ScenarioEntry(
                id=id, name=params.name, operations=params.operations, branches=params.branches
            )

        with answering():
            scenario = await self._editor.add_scenario(
                caller.account.id, made, params.virtual_phone_numbers
            )
        return {"id": scenario}

    async def update(self, caller: Caller, params: UpdateScenario) -> Done:
        def change(before: ScenarioEntry) -> ScenarioEntry:
            return ScenarioEntry(
                id=before.id,
                name=before.name if params.name is None else params.name,
                operations=before.operations if params.operations is None else params.operations,
                branches=before.branches if params.branches is None else params.branches,
            )

        with answering():
            await self._editor.change_scenario(
                caller.account.id, ScenarioId(params.id), change, params.virtual_phone_numbers
            )
        return DONE

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_scenario(caller.account.id, ScenarioId(params.id))
        return DONE
