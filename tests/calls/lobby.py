"""Scenarios for stories: operations with short names, and a reception that lets callers in."""

import itertools
from collections.abc import Mapping, Sequence

from callwright.calls.plan import (
    AdmittedAddress,
    Caption,
    Conversation,
    Direction,
    EmployeeRef,
    Message,
    RingGroup,
    Target,
)
from callwright.calls.scenario_plan import (
    START,
    Announcement,
    Ask,
    InboundCall,
    Menu,
    NoRoute,
    Operation,
    PreparedScenario,
    Question,
    Queue,
    RefusedCall,
    Ring,
    Route,
    Voicemail,
)
from callwright.engines.port import Address, LegId, LegOffered
from tests.calls.stage import Props, Stage

NUMBER = "74993720692"
"The virtual number that is called."

_legs = itertools.count(1)


def person(number: str, *, employee: int | None = None, within: float = 10.0) -> Sequence[Target]:
    """Somebody with one phone."""
    name = EmployeeRef(employee, f"Employee {employee}") if employee else None
    return [Target(AdmittedAddress(Address(number, trunk="t")), NUMBER, within, name)]


def scenario(*operations: Operation, **branches: Sequence[Operation]) -> PreparedScenario:
    return PreparedScenario({START: operations, **branches})


def ring(
    *people: Sequence[Target],
    at_once: bool = False,
    message: Message | None = None,
    then: str | None = None,
) -> Ring:
    if not at_once:
        return Ring([RingGroup([phone for phones in people for phone in phones])], message, then)
    turns = itertools.zip_longest(*people)
    phones = [phone for turn in turns for phone in turn if phone]
    return Ring([RingGroup(phones, len(people), len(people))], message, then)


class Lobby:
    """A reception that lets every call into one scenario, or refuses it."""

    def __init__(self, props: Props, scenario: PreparedScenario) -> None:
        self.props = props
        self.scenario = scenario
        self.refused: RefusedCall | None = None

    async def receive(self, offered: LegOffered) -> InboundCall | RefusedCall | None:
        contact = Target(
            AdmittedAddress(Address(offered.caller, trunk=offered.trunk)), offered.called, 0.0
        )
        caption = Caption(
            account=1,
            method="inbound",
            direction=Direction.IN,
            virtual_number=offered.called,
            contact_number=offered.caller,
            external_id=None,
            dtmf_string="",
            employee=None,
        )
        if self.refused:
            return RefusedCall(
                caption, offered.leg, contact, self.refused.ending, self.refused.cause
            )
        return InboundCall(caption, offered.leg, contact, self.scenario, self.conversation)

    @property
    def conversation(self) -> Conversation:
        return Conversation(self.props.music, self.props.ringback, at_most=600.0)


def calls_in(scene: Stage, caller: str) -> LegId:
    """Let a phone call the number; what it does after the answer is in its script."""
    leg = LegId(next(_legs))
    scene.engine.offer(leg, caller=caller, called=NUMBER, trunk="t")
    return leg


class Oracle:
    """A customer's URL that answers what it was told to."""

    def __init__(self, answer: Route | str) -> None:
        self.answer = answer
        self.asked: list[Question] = []

    async def route(self, question: Question) -> Route:
        self.asked.append(question)
        if isinstance(self.answer, str):
            raise NoRoute(self.answer)
        return self.answer


def ask(
    answer: Route | str,
    *,
    message: Message | None = None,
    digits: int = 0,
    returned: Mapping[str, str] | None = None,
    otherwise: str | None = None,
    then: str | None = None,
) -> Ask:
    return Ask(Oracle(answer), message, digits, returned or {}, otherwise, then)


def menu(
    message: Message,
    keys: Mapping[str, str],
    *,
    within: float = 5.0,
    repeats: int = 1,
    otherwise: str | None = None,
) -> Menu:
    return Menu(message, keys, within, repeats, otherwise)


def queue(
    props: Props,
    *people: Sequence[Target],
    places: int = 10,
    at_most: float = 300.0,
    rest: float = 10.0,
    announced_every: float | None = None,
    message: Message | None = None,
    then: str | None = None,
) -> Queue:
    announcement = None
    if announced_every:
        announcement = Announcement(
            announced_every, lambda position: props.recorded(f"position-{position}", 1.0)
        )
    return Queue("line", people, places, at_most, rest, props.music, announcement, message, then)


def voicemail(props: Props, at_most: float = 20.0) -> Voicemail:
    return Voicemail(props.recorded("leave", 1.0), props.recorded("beep", 0.5), at_most)
