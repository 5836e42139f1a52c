"""Stories of what becomes of a talk: hold, consultation, transfers, coaches, records, mutes."""

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from callwright.calls.commands import (
    AddCoach,
    AlreadyRecording,
    Command,
    DisconnectLeg,
    Hold,
    LegUnknown,
    MakeCall,
    Moving,
    Mute,
    NoCoach,
    NotRecording,
    RecordingForced,
    RecordTalk,
    RestoreTalk,
    SendKey,
    SetCoachMode,
    SetTag,
    TagAlreadySet,
    TransferCall,
    TransferTalk,
    Unhold,
    WrongState,
)
from callwright.calls.ending import RELEASED
from callwright.calls.events import HoldFinished, RecordingReady, RecordingStarted, SessionFinished
from callwright.calls.immediate_commands import carry_out
from callwright.calls.plan import AdmittedAddress, EmployeeCall, Target
from callwright.calls.session import Session
from callwright.calls.state import State
from callwright.engines.port import Address, Cause, CoachMode, LegId
from callwright.engines.simulated.far_end import (
    Act,
    Answers,
    FarEnd,
    HangsUp,
    Holds,
    Resumes,
    SendsEarlyMedia,
    answers,
    busy,
    never_answers,
)
from tests.calls.stage import CONTACT, EMPLOYEE, Props, Stage, play, stage

THIRD, COACH = "79260000003", "79260000004"

PHONES = {
    EMPLOYEE: answers(after=0.1),
    CONTACT: answers(after=0.1),
    THIRD: answers(after=1.0),
    COACH: answers(after=0.5),
}
TALK_AT = 0.5
"Seconds from the start to the talk."


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


def target(number: str, within: float = 10.0) -> Sequence[Target]:
    return [Target(AdmittedAddress(Address(number, trunk="t")), "74993720692", within)]


async def talking(scene: Stage, plan: EmployeeCall) -> Session:
    """Start a call and let it come to the talk, at `TALK_AT`."""
    number = await scene.manager.start(plan)
    session = scene.manager.find(1, number)
    assert session
    await anyio.sleep(TALK_AT)
    assert state(session) is State.TALK
    return session


def state(session: Session) -> State:
    return session.record.state


def now_hears(scene: Stage, number: str) -> str:
    return scene.phone(number).heard[-1][1]


def hearing(scene: Stage, *numbers: str) -> list[str]:
    return [now_hears(scene, number) for number in numbers]


async def verdict(scene: Stage, session: Session) -> SessionFinished:
    told = await scene.verdict(session.id)
    assert not scene.engine.legs, "nobody is left on the line"
    return told


async def refused(session: Session, command: Command, why: type[Exception] = WrongState) -> None:
    async def ask() -> None:
        if isinstance(command, Moving):
            await session.inbox.ask(command)
        else:
            carry_out(session, command)

    with pytest.raises(why):
        await ask()


def test_hold_and_unhold(props: Props) -> None:
    """A hears contact_message once, then waiting music; B hears nothing of A (choreography 5)."""

    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan())
            await session.inbox.ask(Hold(props.recorded("wait", 2.0)))
            assert state(session) is State.HOLD
            await anyio.sleep(1.0)
            assert hearing(scene, CONTACT, EMPLOYEE) == ["wait.wav", "silence"]
            assert [leg.state for leg in session.record.legs.values()] == ["waiting", "held"]
            await anyio.sleep(1.5)
            assert hearing(scene, CONTACT, EMPLOYEE) == ["music.wav", "silence"]
            began = anyio.current_time()
            await session.inbox.ask(Unhold())
            await anyio.sleep(0.09)
            at, heard = scene.phone(CONTACT).heard[-1]
            assert heard == EMPLOYEE
            assert at - began <= 0.1
            assert hearing(scene, EMPLOYEE) == [CONTACT]
            assert [leg.state for leg in session.record.legs.values()] == ["talking", "talking"]

    play(story)


def holding(number: str, *, after: float = 1.0, until: float | None = 10.0) -> dict[str, FarEnd]:
    """The phones, one of which holds ``after`` seconds of its answer, and resumes so much later."""
    acts: list[tuple[float, Act]] = [(after, Holds())]
    if until is not None:
        acts.append((until, Resumes()))
    return PHONES | {number: answers(after=0.1, then=acts)}


def test_hold_on_the_employees_phone_is_the_apis_hold(props: Props) -> None:
    async def story() -> None:
        async with stage(holding(EMPLOYEE)) as scene:
            session = await talking(scene, props.plan(recorded=True))
            await anyio.sleep(3.0)
            assert state(session) is State.HOLD
            assert hearing(scene, CONTACT, EMPLOYEE) == ["music.wav", "silence"]
            assert [leg.state for leg in session.record.legs.values()] == ["waiting", "held"]
            await anyio.sleep(8.0)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]
            await session.inbox.ask(Hold(None))
            await session.inbox.ask(Unhold())
            session.end(RELEASED)
            await verdict(scene, session)
            told = [name for name in scene.names(session.id) if "Key" not in name]
            by_phone = told.index("HoldStarted")
            by_client = told.index("HoldStarted", by_phone + 1)
            begin = told.index("StateEntered")
            story = ["TalkFinished", "StateEntered", "HoldStarted", "MusicStarted", "MusicStopped"]
            story += ["HoldFinished", "StateEntered", "TalkStarted"]
            seen = [name for name in told[begin:by_client] if name in story]
            assert seen[2 : 2 + len(story)] == story
            [held] = [
                event
                for event in scene.journal.stories[session.id]
                if isinstance(event, HoldFinished) and event.duration
            ]
            assert held.duration == pytest.approx(10.0)
            finished = await scene.verdict(session.id)
            assert finished.talk_duration == pytest.approx(finished.total_duration - 10.5, abs=0.2)

    play(story)


def test_hold_on_the_contacts_phone_lets_the_employee_hear_music(props: Props) -> None:
    async def story() -> None:
        async with stage(holding(CONTACT)) as scene:
            session = await talking(scene, props.plan())
            await anyio.sleep(3.0)
            assert state(session) is State.HOLD
            assert hearing(scene, CONTACT, EMPLOYEE) == ["silence", "music.wav"]
            assert [leg.state for leg in session.record.legs.values()] == ["held", "waiting"]
            await anyio.sleep(8.0)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]

    play(story)


def test_both_hold_and_one_resumes(props: Props) -> None:
    """The client holds first, then the phone; the client lets go, the phone goes on holding."""

    async def story() -> None:
        async with stage(holding(EMPLOYEE, after=2.0)) as scene:
            session = await talking(scene, props.plan())
            await session.inbox.ask(Hold(None))
            await anyio.sleep(3.0)
            await session.inbox.ask(Unhold())
            await anyio.sleep(1.0)
            assert state(session) is State.HOLD
            assert hearing(scene, CONTACT, EMPLOYEE) == ["music.wav", "silence"]
            await refused(session, Unhold())
            await anyio.sleep(10.0)
            assert state(session) is State.TALK
            assert scene.names(session.id).count("HoldStarted") == 1

    play(story)


def test_a_phone_that_resumes_does_not_end_the_clients_hold(props: Props) -> None:
    async def story() -> None:
        async with stage(holding(EMPLOYEE, until=2.0)) as scene:
            session = await talking(scene, props.plan())
            await session.inbox.ask(Hold(None))
            await anyio.sleep(10.0)
            assert state(session) is State.HOLD
            await session.inbox.ask(Unhold())
            await anyio.sleep(0.1)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]

    play(story)


def test_a_phone_on_hold_may_consult_and_hand_over(props: Props) -> None:
    async def story() -> None:
        async with stage(holding(EMPLOYEE, until=None)) as scene:
            session = await talking(scene, props.plan())
            await anyio.sleep(3.0)
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(3.0)
            assert state(session) is State.OPERATOR_TALK
            assert hearing(scene, CONTACT, EMPLOYEE, THIRD) == ["music.wav", "silence", "music.wav"]
            await session.inbox.ask(TransferTalk())
            await anyio.sleep(0.1)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]

    play(story)


def test_a_third_party_that_holds_lets_the_employee_hear_music(props: Props) -> None:
    async def story() -> None:
        phones = PHONES | {THIRD: answers(after=1.0, then=[(1.0, Holds()), (5.0, Resumes())])}
        async with stage(phones) as scene:
            session = await talking(scene, props.plan())
            await session.inbox.ask(Hold(None))
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(4.0)
            assert hearing(scene, CONTACT, EMPLOYEE, THIRD) == ["music.wav", "music.wav", "silence"]
            await anyio.sleep(5.0)
            assert hearing(scene, CONTACT, EMPLOYEE, THIRD) == ["music.wav", THIRD, EMPLOYEE]

    play(story)


def test_a_phone_on_hold_that_is_hung_up_ends_the_session(props: Props) -> None:
    async def story() -> None:
        phones = PHONES | {EMPLOYEE: answers(after=0.1, then=[(1.0, Holds()), (5.0, HangsUp())])}
        async with stage(phones) as scene:
            session = await talking(scene, props.plan())
            assert (await verdict(scene, session)).finish_reason == "operator_disconnects"

    play(story)


@pytest.mark.parametrize(
    ("leaver", "reason"),
    [(CONTACT, "subscriber_disconnects"), (EMPLOYEE, "operator_disconnects")],
)
def test_who_hangs_up_in_hold_ends_the_session(props: Props, leaver: str, reason: str) -> None:
    async def story() -> None:
        phones = PHONES | {leaver: answers(after=0.1, then=[(3.0, HangsUp())])}
        async with stage(phones) as scene:
            session = await talking(scene, props.plan())
            await session.inbox.ask(Hold(None))
            assert (await verdict(scene, session)).finish_reason == reason

    play(story)


async def held(scene: Stage, props: Props) -> Session:
    session = await talking(scene, props.plan())
    await session.inbox.ask(Hold(None))
    return session


def test_a_consultation_and_back(props: Props) -> None:
    """B and C talk, not A; restore.talk drops C and joins A with B again."""

    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await held(scene, props)
            await session.inbox.ask(MakeCall(target(THIRD), props.recorded("to third", 2.0)))
            assert state(session) is State.DIALING
            await anyio.sleep(0.5)
            assert hearing(scene, CONTACT, EMPLOYEE) == ["music.wav", "ringback.wav"]
            await anyio.sleep(1.0)  # C has answered and hears its message
            assert hearing(scene, CONTACT, EMPLOYEE, THIRD) == [
                "music.wav",
                "ringback.wav",
                "to third.wav",
            ]
            assert state(session) is State.DIALING
            await anyio.sleep(2.0)
            assert state(session) is State.OPERATOR_TALK
            assert hearing(scene, CONTACT, EMPLOYEE, THIRD) == ["music.wav", THIRD, EMPLOYEE]
            states = [leg.state for leg in session.record.legs.values()]
            assert states == ["operator_talk", "held", "operator_talk"]
            await session.inbox.ask(RestoreTalk())
            await anyio.sleep(0.1)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]
            assert len(scene.engine.legs) == 2

    play(story)


def test_the_third_partys_early_media_takes_the_place_of_the_ringback(props: Props) -> None:
    async def story() -> None:
        early = FarEnd(((0.5, SendsEarlyMedia()), (1.0, Answers())))
        async with stage(PHONES | {THIRD: early}) as scene:
            session = await held(scene, props)
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(0.3)
            assert hearing(scene, EMPLOYEE) == ["ringback.wav"]
            await anyio.sleep(0.5)
            assert hearing(scene, EMPLOYEE) == [THIRD]

    play(story)


@pytest.mark.parametrize("message", [True, False])
def test_early_media_ends_with_the_answer_whatever_c_hears_then(
    props: Props, message: bool
) -> None:
    """to_message is played to C to its end first. Then B and C talk (choreography 5)."""

    async def story() -> None:
        early = FarEnd(((0.5, SendsEarlyMedia()), (1.0, Answers())))
        async with stage(PHONES | {THIRD: early}) as scene:
            session = await held(scene, props)
            told = props.recorded("to third", 2.0) if message else None
            await session.inbox.ask(MakeCall(target(THIRD), told))
            await anyio.sleep(1.6)
            if message:
                assert hearing(scene, EMPLOYEE, THIRD) == ["ringback.wav", "to third.wav"]
                await anyio.sleep(2.0)
            assert hearing(scene, EMPLOYEE, THIRD) == [THIRD, EMPLOYEE]
            tones = scene.names(session.id).count("MusicStarted")
            # The employee's before the call, the contact's in hold, the ringback: once or twice.
            assert tones == (4 if message else 3)

    play(story)


@pytest.mark.parametrize("third", [busy(), never_answers()])
def test_a_third_party_that_is_not_reached_leaves_the_call_held(
    props: Props, third: FarEnd
) -> None:
    """DIALING: "C fails → HOLD" (call-api 4); and another may be tried."""

    async def story() -> None:
        async with stage(PHONES | {"5": third}) as scene:
            session = await held(scene, props)
            await session.inbox.ask(MakeCall(target("5", within=5.0), None))
            await anyio.sleep(6.0)
            assert state(session) is State.HOLD
            assert hearing(scene, CONTACT, EMPLOYEE) == ["music.wav", "silence"]
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(2.0)
            assert state(session) is State.OPERATOR_TALK

    play(story)


def test_a_third_party_that_hangs_up_leaves_the_call_held(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES | {THIRD: answers(after=0.1, then=[(2, HangsUp())])}) as scene:
            session = await held(scene, props)
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(1.0)
            assert state(session) is State.OPERATOR_TALK
            await anyio.sleep(2.0)
            assert state(session) is State.HOLD
            await session.inbox.ask(Unhold())
            assert state(session) is State.TALK

    play(story)


def test_transfer_after_consultation(props: Props) -> None:
    """OPERATOR_TALK: "transfer.talk → TALK (A+C, B dropped)"."""

    async def story() -> None:
        third = answers(after=0.1, then=[(5.0, HangsUp())])
        async with stage(PHONES | {THIRD: third}) as scene:
            session = await held(scene, props)
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(1.0)
            await session.inbox.ask(TransferTalk())
            await anyio.sleep(0.1)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]
            reasons = [leg.finish_reason for leg in session.record.legs.values()]
            assert reasons == ["transfer_disconnects", None, None]
            # The one who took over may hold and consult as the first one could.
            await session.inbox.ask(Hold(None))
            assert state(session) is State.HOLD
            assert (await verdict(scene, session)).finish_reason == "transfer_disconnects"

    play(story)


def test_a_consultation_is_no_talk_of_the_contacts(props: Props) -> None:
    """A is held meanwhile (call-api 4); the session's talk counts without holds."""

    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan())
            await anyio.sleep(2.5)
            await session.inbox.ask(Hold(None))
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(20.0)
            assert state(session) is State.OPERATOR_TALK
            await session.inbox.ask(RestoreTalk())
            await anyio.sleep(2.0)
            session.end(RELEASED)
            told = await verdict(scene, session)
            talked = TALK_AT - told.wait_duration + 2.5 + 2.0
            assert told.talk_duration == pytest.approx(talked, abs=0.02)

    play(story)


def test_transfer_while_the_third_party_rings(props: Props) -> None:
    """DIALING: "transfer.talk → B leaves, when C answers TALK (A+C)"."""

    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await held(scene, props)
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(0.2)
            await session.inbox.ask(TransferTalk())
            await anyio.sleep(0.1)
            assert hearing(scene, CONTACT) == ["music.wav"]
            states = [leg.state for leg in session.record.legs.values()]
            assert states == ["ended", "transferred", "dialing"]
            assert len(scene.engine.legs) == 2
            await refused(session, RestoreTalk())
            await anyio.sleep(1.0)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]

    play(story)


def test_transfer_to_a_ringing_phone_that_turns_out_busy_ends_the_session(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES | {THIRD: busy()}) as scene:
            session = await held(scene, props)
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await session.inbox.ask(TransferTalk())
            told = await verdict(scene, session)
            assert (told.finish_reason, told.ended_by) == ("operator_busy", "third")

    play(story)


def test_blind_transfer(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan())
            await session.inbox.ask(TransferCall(target(THIRD)))
            await anyio.sleep(0.2)
            assert state(session) is State.DIALING
            states = [leg.state for leg in session.record.legs.values()]
            assert states == ["ended", "transferred", "dialing"]
            assert hearing(scene, CONTACT) == ["music.wav"]
            await refused(session, RestoreTalk())
            await refused(session, TransferTalk())
            await anyio.sleep(1.0)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]
            states = [leg.state for leg in session.record.legs.values()]
            assert states == ["ended", "talking", "talking"]

    play(story)


def test_blind_transfer_to_a_busy_number_ends_the_session(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES | {THIRD: busy()}) as scene:
            session = await talking(scene, props.plan())
            await session.inbox.ask(TransferCall(target(THIRD)))
            assert (await verdict(scene, session)).finish_reason == "operator_busy"

    play(story)


@pytest.mark.parametrize(
    ("mode", "contact_hears", "employee_hears"),
    [
        (CoachMode.LISTEN, EMPLOYEE, CONTACT),
        (CoachMode.WHISPER, EMPLOYEE, f"{CONTACT}+{COACH}"),
        (CoachMode.BARGE, f"{EMPLOYEE}+{COACH}", f"{CONTACT}+{COACH}"),
    ],
)
def test_a_coach(props: Props, mode: CoachMode, contact_hears: str, employee_hears: str) -> None:
    """whisper: "coach hears A and B, only B hears the coach"; listen: nobody; barge: both do."""

    async def story() -> None:
        async with stage(PHONES | {COACH: answers(after=0.5, then=[(3, HangsUp())])}) as scene:
            session = await talking(scene, props.plan())
            await refused(session, SetCoachMode(mode), NoCoach)
            carry_out(session, AddCoach(target(COACH), mode))
            assert state(session) is State.TALK
            await anyio.sleep(1.0)
            assert hearing(scene, CONTACT, EMPLOYEE, COACH) == [
                contact_hears,
                employee_hears,
                f"{CONTACT}+{EMPLOYEE}",
            ]
            carry_out(session, SetCoachMode(CoachMode.BARGE))
            assert hearing(scene, CONTACT) == [f"{EMPLOYEE}+{COACH}"]
            await anyio.sleep(3.0)
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]
            assert state(session) is State.TALK
            await refused(session, SetCoachMode(mode), NoCoach)

    play(story)


def test_a_coach_who_does_not_answer_changes_nothing(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES | {COACH: busy()}) as scene:
            session = await talking(scene, props.plan())
            carry_out(session, AddCoach(target(COACH), CoachMode.WHISPER))
            await anyio.sleep(1.0)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]

    play(story)


def test_the_coach_leaves_with_the_operator(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan())
            carry_out(session, AddCoach(target(COACH), CoachMode.WHISPER))
            await anyio.sleep(1.0)
            await session.inbox.ask(TransferCall(target(THIRD)))
            await anyio.sleep(2.0)
            assert {leg.to.number for leg in scene.engine.legs.values()} == {CONTACT, THIRD}

    play(story)


def test_recording_makes_a_file_for_each_stretch_of_talk(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan())
            await refused(session, RecordTalk(on=False), NotRecording)
            carry_out(session, RecordTalk(on=True))
            await refused(session, RecordTalk(on=True), AlreadyRecording)
            contact, employee = session.contact_leg, scene.phone(EMPLOYEE)
            assert contact
            assert all(leg.recorded for leg in session.record.legs.values())
            await anyio.sleep(2.0)
            await session.inbox.ask(Hold(None))
            await anyio.sleep(5.0)
            assert not any(leg.recorded for leg in session.record.legs.values())
            await session.inbox.ask(Unhold())
            await anyio.sleep(3.0)
            carry_out(session, RecordTalk(on=False))
            await anyio.sleep(0.1)
            story = scene.journal.stories[session.id]
            began = [event for event in story if isinstance(event, RecordingStarted)]
            assert [event.legs for event in began] == [(contact.id, employee.id)] * 2
            ready = [event for event in story if isinstance(event, RecordingReady)]
            assert [round(event.duration, 1) for event in ready] == [2.0, 3.0]
            assert [one.file_name for one in session.record.recordings] == [
                f"{session.id}-1.wav",
                f"{session.id}-2.wav",
            ]

    play(story)


def test_a_recording_is_ready_before_the_verdict(props: Props) -> None:
    async def story() -> None:
        contact = answers(after=0.1, then=[(3.0, HangsUp())])
        async with stage(PHONES | {CONTACT: contact}) as scene:
            session = await talking(scene, props.plan(recorded=True))
            await refused(session, RecordTalk(on=False), RecordingForced)
            await refused(session, RecordTalk(on=True), AlreadyRecording)
            await verdict(scene, session)
            names = scene.names(session.id)
            assert names.index("RecordingReady") < names.index("SessionFinished")

    play(story)


def test_mute(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan())
            employee = scene.phone(EMPLOYEE)
            carry_out(session, Mute(employee.id, muted=True))
            assert hearing(scene, CONTACT, EMPLOYEE) == ["silence", CONTACT]
            carry_out(session, Mute(employee.id, muted=False))
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]
            await refused(session, Mute(LegId(1), muted=True), LegUnknown)

    play(story)


def test_a_key_of_the_clients_is_no_key_of_the_requests(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan(dtmf_string="...9.2"))
            carry_out(session, SendKey("5"))
            await anyio.sleep(0.5)
            assert session.record.pending_keys == "...9.2"
            await anyio.sleep(2.5)
            assert session.record.pending_keys == ".2"
            assert [key for _, key in scene.phone(CONTACT).keys] == ["5", "9"]

    play(story)


def test_tags_are_set_once_each(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan())
            carry_out(session, SetTag(7, "Лид"))
            await refused(session, SetTag(7, "Лид"), TagAlreadySet)
            assert session.record.tags == {7: "Лид"}

    play(story)


def test_disconnecting_a_leg(props: Props) -> None:
    """The contact's or the operator's ends the session; a coach's or a third party's does not."""

    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan())
            carry_out(session, AddCoach(target(COACH), CoachMode.LISTEN))
            await anyio.sleep(1.0)
            carry_out(session, DisconnectLeg(scene.phone(COACH).id))
            await anyio.sleep(0.1)
            assert state(session) is State.TALK
            await refused(session, DisconnectLeg(scene.phone(COACH).id), LegUnknown)
            await session.inbox.ask(Hold(None))
            await session.inbox.ask(MakeCall(target(THIRD), None))
            await anyio.sleep(0.2)
            carry_out(session, DisconnectLeg(scene.phone(THIRD).id))
            await anyio.sleep(0.2)
            assert state(session) is State.HOLD
            carry_out(session, DisconnectLeg(scene.phone(CONTACT).id))
            told = await verdict(scene, session)
            assert (told.finish_reason, told.ended_by) == ("api_release", "client")
            reasons = {leg.finish_reason for leg in session.record.legs.values()}
            assert reasons == {"api_release"}

    play(story)


def test_of_conflicting_commands_one_is_served_and_the_other_refused(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await held(scene, props)
            outcomes: list[str] = []

            async def ask(name: str, command: Moving) -> None:
                try:
                    await session.inbox.ask(command)
                    outcomes.append(name)
                except WrongState:
                    outcomes.append(f"not {name}")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask, "unhold", Unhold())
                tasks.start_soon(ask, "call", MakeCall(target(THIRD), None))
            assert sorted(outcomes) in (["call", "not unhold"], ["not call", "unhold"])

    play(story)


def test_a_command_that_waits_when_the_call_ends_is_refused(props: Props) -> None:
    async def story() -> None:
        contact = answers(after=0.1, then=[(0.5, HangsUp(Cause.HUNG_UP))])
        async with stage(PHONES | {CONTACT: contact}) as scene:
            session = await talking(scene, props.plan())
            await scene.verdict(session.id)
            await refused(session, Hold(None))
            await refused(session, SetTag(1, "x"))

    play(story)


def test_the_third_party_answers_in_the_instant_of_the_transfer(props: Props) -> None:
    async def story() -> None:
        for moment in (1.09, 1.1, 1.11):
            async with stage(PHONES) as scene:
                session = await held(scene, props)
                await session.inbox.ask(MakeCall(target(THIRD), None))
                await anyio.sleep(moment)
                await session.inbox.ask(TransferTalk())
                await anyio.sleep(0.5)
                assert state(session) is State.TALK
                assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]
                assert len(scene.engine.legs) == 2

    play(story)


def test_the_longest_time_counts_holds_too(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talking(scene, props.plan(talk_at_most=100.0))
            await session.inbox.ask(Hold(None))
            told = await verdict(scene, session)
            assert told.finish_reason == "timeout"
            assert told.total_duration == pytest.approx(100.4, abs=0.2)

    play(story)


def test_a_command_taken_in_the_instant_in_which_somebody_leaves_is_answered(
    props: Props,
) -> None:
    """The script has taken it and leaves before it could begin: the client must not wait."""

    async def story() -> None:
        for _ in range(20):  # trio takes tasks in random order
            async with stage(PHONES) as scene:
                session = await talking(scene, props.plan())
                outcomes: list[str] = []

                async def ask(session: Session, outcomes: list[str]) -> None:
                    try:
                        await session.inbox.ask(Hold(None))
                        outcomes.append("held")
                    except WrongState:
                        outcomes.append("refused")

                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(ask, session, outcomes)
                    carry_out(session, DisconnectLeg(scene.phone(CONTACT).id))
                    with anyio.fail_after(1):
                        await scene.verdict(session.id)
                assert len(outcomes) == 1

    play(story)
