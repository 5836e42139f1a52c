"""Stories of employee calls, each quoting the sentence of the choreography it proves."""

from pathlib import Path

import anyio
import pytest

from callwright.calls.ending import RELEASED
from callwright.calls.plan import Role, SessionId
from callwright.calls.state import State
from callwright.engines.port import Cause
from callwright.engines.simulated.far_end import (
    Answers,
    FarEnd,
    HangsUp,
    Presses,
    Rejects,
    SendsEarlyMedia,
    answers,
    busy,
    never_answers,
)
from tests.calls.stage import CONTACT, EMPLOYEE, EMPLOYEE_2, Props, Spoken, play, stage


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


BOTH_ANSWER = {EMPLOYEE: answers(after=1.0), CONTACT: answers(after=2.0)}


def test_the_seeds_call_from_ring_to_talk(props: Props) -> None:
    """Message to its end, then the contact is dialled; music; "Привет" although switch_at_once."""

    async def story() -> None:
        phones = {
            EMPLOYEE: answers(after=1.0),
            CONTACT: answers(after=2.0, then=[(10.0, HangsUp())]),
        }
        async with stage(phones) as scene:
            plan = props.plan(
                switch_at_once=True,
                employee_message=props.recorded("2561", 3.0),
                contact_message=props.spoken("hello", 1.5),
                dtmf_string=".1.2.3",
            )
            verdict = await scene.whole_call(plan)
            assert scene.heard(EMPLOYEE) == [
                (1.1, "2561.wav"),
                (4.1, "music.wav"),
                (7.7, CONTACT),
                (16.2, "silence"),
            ]
            contact = scene.phone(CONTACT)
            assert round(contact.rung_at - scene.raised_curtain, 2) == 4.1
            assert scene.heard(CONTACT) == [(6.2, "hello.wav"), (7.7, EMPLOYEE)]
            keys = [(round(at - scene.raised_curtain, 2), key) for at, key in contact.keys]
            assert keys == [(7.2, "1"), (8.2, "2"), (9.2, "3")]
            assert (verdict.finish_reason, verdict.ended_by) == (
                "subscriber_disconnects",
                "contact",
            )
            assert round(verdict.talk_duration, 1) == 8.5
            assert round(verdict.wait_duration, 1) == 7.7

    play(story)


def test_without_messages_the_two_talk_as_soon_as_both_have_answered(props: Props) -> None:
    async def story() -> None:
        phones = {EMPLOYEE: answers(after=1, then=[(5.0, HangsUp())]), CONTACT: answers(after=2)}
        async with stage(phones) as scene:
            verdict = await scene.whole_call(props.plan())
            assert scene.heard(EMPLOYEE) == [(1.1, "music.wav"), (3.2, CONTACT)]
            assert scene.heard(CONTACT) == [(3.2, EMPLOYEE), (6.1, "silence")]
            assert verdict.finish_reason == "operator_disconnects"

    play(story)


@pytest.mark.parametrize(
    ("switch_at_once", "is_tts", "is_heard"),
    [(False, False, True), (True, False, False), (True, True, True), (False, True, True)],
)
def test_contact_message_when_the_employee_is_first(
    props: Props, switch_at_once: bool, is_tts: bool, is_heard: bool
) -> None:
    """A: "if the message's type is tts, switch_at_once has no effect" (choreography 1.4)."""

    async def story() -> None:
        phones = {EMPLOYEE: answers(after=1), CONTACT: answers(after=2, then=[(6.0, HangsUp())])}
        async with stage(phones) as scene:
            message = props.spoken("m", 2.0) if is_tts else props.recorded("m", 2.0)
            plan = props.plan(switch_at_once=switch_at_once, contact_message=message)
            await scene.whole_call(plan)
            expected = [(3.2, "m.wav"), (5.2, EMPLOYEE)] if is_heard else [(3.2, EMPLOYEE)]
            assert scene.heard(CONTACT) == expected
            joined = 5.2 if is_heard else 3.2
            assert (joined, CONTACT) in scene.heard(EMPLOYEE)

    play(story)


def test_contact_first_hears_its_message_while_the_employee_is_rung(props: Props) -> None:
    """Choreography 2.2: "at the same time B is rung"; then waiting music, looped."""

    async def story() -> None:
        phones = {CONTACT: answers(after=1), EMPLOYEE: answers(after=4, then=[(9.0, HangsUp())])}
        async with stage(phones) as scene:
            plan = props.plan(
                first=Role.CONTACT,
                contact_message=props.recorded("hello", 2.0),
                employee_message=props.recorded("brief", 3.0),
            )
            await scene.whole_call(plan)
            assert round(scene.phone(EMPLOYEE).rung_at - scene.raised_curtain, 2) == 1.1
            assert scene.heard(CONTACT)[:3] == [
                (1.1, "hello.wav"),
                (3.1, "music.wav"),
                (8.2, EMPLOYEE),
            ]
            assert scene.heard(EMPLOYEE) == [(5.2, "brief.wav"), (8.2, CONTACT)]

    play(story)


def test_contact_first_who_finishes_first_hears_music(props: Props) -> None:
    """Choreography 2.3: both hear their message to its end; then they talk."""

    async def story() -> None:
        phones = {CONTACT: answers(after=1), EMPLOYEE: answers(after=1, then=[(20.0, HangsUp())])}
        async with stage(phones) as scene:
            plan = props.plan(
                first=Role.CONTACT,
                contact_message=props.recorded("hello", 6.0),
                employee_message=props.recorded("brief", 2.0),
            )
            await scene.whole_call(plan)
            assert scene.heard(CONTACT)[:2] == [(1.1, "hello.wav"), (7.1, EMPLOYEE)]
            assert scene.heard(EMPLOYEE) == [
                (2.2, "brief.wav"),
                (4.2, "music.wav"),
                (7.1, CONTACT),
            ]

    play(story)


@pytest.mark.parametrize("is_tts", [False, True])
def test_contact_first_switch_at_once_cuts_every_message_but_tts(
    props: Props, is_tts: bool
) -> None:
    async def story() -> None:
        phones = {CONTACT: answers(after=1), EMPLOYEE: answers(after=1, then=[(20.0, HangsUp())])}
        async with stage(phones) as scene:
            hello = props.spoken("hello", 6.0) if is_tts else props.recorded("hello", 6.0)
            plan = props.plan(
                first=Role.CONTACT,
                switch_at_once=True,
                contact_message=hello,
                employee_message=props.recorded("brief", 2.0),
            )
            await scene.whole_call(plan)
            joined = 7.1 if is_tts else 2.2
            assert (joined, EMPLOYEE) in scene.heard(CONTACT)
            assert (joined, CONTACT) in scene.heard(EMPLOYEE)
            assert ((2.2, "brief.wav") in scene.heard(EMPLOYEE)) is is_tts

    play(story)


def test_early_switching_lets_the_employee_hear_the_contacts_early_media(props: Props) -> None:
    """Choreography 1.3: music until there is early media; then that, then the talk."""

    async def story() -> None:
        voicemail = FarEnd(((1, SendsEarlyMedia()), (2, Answers()), (3, HangsUp())))
        async with stage({EMPLOYEE: answers(after=1), CONTACT: voicemail}) as scene:
            await scene.whole_call(props.plan(switch_at_once=True, early_switching=True))
            assert scene.heard(EMPLOYEE) == [
                (1.1, "music.wav"),
                (2.1, CONTACT),
                (7.1, "silence"),
            ]

    play(story)


def test_early_switching_gives_way_to_music_again_while_a_tts_message_is_heard(
    props: Props,
) -> None:
    async def story() -> None:
        contact = FarEnd(((1, SendsEarlyMedia()), (2, Answers()), (9, HangsUp())))
        async with stage({EMPLOYEE: answers(after=1), CONTACT: contact}) as scene:
            plan = props.plan(
                switch_at_once=True, early_switching=True, contact_message=props.spoken("hi", 3.0)
            )
            await scene.whole_call(plan)
            heard = [step for step in scene.heard(EMPLOYEE) if step[1] != "silence"]
            assert heard == [
                (1.1, "music.wav"),
                (2.1, CONTACT),
                (4.1, "music.wav"),
                (7.1, CONTACT),
            ]

    play(story)


def test_the_employees_numbers_are_rung_one_after_another(props: Props) -> None:
    """Choreography 1.1: busy, rejection and timeout go on to the next number."""

    async def story() -> None:
        phones = {
            EMPLOYEE: never_answers(),
            "101": busy(),
            EMPLOYEE_2: answers(after=1),
            CONTACT: answers(after=1, then=[(5.0, HangsUp())]),
        }
        async with stage(phones) as scene:
            numbers = (EMPLOYEE, "101", EMPLOYEE_2)
            verdict = await scene.whole_call(props.plan(employee_numbers=numbers, dial_time=10))
            rung = [(leg.to.number, round(leg.rung_at, 1)) for leg in scene.engine.rung]
            start = scene.raised_curtain
            assert rung == [
                (EMPLOYEE, round(start, 1)),
                ("101", round(start + 10.0, 1)),
                (EMPLOYEE_2, round(start + 10.1, 1)),
                (CONTACT, round(start + 11.2, 1)),
            ]
            assert verdict.finish_reason == "subscriber_disconnects"

    play(story)


NOT_REACHED = [
    (busy(), "busy", "operator_busy", "subscriber_busy"),
    (never_answers(), "no answer", "operator_not_responsible", "subscriber_not_responsible"),
    (
        FarEnd(((0.1, Rejects(Cause.REJECTED, "603 Decline")),)),
        "rejected",
        "no_success_operator_call",
        "no_success_subscriber_call",
    ),
    (
        FarEnd(((0.1, Rejects(Cause.WRONG_NUMBER, "404 Not Found")),)),
        "wrong number",
        "operator_number_problems",
        "subscriber_number_problems",
    ),
    (
        FarEnd(((0.1, Rejects(Cause.UNREACHABLE, "503 Service Unavailable")),)),
        "unreachable",
        "no_success_operator_call",
        "no_success_subscriber_call",
    ),
    (
        FarEnd(((0.1, Rejects(Cause.NO_RESOURCES)),)),
        "no resources",
        "no_resources",
        "no_resources",
    ),
]


@pytest.mark.parametrize("first", [Role.EMPLOYEE, Role.CONTACT])
@pytest.mark.parametrize(("phone", "why", "operator_reason", "subscriber_reason"), NOT_REACHED)
def test_first_party_not_reached(
    props: Props,
    phone: FarEnd,
    why: str,
    operator_reason: str,
    subscriber_reason: str,
    first: Role,
) -> None:
    """Choreography 7: "first party not reached → the second is never dialled"."""

    async def story() -> None:
        number = EMPLOYEE if first is Role.EMPLOYEE else CONTACT
        async with stage(BOTH_ANSWER | {number: phone}) as scene:
            verdict = await scene.whole_call(props.plan(first=first))
            assert [leg.to.number for leg in scene.engine.rung] == [number]
            expected = operator_reason if first is Role.EMPLOYEE else subscriber_reason
            assert verdict.finish_reason == expected, why

    play(story)


@pytest.mark.parametrize("first", [Role.EMPLOYEE, Role.CONTACT])
@pytest.mark.parametrize(("phone", "why", "operator_reason", "subscriber_reason"), NOT_REACHED)
def test_second_party_not_reached(
    props: Props,
    phone: FarEnd,
    why: str,
    operator_reason: str,
    subscriber_reason: str,
    first: Role,
) -> None:
    """Choreography 7: "second party not reached → the first party is hung up"."""

    async def story() -> None:
        number = CONTACT if first is Role.EMPLOYEE else EMPLOYEE
        async with stage(BOTH_ANSWER | {number: phone}) as scene:
            verdict = await scene.whole_call(props.plan(first=first))
            expected = subscriber_reason if first is Role.EMPLOYEE else operator_reason
            assert verdict.finish_reason == expected, why

    play(story)


@pytest.mark.parametrize("first", [Role.EMPLOYEE, Role.CONTACT])
@pytest.mark.parametrize("after", [0.5, 2.0, 3.0, 4.0])
def test_who_leaves_before_the_talk_ends_the_session(
    props: Props, first: Role, after: float
) -> None:
    """Choreography 7 and 8: in a message, in music, while the other rings; nobody is left."""

    async def story() -> None:
        leaver, other = (EMPLOYEE, CONTACT) if first is Role.EMPLOYEE else (CONTACT, EMPLOYEE)
        phones = {leaver: answers(after=1, then=[(after, HangsUp())]), other: answers(after=60)}
        async with stage(phones) as scene:
            plan = props.plan(
                first=first,
                dial_time=100,
                employee_message=props.recorded("e", 2.0),
                contact_message=props.recorded("c", 2.0),
            )
            verdict = await scene.whole_call(plan)
            operator = first is Role.EMPLOYEE
            assert verdict.finish_reason == (
                "operator_disconnects" if operator else "subscriber_disconnects"
            )
            # The employee hears 2 s of message before anybody is dialled: leaving at the very
            # moment of its end must not dial the contact either.
            rung = [leg.to.number for leg in scene.engine.rung]
            assert rung == ([leaver] if operator and after <= 2.0 else [leaver, other])

    play(story)


def test_employee_leaves_while_the_contact_hears_its_message(props: Props) -> None:
    async def story() -> None:
        phones = {EMPLOYEE: answers(after=1, then=[(3.0, HangsUp())]), CONTACT: answers(after=1)}
        async with stage(phones) as scene:
            plan = props.plan(contact_message=props.recorded("long", 30.0))
            verdict = await scene.whole_call(plan)
            assert verdict.finish_reason == "operator_disconnects"
            assert verdict.talk_duration == 0

    play(story)


def test_release_in_every_phase(props: Props) -> None:
    """Choreography 7: ``release.call`` ends the session, whatever it is doing."""

    async def story() -> None:
        for after in [0.0, 0.5, 2.0, 4.5, 6.5, 9.0]:
            phones = {EMPLOYEE: answers(after=1), CONTACT: answers(after=2)}
            async with stage(phones) as scene:
                plan = props.plan(
                    employee_message=props.recorded("e", 3.0),
                    contact_message=props.spoken("c", 2.0),
                    dtmf_string=".1.2.3",
                )
                session = await scene.manager.start(plan)
                await anyio.sleep(after)
                live = scene.manager.find(1, session)
                assert live
                live.end(RELEASED)
                verdict = await scene.verdict(session)
                assert (verdict.finish_reason, verdict.ended_by) == ("api_release", "client")
                assert not scene.engine.legs
                reasons = [leg.finish_reason for leg in live.record.legs.values()]
                assert set(reasons) <= {"api_release"}

    play(story)


def test_another_accounts_session_is_not_found(props: Props) -> None:
    async def story() -> None:
        async with stage(BOTH_ANSWER) as scene:
            session = await scene.manager.start(props.plan())
            assert scene.manager.find(2, session) is None
            assert scene.manager.find(1, SessionId(session + 1)) is None
            assert scene.manager.live(2) == []

    play(story)


def test_longest_talk_time(props: Props) -> None:
    async def story() -> None:
        async with stage(BOTH_ANSWER) as scene:
            verdict = await scene.whole_call(props.plan(talk_at_most=7200))
            assert verdict.finish_reason == "timeout"
            assert verdict.talk_duration == pytest.approx(7200)

    play(story)


def test_one_call_too_many_is_accepted_and_ends_at_once(props: Props) -> None:
    async def story() -> None:
        async with stage(BOTH_ANSWER, parallel_at_most=1) as scene:
            first = await scene.manager.start(props.plan())
            second = await scene.manager.start(props.plan())
            verdict = await scene.verdict(second)
            assert verdict.finish_reason == "no_resources"
            assert scene.names(second) == ["SessionStarted", "SessionFinished"]
            assert scene.manager.find(1, first)

    play(story)


def test_draining_lets_live_calls_finish_and_ends_the_rest(props: Props) -> None:
    async def story() -> None:
        phones = {EMPLOYEE: answers(after=1), CONTACT: answers(after=1, then=[(5, HangsUp())])}
        async with stage(phones) as scene:
            short = await scene.manager.start(props.plan())
            await scene.manager.drain(within=60)
            assert (await scene.verdict(short)).finish_reason == "subscriber_disconnects"
        async with stage(BOTH_ANSWER) as scene:
            long = await scene.manager.start(props.plan())
            await scene.manager.drain(within=60)
            verdict = await scene.verdict(long)
            assert (verdict.finish_reason, verdict.ended_by) == ("internal_error", "service")
            assert not scene.engine.legs

    play(story)


def test_stopping_the_manager_hangs_up_everybody(props: Props) -> None:
    async def story() -> None:
        async with stage(BOTH_ANSWER) as scene:
            session = await scene.manager.start(props.plan())
            await anyio.sleep(10)
        verdict = await scene.verdict(session)
        assert verdict.detail == "the service was stopped"
        assert not scene.engine.legs

    play(story)


def test_a_message_that_cannot_be_made_is_left_out(props: Props) -> None:
    async def story() -> None:
        phones = {EMPLOYEE: answers(after=1), CONTACT: answers(after=1, then=[(5, HangsUp())])}
        async with stage(phones) as scene:
            plan = props.plan(contact_message=Spoken(None))
            session = await scene.manager.start(plan)
            await scene.verdict(session)
            assert "MessageFailed" in scene.names(session)
            assert scene.heard(CONTACT) == [(2.2, EMPLOYEE)]

    play(story)


def test_synthesis_that_takes_long_delays_only_its_own_message(props: Props) -> None:
    async def story() -> None:
        phones = {EMPLOYEE: answers(after=1), CONTACT: answers(after=1, then=[(9, HangsUp())])}
        async with stage(phones) as scene:
            plan = props.plan(contact_message=props.spoken("late", 1.0, ready_after=2.0))
            await scene.whole_call(plan)
            assert scene.heard(CONTACT) == [
                (2.2, "silence"),
                (2.45, "music.wav"),
                (4.2, "late.wav"),
                (5.2, EMPLOYEE),
            ]

    play(story)


def test_a_phone_that_vanishes_ends_the_session(props: Props) -> None:
    async def story() -> None:
        phones = {
            EMPLOYEE: answers(after=1, then=[(30, HangsUp(Cause.MEDIA_LOST))]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            verdict = await scene.whole_call(props.plan())
            assert (verdict.finish_reason, verdict.fault) == ("operator_disconnects", "network")

    play(story)


def test_keys_that_a_phone_presses_are_told_boundedly(props: Props) -> None:
    async def story() -> None:
        flood = [(0.01, Presses("5"))] * 700
        phones = {
            EMPLOYEE: answers(after=1),
            CONTACT: answers(after=1, then=[*flood, (1, HangsUp())]),
        }
        async with stage(phones) as scene:
            session = await scene.manager.start(props.plan())
            await scene.verdict(session)
            assert scene.names(session).count("KeyReceived") == 500

    play(story)


def test_the_record_shows_state_and_pending_keys(props: Props) -> None:
    async def story() -> None:
        async with stage(BOTH_ANSWER) as scene:
            session = await scene.manager.start(props.plan(dtmf_string="..9.2"))
            live = scene.manager.find(1, session)
            assert live
            record = live.record
            assert (record.state, record.pending_keys) == (State.SESSION, "..9.2")
            await anyio.sleep(3.5)
            assert record.state is State.TALK
            assert [leg.state for leg in record.legs.values()] == ["talking", "talking"]
            await anyio.sleep(2.0)
            assert record.pending_keys == ".2"
            await anyio.sleep(1.0)
            assert record.pending_keys == ""

    play(story)
