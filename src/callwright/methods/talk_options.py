"""Talk options: what an account has put on its employees' keys, listed, and run by request."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from pydantic import Field
from typing_extensions import TypedDict

from callwright.calls import options
from callwright.calls.commands import CommandRefused, SetTag, TransferCall
from callwright.calls.options import ALLOWED_IN, Option, Options, ScenarioSource, run_option
from callwright.directory.lookup import Directory
from callwright.directory.model import (
    Account,
    Component,
    Mnemonic,
    TalkOption,
    VirtualNumber,
)
from callwright.directory.scenario import Scenario, ScenarioId
from callwright.methods import errors
from callwright.methods.api_error import ApiError
from callwright.methods.live import SUCCESS, LiveCalls, OfSession, Success, refused
from callwright.methods.method import Caller, Declaration, Method, Params, described
from callwright.methods.numbers import Numbers


class ListTalkOptions(Params):
    pass


class CallTalkOption(OfSession):
    button: Annotated[str, Field(min_length=1, max_length=4)]
    "The option's keys, as list.talk_options shows them."


@described
class ListedOption(TypedDict):
    button: str
    mnemonic: str
    name: str
    button_value: dict[str, object]
    "`{id, value}` of what the option is about; empty where it is about nothing."


LIST_TALK_OPTIONS = Declaration(
    "list.talk_options",
    ListTalkOptions,
    component=Component.MANAGEMENT,
    summary="List what employees can do by keys during a talk.",
    result=list[ListedOption],
)

CALL_TALK_OPTION = Declaration(
    "call.talk_option",
    CallTalkOption,
    component=Component.MANAGEMENT,
    summary="Run a talk option, as if the employee had pressed its keys.",
    errors=("call_session_not_found", "talk_option_not_found", "forbidden", "invalid_state"),
    result=Success,
    states=ALLOWED_IN,
)

NO_FAX = "fax is not offered"


class ScenarioSources(Protocol):
    """Whoever can make a scenario ready while a call goes on."""

    def source(
        self, account: Account, virtual: VirtualNumber, scenario: ScenarioId
    ) -> ScenarioSource: ...


class TalkOptions:
    """``scenarios`` is to be set before the first call: scenarios hold conversations, which hold
    talk options, which may hold scenarios."""

    scenarios: ScenarioSources

    def __init__(self, live: LiveCalls, directory: Directory, numbers: Numbers) -> None:
        self._live = live
        self._directory = directory
        self._numbers = numbers

    def methods(self) -> Sequence[Method[Any]]:
        return (
            LIST_TALK_OPTIONS.served_by(self.list_options),
            CALL_TALK_OPTION.served_by(self.run),
        )

    async def of_call(
        self, account: Account, employee: int | None, virtual: VirtualNumber
    ) -> Options:
        """The account's options, ready to be run in a call of this employee's."""
        return {
            option.button: await self._ready(account, employee, virtual, option)
            for option in await self._directory.talk_options(account.id)
        }

    async def list_options(self, caller: Caller, params: ListTalkOptions) -> list[ListedOption]:
        return [
            ListedOption(
                button=option.button,
                mnemonic=option.mnemonic.value,
                name=option.name,
                button_value=await self._value(caller.account, option),
            )
            for option in await self._directory.talk_options(caller.account.id)
        ]

    async def run(self, caller: Caller, params: CallTalkOption) -> Success:
        session = self._live.session(caller, params)
        option = session.options.get(params.button)
        if option is None:
            # Before the talk there are no options; that a button exists is told all the same.
            listed = await self._directory.talk_options(caller.account.id)
            if params.button in {one.button for one in listed}:
                raise errors.InvalidState
            raise errors.TalkOptionNotFound(field="button", value=params.button)
        try:
            await run_option(session, option)
        except options.OptionNotOffered as refusal:
            raise refused(refusal, field="button", value=params.button) from None
        except CommandRefused as refusal:
            raise refused(refusal) from None
        return SUCCESS

    async def _ready(
        self, account: Account, employee: int | None, virtual: VirtualNumber, option: TalkOption
    ) -> Option:
        match option.mnemonic:
            case Mnemonic.FINISH_CONVERSATION:
                return options.FinishConversation()
            case Mnemonic.RECORD_TALK:
                return options.ToggleRecording()
            case Mnemonic.SAVE_NUMA:
                return options.SaveNumber()
            case Mnemonic.TAG_CALL:
                tag = await self._directory.tag(account.id, int(option.value or 0))
                return SetTag(tag.id, tag.name) if tag else options.NotOffered("there is no tag")
            case Mnemonic.TRANSFER_CALL:
                return await self._transfer(account, virtual, option)
            case Mnemonic.CALL_COACH:
                coach = employee and await self._numbers.coach(
                    account, employee, virtual, shown=virtual.number
                )
                if not coach:
                    return options.NotOffered("no coach is set for the employee")
                return options.ToggleCoach(coach)
            case Mnemonic.RECEIVE_FAX:
                return options.NotOffered(NO_FAX)
            case Mnemonic.RUN_SCENARIO:
                scenario = await self._scenario(account, option)
                if scenario is None:
                    return options.NotOffered("there is no scenario")
                return options.StartScenario(self.scenarios.source(account, virtual, scenario.id))

    async def _scenario(self, account: Account, option: TalkOption) -> Scenario | None:
        # The value is whatever the data holds; an id of ours is no longer than that.
        if not option.value or not option.value.isdecimal() or len(option.value) > 15:
            return None
        return await self._directory.scenario(account.id, ScenarioId(int(option.value)))

    async def _transfer(
        self, account: Account, virtual: VirtualNumber, option: TalkOption
    ) -> Option:
        try:
            third = await self._numbers.everybody(
                account, "value", option.value or "", virtual, shown=virtual.number
            )
        except ApiError as fault:
            return options.NotOffered(str(fault))
        return TransferCall(third)

    async def _value(self, account: Account, option: TalkOption) -> dict[str, object]:
        if option.value is None:
            return {}
        if option.mnemonic is Mnemonic.TAG_CALL:
            tag = await self._directory.tag(account.id, int(option.value))
            return {"id": int(option.value), "value": tag.name if tag else None}
        if option.mnemonic is Mnemonic.RUN_SCENARIO:
            scenario = await self._scenario(account, option)
            if scenario:
                return {"id": scenario.id, "value": scenario.name}
        number = int(option.value) if option.value.isdigit() and len(option.value) < 16 else None
        return {"id": number, "value": option.value}
