"""The engine contract, clause by clause: one suite that every engine passes.

A clause is a coroutine that gets a `Line`: an engine that runs, with phones that behave as told in
the words of the simulated engine. ``CLAUSES`` is what a test module parametrises over.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import anyio
import anyio.lowlevel
import pytest

from callwright.engines.network import SipAccount
from callwright.engines.port import (
    Address,
    BridgeId,
    Cause,
    CoachMode,
    DtmfReceived,
    DtmfSent,
    EarlyMediaStarted,
    Engine,
    EngineEvent,
    LegConnected,
    LegGone,
    LegHeld,
    LegId,
    LegOffered,
    LegReleased,
    LegResumed,
    LegRinging,
    Media,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
    TransferAsked,
)
from callwright.engines.simulated.far_end import (
    Act,
    Answers,
    HangsUp,
    Holds,
    Presses,
    Rejects,
    Resumes,
    Rings,
    SendsEarlyMedia,
    Transfers,
)
from tests.waiting import WITHIN

A, B, C = LegId(1 << 33), LegId((1 << 33) + 1), LegId((1 << 33) + 2)
CALL = (A, B, C)
PLAYBACK, PLAYBACK_2 = PlaybackId(71), PlaybackId(72)
BRIDGE, BRIDGE_2 = BridgeId(81), BridgeId(82)
RECORDING, RECORDING_2 = RecordingId(91), RecordingId(92)

INBOUND = "inbound"
"The trunk that calls come in from."


class Line(Protocol):
    @property
    def engine(self) -> Engine: ...

    @property
    def heard(self) -> "Heard": ...

    async def phone(self, *acts: tuple[float, Act]) -> Address:
        """A new phone that acts so when it is rung; each act so long after the one before."""

    async def call_in(self, caller: str, called: str, *acts: tuple[float, Act]) -> None:
        """A phone calls us through the trunk `INBOUND`; of its acts before `Answers` only `HangsUp`
        counts, by which it takes the call back; the others follow our answer.
        """

    def media(self, seconds: float) -> Media: ...

    def file(self, name: str) -> Path:
        """Where a recording may be put."""


class Heard:
    """Every event the engine delivered, with the checks that hold of every event."""

    def __init__(self) -> None:
        self.events: list[EngineEvent] = []
        self.in_command = False
        self._more = anyio.Event()

    def deliver(self, event: EngineEvent) -> None:
        assert not self.in_command, "clause 3: an engine never delivers from inside a command"
        over = {told.leg for told in self.events if isinstance(told, LegReleased)}
        assert event.leg not in over, f"clause 4: {event} after LegReleased"
        self.events.append(event)
        self._more.set()
        self._more = anyio.Event()

    def of(self, leg: LegId) -> list[EngineEvent]:
        return [event for event in self.events if event.leg == leg]

    async def wait_for(self, event: EngineEvent) -> None:
        with anyio.fail_after(WITHIN):
            while event not in self.events:
                await self._more.wait()

    async def offered(self, *, after: Sequence[LegId] = ()) -> LegOffered:
        """Wait until a call comes in that is none of those in ``after``."""
        with anyio.fail_after(WITHIN):
            while True:
                for event in self.events:
                    if isinstance(event, LegOffered) and event.leg not in after:
                        return event
                await self._more.wait()

    async def finish_of(self, recording: RecordingId) -> RecordingFinished:
        with anyio.fail_after(WITHIN):
            while True:
                for event in self.events:
                    if isinstance(event, RecordingFinished) and event.recording == recording:
                        return event
                await self._more.wait()

    async def end_of(self, leg: LegId) -> LegReleased:
        with anyio.fail_after(WITHIN):
            while True:
                for event in self.of(leg):
                    if isinstance(event, LegReleased):
                        return event
                await self._more.wait()


RINGS = (0.0, Rings())
ANSWERS = (0.05, Answers())


async def answered(line: Line, leg: LegId, *then: tuple[float, Act]) -> None:
    """Ring a phone that answers soon, and wait until it has."""
    to = await line.phone(RINGS, ANSWERS, *then)
    line.engine.ring(leg, to, caller_id="74993720692", beside=CALL)
    await line.heard.wait_for(LegConnected(leg))


async def a_leg_rings_and_is_answered(line: Line) -> None:
    await answered(line, A)
    assert line.heard.of(A) == [LegRinging(A), LegConnected(A)]


async def a_phone_that_does_not_ring_may_answer(line: Line) -> None:
    line.engine.ring(A, await line.phone((0.0, Answers())), caller_id="1234567")
    await line.heard.wait_for(LegConnected(A))
    assert line.heard.of(A) == [LegConnected(A)]


async def a_busy_phone_ends_the_leg(line: Line) -> None:
    busy = Rejects(Cause.BUSY, "486 Busy Here")
    line.engine.ring(A, await line.phone((0.0, busy)), caller_id="1234567")
    ended = await line.heard.end_of(A)
    assert (ended.cause, ended.raw) == (Cause.BUSY, "486 Busy Here")


async def a_declined_call_ends_the_leg(line: Line) -> None:
    decline = Rejects(Cause.REJECTED, "603 Decline")
    line.engine.ring(A, await line.phone(RINGS, (0.05, decline)), caller_id="1234567")
    ended = await line.heard.end_of(A)
    assert (ended.cause, ended.raw) == (Cause.REJECTED, "603 Decline")
    assert line.heard.of(A)[0] == LegRinging(A)


async def hanging_up_while_it_rings_ends_the_leg_at_once(line: Line) -> None:
    line.engine.ring(A, await line.phone(RINGS), caller_id="1234567")
    await line.heard.wait_for(LegRinging(A))
    line.engine.hang_up(A)
    assert (await line.heard.end_of(A)).cause is Cause.RELEASED


async def hanging_up_before_anything_was_heard_ends_the_leg_at_once(line: Line) -> None:
    line.engine.ring(A, await line.phone((4.0, Rings())), caller_id="1234567")
    line.engine.hang_up(A)
    assert (await line.heard.end_of(A)).cause is Cause.RELEASED
    assert len(line.heard.of(A)) == 1


async def hanging_up_an_answered_leg_ends_it_at_once(line: Line) -> None:
    await answered(line, A)
    line.engine.hang_up(A)
    line.engine.hang_up(A)
    assert (await line.heard.end_of(A)).cause is Cause.RELEASED


async def the_far_end_hangs_up(line: Line) -> None:
    await answered(line, A, (0.05, HangsUp()))
    assert (await line.heard.end_of(A)).cause is Cause.HUNG_UP


async def commands_to_a_leg_that_is_gone_raise_leg_gone(line: Line) -> None:
    await answered(line, A)
    await answered(line, B, (0.05, HangsUp()))
    await line.heard.end_of(B)
    media = line.media(0.1)
    with pytest.raises(LegGone):
        line.engine.play(B, PLAYBACK, media)
    with pytest.raises(LegGone):
        line.engine.send_key(B, "1")
    with pytest.raises(LegGone):
        line.engine.bridge(BRIDGE, A, B)
    with pytest.raises(LegGone):
        line.engine.play(LegId(5), PLAYBACK, media)
    line.engine.hang_up(B)
    line.engine.hang_up(LegId(5))
    line.engine.stop(PLAYBACK)
    line.engine.unbridge(BRIDGE)


async def a_playback_is_played_to_its_end(line: Line) -> None:
    await answered(line, A)
    began = anyio.current_time()
    line.engine.play(A, PLAYBACK, line.media(0.5))
    await line.heard.wait_for(PlaybackFinished(A, PLAYBACK))
    assert anyio.current_time() - began >= 0.47
    line.engine.stop(PLAYBACK)


async def a_stopped_or_replaced_playback_does_not_finish(line: Line) -> None:
    await answered(line, A)
    line.engine.play(A, PLAYBACK, line.media(0.2))
    line.engine.stop(PLAYBACK)
    line.engine.play(A, PlaybackId(73), line.media(0.2))
    line.engine.play(A, PLAYBACK_2, line.media(0.3))
    await line.heard.wait_for(PlaybackFinished(A, PLAYBACK_2))
    finished = [event for event in line.heard.events if isinstance(event, PlaybackFinished)]
    assert finished == [PlaybackFinished(A, PLAYBACK_2)]


async def a_looped_playback_never_finishes(line: Line) -> None:
    await answered(line, A)
    await answered(line, B)
    line.engine.play(A, PLAYBACK, line.media(0.1), loop=True)
    line.engine.play(B, PLAYBACK_2, line.media(0.5))  # five rounds of the other
    await line.heard.wait_for(PlaybackFinished(B, PLAYBACK_2))
    assert PlaybackFinished(A, PLAYBACK) not in line.heard.events


async def a_leg_that_ends_takes_its_playback_with_it(line: Line) -> None:
    await answered(line, A)
    await answered(line, B)
    line.engine.play(A, PLAYBACK, line.media(0.2))
    line.engine.play(B, PLAYBACK_2, line.media(0.4))
    line.engine.hang_up(A)
    await line.heard.wait_for(PlaybackFinished(B, PLAYBACK_2))
    assert PlaybackFinished(A, PLAYBACK) not in line.heard.events


async def keys_are_sent_one_after_another(line: Line) -> None:
    await answered(line, A)
    began = anyio.current_time()
    for key in "1*#":
        line.engine.send_key(A, key)
    await line.heard.wait_for(DtmfSent(A, "#"))
    assert anyio.current_time() - began >= 0.3
    sent = [event.key for event in line.heard.of(A) if isinstance(event, DtmfSent)]
    assert sent == ["1", "*", "#"]


async def keys_of_the_far_end_are_told(line: Line) -> None:
    await answered(line, A, (0.05, Presses("7")), (0.25, Presses("#")))
    await line.heard.wait_for(DtmfReceived(A, "#"))
    pressed = [event.key for event in line.heard.of(A) if isinstance(event, DtmfReceived)]
    assert pressed == ["7", "#"]


async def early_media_is_told_once_and_can_be_bridged(line: Line) -> None:
    await answered(line, A)
    voicemail = await line.phone((0.0, SendsEarlyMedia()), (0.2, Answers()))
    line.engine.ring(B, voicemail, caller_id="1234567", beside=CALL)
    await line.heard.wait_for(EarlyMediaStarted(B))
    line.engine.bridge(BRIDGE, A, B)
    await line.heard.wait_for(LegConnected(B))
    line.engine.unbridge(BRIDGE)
    assert line.heard.of(B) == [EarlyMediaStarted(B), LegConnected(B)]


async def a_second_bridge_replaces_the_first(line: Line) -> None:
    for leg in (A, B, C):
        await answered(line, leg)
    line.engine.bridge(BRIDGE, A, B)
    line.engine.bridge(BRIDGE_2, A, C)
    line.engine.unbridge(BRIDGE)
    line.engine.unbridge(BRIDGE_2)
    line.engine.unbridge(BRIDGE_2)


async def who_is_heard_may_change_at_any_time(line: Line) -> None:
    """Clause 8, as far as events can show it: no command of these makes one."""
    for leg in (A, B, C):
        await answered(line, leg)
    before = list(line.heard.events)
    line.engine.bridge(BRIDGE, A, B)
    for mode in CoachMode:
        line.engine.coach(C, A, mode)
    line.engine.mute(A, muted=True)
    line.engine.mute(A, muted=True)
    line.engine.unbridge(BRIDGE)
    line.engine.bridge(BRIDGE_2, A, C)  # a coach may be bridged with whom it coaches
    line.engine.mute(A, muted=False)
    line.engine.stop_coaching(C)
    line.engine.stop_coaching(C)
    line.engine.play(A, PLAYBACK, line.media(0.1))
    await line.heard.wait_for(PlaybackFinished(A, PLAYBACK))
    assert line.heard.events == [*before, PlaybackFinished(A, PLAYBACK)]


async def coaching_ends_with_either_leg(line: Line) -> None:
    for leg in (A, B, C):
        await answered(line, leg)
    line.engine.coach(B, A, CoachMode.BARGE)
    line.engine.coach(C, A, CoachMode.WHISPER)
    line.engine.hang_up(B)
    await line.heard.end_of(B)
    line.engine.hang_up(A)
    await line.heard.end_of(A)
    line.engine.stop_coaching(B)
    line.engine.stop_coaching(C)
    with pytest.raises(LegGone):
        line.engine.coach(C, A, CoachMode.LISTEN)
    with pytest.raises(LegGone):
        line.engine.coach(A, C, CoachMode.LISTEN)
    with pytest.raises(LegGone):
        line.engine.mute(A, muted=True)
    line.engine.mute(C, muted=True)
    assert line.heard.of(C)[-1] == LegConnected(C)


def recordings(line: Line) -> list[RecordingFinished]:
    return [event for event in line.heard.events if isinstance(event, RecordingFinished)]


async def a_recording_that_is_stopped_finishes_once(line: Line) -> None:
    await answered(line, A)
    await answered(line, B)
    line.engine.bridge(BRIDGE, A, B)
    began = anyio.current_time()
    line.engine.record(RECORDING, A, B, line.file("1.wav"))
    line.engine.play(A, PLAYBACK, line.media(0.3))
    await line.heard.wait_for(PlaybackFinished(A, PLAYBACK))
    line.engine.stop_recording(RECORDING)
    line.engine.stop_recording(RECORDING)
    told = await line.heard.finish_of(RECORDING)
    assert (told.leg, told.fault) == (A, "")
    assert 0.2 <= told.duration <= anyio.current_time() - began + 0.02, "to a frame"
    line.engine.stop_recording(RECORDING)
    line.engine.hang_up(A)
    await line.heard.end_of(A)
    assert recordings(line) == [told]


async def a_recording_ends_with_its_first_leg_and_before_it(line: Line) -> None:
    await answered(line, A)
    await answered(line, B)
    line.engine.record(RECORDING, A, B, line.file("1.wav"))
    line.engine.record(RECORDING_2, A, B, line.file("2.wav"))
    line.engine.hang_up(A)
    await line.heard.end_of(A)
    assert {told.recording for told in recordings(line)} == {RECORDING, RECORDING_2}
    assert {told.leg for told in recordings(line)} == {A}
    line.engine.stop_recording(RECORDING)
    with pytest.raises(LegGone):
        line.engine.record(RecordingId(93), A, B, line.file("3.wav"))


async def a_recording_ends_with_its_other_leg(line: Line) -> None:
    await answered(line, A)
    await answered(line, B, (0.2, HangsUp()))
    line.engine.record(RECORDING, A, B, line.file("1.wav"))
    assert (await line.heard.finish_of(RECORDING)).leg == A
    assert LegConnected(A) in line.heard.events


async def one_leg_alone_can_be_recorded(line: Line) -> None:
    await answered(line, A)
    line.engine.record(RECORDING, A, None, line.file("1.wav"))
    line.engine.record(RECORDING_2, A, None, line.file("2.wav"))
    line.engine.stop_recording(RECORDING)
    assert (await line.heard.finish_of(RECORDING)).leg == A
    line.engine.hang_up(A)
    await line.heard.end_of(A)
    assert {told.recording for told in recordings(line)} == {RECORDING, RECORDING_2}
    with pytest.raises(LegGone):
        line.engine.record(RecordingId(93), A, None, line.file("3.wav"))


async def nobody_can_be_rung_without_a_way(line: Line) -> None:
    line.engine.ring(A, Address("74950000000", trunk="no such trunk"), caller_id="1234567")
    ended = await line.heard.end_of(A)
    assert ended.cause is Cause.UNREACHABLE
    assert "no such trunk" in ended.raw
    line.engine.ring(B, Address("74950000000"), caller_id="1234567")
    assert (await line.heard.end_of(B)).cause is Cause.UNREACHABLE


async def a_phone_that_is_not_registered_cannot_be_rung(line: Line) -> None:
    line.engine.use_phones([SipAccount("101", "secret")])
    line.engine.ring(A, Address("102"), caller_id="1234567")
    ended = await line.heard.end_of(A)
    assert (ended.cause, ended.raw) == (Cause.UNREACHABLE, "not registered")


async def a_call_comes_in_and_is_answered(line: Line) -> None:
    await line.call_in("79261234567", "74993720692", ANSWERS, (0.1, Presses("5")))
    offered = await line.heard.offered()
    leg = offered.leg
    assert leg not in (A, B, C)
    assert offered == LegOffered(leg, "79261234567", "74993720692", INBOUND)
    line.engine.ring_back(leg)
    line.engine.answer(leg)
    line.engine.answer(leg)
    await line.heard.wait_for(LegConnected(leg))
    line.engine.play(leg, PLAYBACK, line.media(0.1))
    await line.heard.wait_for(PlaybackFinished(leg, PLAYBACK))
    await line.heard.wait_for(DtmfReceived(leg, "5"))
    line.engine.hang_up(leg)
    assert (await line.heard.end_of(leg)).cause is Cause.RELEASED
    assert line.heard.of(leg).count(LegConnected(leg)) == 1


async def two_who_called_in_are_bridged(line: Line) -> None:
    legs: list[LegId] = []
    for caller in ("79261234567", "79261234568"):
        await line.call_in(caller, "74993720692", ANSWERS)
        leg = (await line.heard.offered(after=legs)).leg
        line.engine.answer(leg)
        await line.heard.wait_for(LegConnected(leg))
        legs.append(leg)
    line.engine.bridge(BRIDGE, *legs)
    line.engine.unbridge(BRIDGE)
    assert len(set(legs)) == 2


async def a_caller_hangs_up(line: Line) -> None:
    await line.call_in("79261234567", "74993720692", ANSWERS, (0.1, HangsUp()))
    leg = (await line.heard.offered()).leg
    line.engine.answer(leg)
    await line.heard.wait_for(LegConnected(leg))
    assert (await line.heard.end_of(leg)).cause is Cause.HUNG_UP


async def a_caller_takes_its_call_back(line: Line) -> None:
    await line.call_in("79261234567", "74993720692", (0.1, HangsUp()))
    leg = (await line.heard.offered()).leg
    line.engine.ring_back(leg)
    assert (await line.heard.end_of(leg)).cause is Cause.HUNG_UP
    with pytest.raises(LegGone):
        line.engine.answer(leg)
    with pytest.raises(LegGone):
        line.engine.reject(leg, Cause.BUSY)
    with pytest.raises(LegGone):
        line.engine.ring_back(leg)
    line.engine.hang_up(leg)


async def a_call_that_comes_in_is_rejected(line: Line) -> None:
    legs: list[LegId] = []
    for cause in (Cause.BUSY, Cause.REJECTED, Cause.WRONG_NUMBER, Cause.NO_ANSWER):
        await line.call_in("79261234567", "74993720692", ANSWERS)
        leg = (await line.heard.offered(after=legs)).leg
        line.engine.reject(leg, cause)
        assert (await line.heard.end_of(leg)).cause is cause
        assert len(line.heard.of(leg)) == 2
        legs.append(leg)


async def hanging_up_a_call_that_comes_in_ends_it_at_once(line: Line) -> None:
    await line.call_in("79261234567", "74993720692", ANSWERS)
    leg = (await line.heard.offered()).leg
    line.engine.hang_up(leg)
    assert (await line.heard.end_of(leg)).cause is Cause.RELEASED


async def a_phone_holds_and_resumes(line: Line) -> None:
    await answered(line, A, (0.05, Holds()), (0.05, Resumes()), (0.05, Holds()))
    await answered(line, B)
    line.engine.bridge(BRIDGE, A, B)
    await line.heard.wait_for(LegResumed(A))
    line.engine.play(B, PLAYBACK, line.media(0.2))
    await line.heard.wait_for(PlaybackFinished(B, PLAYBACK))
    told = [event for event in line.heard.of(A) if isinstance(event, LegHeld | LegResumed)]
    assert told == [LegHeld(A), LegResumed(A), LegHeld(A)]
    line.engine.hang_up(A)
    assert (await line.heard.end_of(A)).cause is Cause.RELEASED


async def a_caller_holds_and_resumes(line: Line) -> None:
    holds = ((0.05, Holds()), (0.05, Resumes()))
    await line.call_in("79261234567", "74993720692", ANSWERS, *holds)
    leg = (await line.heard.offered()).leg
    line.engine.answer(leg)
    await line.heard.wait_for(LegResumed(leg))
    assert line.heard.of(leg)[1:] == [LegConnected(leg), LegHeld(leg), LegResumed(leg)]


async def a_phone_asks_for_a_transfer_and_keeps_its_call(line: Line) -> None:
    await answered(line, A, (0.05, Transfers("101")), (0.4, Transfers("102")))
    line.engine.report_transfer(A, Cause.BUSY)  # of none
    await line.heard.wait_for(TransferAsked(A, "101"))
    line.engine.report_transfer(A, Cause.BUSY)
    await line.heard.wait_for(TransferAsked(A, "102"))
    line.engine.report_transfer(A, None)
    line.engine.hang_up(A)
    assert (await line.heard.end_of(A)).cause is Cause.RELEASED
    with pytest.raises(LegGone):
        line.engine.report_transfer(A, None)


async def a_caller_asks_for_a_transfer(line: Line) -> None:
    await line.call_in("79261234567", "74993720692", ANSWERS, (0.05, Transfers("101")))
    leg = (await line.heard.offered()).leg
    line.engine.answer(leg)
    await line.heard.wait_for(TransferAsked(leg, "101"))
    line.engine.report_transfer(leg, Cause.REJECTED)


CLAUSES: Sequence[Callable[[Line], Awaitable[None]]] = (
    a_leg_rings_and_is_answered,
    a_phone_that_does_not_ring_may_answer,
    a_busy_phone_ends_the_leg,
    a_declined_call_ends_the_leg,
    hanging_up_while_it_rings_ends_the_leg_at_once,
    hanging_up_before_anything_was_heard_ends_the_leg_at_once,
    hanging_up_an_answered_leg_ends_it_at_once,
    the_far_end_hangs_up,
    commands_to_a_leg_that_is_gone_raise_leg_gone,
    a_playback_is_played_to_its_end,
    a_stopped_or_replaced_playback_does_not_finish,
    a_looped_playback_never_finishes,
    a_leg_that_ends_takes_its_playback_with_it,
    keys_are_sent_one_after_another,
    keys_of_the_far_end_are_told,
    early_media_is_told_once_and_can_be_bridged,
    a_second_bridge_replaces_the_first,
    who_is_heard_may_change_at_any_time,
    coaching_ends_with_either_leg,
    a_recording_that_is_stopped_finishes_once,
    a_recording_ends_with_its_first_leg_and_before_it,
    a_recording_ends_with_its_other_leg,
    one_leg_alone_can_be_recorded,
    nobody_can_be_rung_without_a_way,
    a_phone_that_is_not_registered_cannot_be_rung,
    a_call_comes_in_and_is_answered,
    two_who_called_in_are_bridged,
    a_caller_hangs_up,
    a_caller_takes_its_call_back,
    a_call_that_comes_in_is_rejected,
    hanging_up_a_call_that_comes_in_ends_it_at_once,
    a_phone_holds_and_resumes,
    a_caller_holds_and_resumes,
    a_phone_asks_for_a_transfer_and_keeps_its_call,
    a_caller_asks_for_a_transfer,
)
