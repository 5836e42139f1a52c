"""Talk options: what an employee does by keys during a talk (choreography 5)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, assert_never

import anyio

from callwright.calls import events
from callwright.calls.commands import (
    AddCoach,
    CommandRefused,
    RecordTalk,
    RunScenario,
    SetTag,
    TransferCall,
    WrongState,
)
from callwright.calls.ending import Ending
from callwright.calls.immediate_commands import carry_out
from callwright.calls.state import State
from callwright.engines.port import CoachMode

if TYPE_CHECKING:
    from callwright.calls.plan import Caption, Target
    from callwright.calls.session import Session

log = logging.getLogger(__name__)

PRESSED_WITHIN = 2.0
"Seconds between two keys of one button."

FINISHED = Ending("operator_disconnects", "employee", detail="employee: talk option")


@dataclass(frozen=True, slots=True)
class FinishConversation:
    pass


@dataclass(frozen=True, slots=True)
class ToggleRecording:
    pass


@dataclass(frozen=True, slots=True)
class ToggleCoach:
    """Ring the coach, or, if one is there, hang up the coaches."""

    coach: "Sequence[Target]"


@dataclass(frozen=True, slots=True)
class SaveNumber:
    """Tell the contact's number to whoever listens: it is to be kept."""


class ScenarioSource(Protocol):
    async def ready(self, caption: "Caption") -> RunScenario | None:
        """Find the scenario as it is now, for this call; None if there is none any more."""


@dataclass(frozen=True, slots=True)
class StartScenario:
    """Leave, and let a scenario lead the contact on; it is made ready when it is wanted."""

    source: ScenarioSource


@dataclass(frozen=True, slots=True)
class NotOffered:
    """An option that cannot be run, and why."""

    reason: str


Option = (
    FinishConversation
    | ToggleRecording
    | ToggleCoach
    | SaveNumber
    | StartScenario
    | NotOffered
    | SetTag
    | TransferCall
)

Options = Mapping[str, Option]
"Options by button: one to four keys."


class OptionNotOffered(CommandRefused):
    """The option exists and cannot be run."""


ALLOWED_IN = frozenset({State.TALK})
"In which states of a session options are run."


async def run_option(session: "Session", option: Option) -> None:
    """Do what an option says, as if a client had asked. Raises `CommandRefused`."""
    if session.record.state not in ALLOWED_IN:
        raise WrongState
    match option:
        case FinishConversation():
            session.end(FINISHED)
        case ToggleRecording():
            carry_out(session, RecordTalk(on=not session.recorder.on))
        case ToggleCoach(coach=coach):
            if not session.coaches.dismiss_all():
                carry_out(session, AddCoach(coach, CoachMode.WHISPER))
        case SaveNumber():
            session.tell(events.ContactSaved, number=session.caption.contact_number)
        case NotOffered():
            raise OptionNotOffered
        case SetTag():
            carry_out(session, option)
        case TransferCall():
            await session.inbox.ask(option)
        case StartScenario(source=source):
            command = await source.ready(session.caption)
            if command is None:
                raise OptionNotOffered
            await session.inbox.ask(command)
        case _:
            assert_never(option)


class Buttons:
    """Finds out which button an employee means: the longest one that its keys can be."""

    def __init__(self, session: "Session", options: Options) -> None:
        self._session = session
        self._options = options
        self._pressed = ""
        self._scope = anyio.CancelScope()

    def press(self, key: str) -> None:
        """Take one key. A button that may still become a longer one waits for its next key."""
        self._scope.cancel()
        self._pressed += key
        if not self._may_become_longer():
            self._settle()
            return
        self._scope = anyio.CancelScope()
        self._session.start_soon(self._wait, self._scope)

    def _may_become_longer(self) -> bool:
        pressed = self._pressed
        return any(len(b) > len(pressed) and b.startswith(pressed) for b in self._options)

    async def _wait(self, scope: anyio.CancelScope) -> None:
        with scope:
            await anyio.sleep(PRESSED_WITHIN)
            self._settle()

    def _settle(self) -> None:
        button, self._pressed = self._pressed, ""
        if option := self._options.get(button):
            self._session.start_soon(self._run, button, option)

    async def _run(self, button: str, option: Option) -> None:
        try:
            await run_option(self._session, option)
        except CommandRefused as refusal:
            reason = option.reason if isinstance(option, NotOffered) else refusal.reason
        except Exception:
            # A key that cannot be served, since the directory cannot be asked, ends nobody's talk.
            log.exception("%d: talk option %s broke", self._session.id, button)
            reason = OptionNotOffered.reason
        else:
            self._session.tell(events.OptionRun, button=button)
            return
        self._session.tell(events.OptionFailed, button=button, reason=reason)
