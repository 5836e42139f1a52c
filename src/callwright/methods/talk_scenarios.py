"""Scenarios that employees start from a talk: made ready when the keys have been pressed."""

from dataclasses import dataclass

from callwright.calls.commands import RunScenario
from callwright.calls.plan import Caption
from callwright.directory.lookup import Directory
from callwright.directory.model import Account, VirtualNumber
from callwright.directory.scenario import ScenarioId
from callwright.methods.conversations import Conversations
from callwright.methods.messages import Messages
from callwright.methods.scenarios import Occasion, Scenarios


@dataclass(frozen=True, slots=True)
class TalkScenarios:
    """`callwright.methods.talk_options.ScenarioSources`."""

    directory: Directory
    scenarios: Scenarios
    conversations: Conversations
    messages: Messages

    def source(
        self, account: Account, virtual: VirtualNumber, scenario: ScenarioId
    ) -> "TalkScenario":
        return TalkScenario(self, account, virtual, scenario)


@dataclass(frozen=True, slots=True)
class TalkScenario:
    """`callwright.calls.options.ScenarioSource` of one option in one call."""

    of: TalkScenarios
    account: Account
    virtual: VirtualNumber
    scenario: ScenarioId

    async def ready(self, caption: Caption) -> RunScenario | None:
        of, account, direction = self.of, self.account, caption.direction
        found = await of.directory.scenario(account.id, self.scenario)
        if found is None:
            return None
        music = await of.messages.waiting_music(account, None)
        # As in a call that comes in: whoever is rung next sees who the contact is.
        occasion = Occasion(account, self.virtual, caption.contact_number, direction, "contact")
        return RunScenario(
            await of.scenarios.ready(found, occasion, music),
            await of.conversations.of(account, direction, self.virtual, music),
        )
