"""The methods that start and control calls put together, and what calls that come in are met by."""

from collections.abc import Sequence
from typing import Any

import anyio.to_thread

from callwright.hooks.client import HookClient
from callwright.methods.call_queries import Listings
from callwright.methods.control_calls import ControlCalls
from callwright.methods.conversations import Conversations
from callwright.methods.dialling import Dialling
from callwright.methods.inbound_calls import InboundCalls
from callwright.methods.live import LiveCalls
from callwright.methods.messages import Messages
from callwright.methods.method import Method
from callwright.methods.numbers import Numbers
from callwright.methods.own_numbers import OwnNumbers
from callwright.methods.phone_calls import PhoneCalls
from callwright.methods.phone_exchange import PhoneExchange
from callwright.methods.prompts import Prompts
from callwright.methods.scenarios import Scenarios
from callwright.methods.start_calls import StartCalls
from callwright.methods.start_informer import InformerCalls
from callwright.methods.start_multi import MultiCalls
from callwright.methods.start_scenarios import ScenarioCalls
from callwright.methods.starting import Starting
from callwright.methods.tag_and_block import Marks
from callwright.methods.talk_options import TalkOptions
from callwright.methods.talk_scenarios import TalkScenarios
from callwright.speech.music import beep_of, ringback_of
from callwright.storage.history.contacts import StoredHistory
from callwright.wiring.components import Components


async def call_methods(components: Components, hooks: HookClient) -> Sequence[Method[Any]]:
    """Every method of the Call API, but for logging in; the manager is given its reception.

    ``hooks``: what asks customers' URLs where a call goes.
    """
    settings, directory, manager = components.settings, components.directory, components.manager
    ringback = await anyio.to_thread.run_sync(ringback_of, settings.data)
    beep = await anyio.to_thread.run_sync(beep_of, settings.data)
    numbers = Numbers(directory, Dialling(directory), dial_time=settings.calls.dial_time)
    messages = Messages(
        directory, components.speech, tts_length_limit=settings.api.tts_length_limit
    )
    live = LiveCalls(manager)
    talk_options = TalkOptions(live, directory, numbers)
    conversations = Conversations(talk_options, ringback, settings.calls.talk_at_most)
    scenarios = Scenarios(
        directory,
        numbers,
        components.speech,
        conversations,
        hooks,
        beep,
        components.around.clock.now,
    )
    exchange = PhoneExchange(directory, numbers, settings.calls.phones_call_out)
    manager.transfers.exchange = exchange
    manager.door.reception = InboundCalls(
        directory,
        scenarios,
        conversations,
        messages,
        PhoneCalls(directory, exchange, conversations, messages),
    )
    talk_options.scenarios = TalkScenarios(directory, scenarios, conversations, messages)
    history = StoredHistory(components.storage.database)
    own_numbers = OwnNumbers(directory, history, components.around.choose)
    starting = Starting(numbers, own_numbers, messages, conversations, manager, settings.api)
    prompts = Prompts(components.speech, settings.prompts)
    return [
        *StartCalls(starting, prompts).methods(),
        *InformerCalls(starting).methods(),
        *MultiCalls(starting, prompts).methods(),
        *ScenarioCalls(starting, directory, scenarios).methods(),
        *ControlCalls(live, numbers, messages, settings.api).methods(),
        *Marks(live, directory).methods(),
        *talk_options.methods(),
        *Listings(manager, components.journal, components.links, components.tagging).methods(),
    ]
