"""A stage for stories: a call manager on the simulated engine, on a clock that jumps.

``play(story)`` runs an async story on trio's autojump clock: hours pass in milliseconds.
"""

import itertools
import tempfile
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import trio
import trio.testing

from callwright.calls.dtmf import timed_keys
from callwright.calls.events import (
    LegEnded,
    LegStarted,
    SessionEvent,
    SessionFinished,
    SessionStarted,
)
from callwright.calls.journal import Once
from callwright.calls.manager import CallManager
from callwright.calls.plan import (
    AdmittedAddress,
    Caption,
    Conversation,
    Direction,
    EmployeeCall,
    EmployeeRef,
    Message,
    MessageUnavailable,
    Plan,
    RecordedMessage,
    RingGroup,
    Role,
    SessionId,
    Target,
)
from callwright.calls.recording import RecordingFiles
from callwright.calls.scenario_plan import ScenarioPlan
from callwright.engines.network import Trunk
from callwright.engines.port import Address, EngineEvent, Media
from callwright.engines.simulated.engine import SimulatedEngine
from callwright.engines.simulated.far_end import FarEnd
from callwright.engines.simulated.hearing import SimulatedLeg

CONTACT = "79260000000"
EMPLOYEE = "79260000001"
EMPLOYEE_2 = "79260000002"
ANNA = EmployeeRef(25, "Анна Орлова")


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def within_a_week() -> None:
        # A story that waits for what never comes fails, where it would hang.
        with anyio.fail_after(7 * 86400):
            await story()

    trio.run(within_a_week, clock=trio.testing.MockClock(autojump_threshold=0))


class Spoken:
    """A tts message that is ready ``after`` seconds, or never."""

    label = "tts"
    is_tts = True

    def __init__(self, media: Media | None, after: float = 0.0) -> None:
        self._media = media
        self._after = after

    @property
    def is_ready(self) -> bool:
        return not self._after

    async def audio(self) -> Media:
        await anyio.sleep(self._after)
        if self._media is None:
            raise MessageUnavailable("the synthesiser did not answer")
        return self._media


class Props:
    """Media files of given lengths, and a plan made of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.music = self.recorded("music", 10.0)
        self.ringback = self.recorded("ringback", 5.0)

    def media(self, name: str, seconds: float) -> Media:
        path = self._folder / f"{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(bytes(2 * int(16000 * seconds)))
        return Media(path)

    def recorded(self, name: str, seconds: float) -> RecordedMessage:
        return RecordedMessage(self.media(name, seconds), name)

    def spoken(self, name: str, seconds: float, *, ready_after: float = 0.0) -> Spoken:
        return Spoken(self.media(name, seconds), ready_after)

    def unspeakable(self) -> Spoken:
        return Spoken(None)

    def plan(
        self,
        *,
        first: Role = Role.EMPLOYEE,
        switch_at_once: bool = False,
        early_switching: bool = False,
        contact_message: Message | None = None,
        employee_message: Message | None = None,
        dtmf_string: str = "",
        employee_numbers: Sequence[str] = (EMPLOYEE,),
        employee: Sequence[RingGroup] = (),
        dial_time: float = 30.0,
        talk_at_most: float = 7200.0,
        recorded: bool = False,
    ) -> EmployeeCall:
        return EmployeeCall(
            caption=Caption(
                account=1,
                method="start.employee_call",
                direction=Direction.IN,
                virtual_number="74993720692",
                contact_number=CONTACT,
                external_id=None,
                dtmf_string=dtmf_string,
                employee=ANNA,
            ),
            first=first,
            contact=Target(AdmittedAddress(Address(CONTACT, trunk="t")), "74993720692", dial_time),
            employee=employee
            or [
                RingGroup(
                    [
                        Target(
                            AdmittedAddress(Address(number, trunk="t")), CONTACT, dial_time, ANNA
                        )
                        for number in employee_numbers
                    ]
                )
            ],
            switch_at_once=switch_at_once,
            early_switching=early_switching,
            contact_message=contact_message,
            employee_message=employee_message,
            keys=timed_keys(dtmf_string) if dtmf_string else (),
            conversation=Conversation(
                waiting_music=self.music,
                ringback=self.ringback,
                at_most=talk_at_most,
                recorded=recorded,
            ),
        )


class MemoryJournal:
    def __init__(self) -> None:
        self.stories: dict[SessionId, list[SessionEvent]] = {}

    async def begin(self, started: SessionStarted, once: Once | None = None) -> None:
        self.stories[started.session] = [started]

    def hear(self, event: SessionEvent) -> None:
        self.stories[event.session].append(event)


class Stage:
    def __init__(
        self, far_ends: Mapping[str, FarEnd], recordings: Path, parallel_at_most: int
    ) -> None:
        self.engine = SimulatedEngine(far_ends)
        self.journal = MemoryJournal()
        self.manager = CallManager(
            self.engine,
            self.journal,
            next_id=itertools.count(1 << 32).__next__,
            parallel_at_most=parallel_at_most,
            recordings=RecordingFiles(recordings),
        )
        self.manager.listeners.append(self._notice)
        self._verdicts: dict[SessionId, SessionFinished] = {}
        self._news = anyio.Event()
        self.raised_curtain = 0.0
        self.told: list[EngineEvent] = []
        "What the engine has told, in order."

    def deliver(self, event: EngineEvent) -> None:
        self.told.append(event)
        self.manager.deliver(event)

    async def verdict(self, session: SessionId) -> SessionFinished:
        """Wait until a session has ended, and check what holds of every ending."""
        while session not in self._verdicts:
            await self._news.wait()
        await anyio.lowlevel.checkpoint()
        story = self.journal.stories[session]
        assert isinstance(story[-1], SessionFinished), "the verdict is the last event"
        assert sum(isinstance(event, SessionFinished) for event in story) == 1
        assert [event.sequence for event in story] == list(range(1, len(story) + 1))
        return self._verdicts[session]

    async def whole_call(self, plan: Plan | ScenarioPlan) -> SessionFinished:
        """Start a call and wait until it is over; nobody is left on the line."""
        verdict = await self.verdict(await self.manager.start(plan))
        assert not self.engine.legs
        return verdict

    def phone(self, number: str) -> SimulatedLeg:
        """The one leg that rang ``number``."""
        [leg] = [leg for leg in self.engine.rung if leg.to.number == number]
        return leg

    def heard(self, number: str) -> list[tuple[float, str]]:
        """What a phone began to hear, and when, in seconds since the curtain rose."""
        return [(round(at - self.raised_curtain, 2), what) for at, what in self.phone(number).heard]

    def leg_reasons(self) -> dict[str, str]:
        """The finish reason of each number's leg, in the only session there was."""
        [story] = self.journal.stories.values()
        numbers = {
            event.leg: event.called_number for event in story if isinstance(event, LegStarted)
        }
        return {
            numbers[event.leg]: event.finish_reason
            for event in story
            if isinstance(event, LegEnded)
        }

    def names(self, session: SessionId) -> list[str]:
        return [type(event).__name__ for event in self.journal.stories[session]]

    def _notice(self, event: SessionEvent) -> None:
        if isinstance(event, SessionFinished):
            self._verdicts[event.session] = event
            self._news.set()
            self._news = anyio.Event()


@asynccontextmanager
async def stage(
    far_ends: Mapping[str, FarEnd], *, parallel_at_most: int = 100
) -> AsyncIterator[Stage]:
    """Raise the curtain: the engine and the manager run until the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        scene = Stage(far_ends, Path(folder), parallel_at_most)
        async with _running(scene):
            yield scene


@asynccontextmanager
async def _running(scene: Stage) -> AsyncIterator[None]:
    async with anyio.create_task_group() as engine_tasks:
        ready = anyio.Event()
        engine_tasks.start_soon(lambda: scene.engine.run(scene.deliver, started=ready.set))
        await ready.wait()
        async with anyio.create_task_group() as calls:
            up = anyio.Event()
            calls.start_soon(lambda: scene.manager.run(started=up.set))
            await up.wait()
            scene.engine.use_trunks([Trunk("t", "192.0.2.1")])
            scene.raised_curtain = anyio.current_time()
            yield
            calls.cancel_scope.cancel()
        engine_tasks.cancel_scope.cancel()
