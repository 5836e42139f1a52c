"""Stories of scenarios: every operation, every branch, and how calls end in them."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from callwright.calls.commands import Hold, WrongState
from callwright.calls.ending import RELEASED, Ending, released_leg
from callwright.calls.events import (
    CallLost,
    KeyReceived,
    LegEnded,
    LegStarted,
    MessageStarted,
    OperationStarted,
    RecordingReady,
    RecordingStarted,
    RouteAnswered,
    RouteFailed,
    SessionFinished,
)
from callwright.calls.plan import RingGroup, Role
from callwright.calls.scenario_plan import (
    HangUp,
    Operation,
    Play,
    PreparedScenario,
    RefusedCall,
    Route,
    ScenarioCall,
)
from callwright.calls.session import Session
from callwright.calls.state import State
from callwright.engines.port import Cause, LegId
from callwright.engines.simulated.far_end import (
    Act,
    Answers,
    FarEnd,
    HangsUp,
    Presses,
    answers,
    busy,
    never_answers,
)
from callwright.methods.inbound_calls import BLACKLISTED, NO_SCENARIO
from tests.calls.lobby import (
    NUMBER,
    Lobby,
    Oracle,
    ask,
    calls_in,
    menu,
    person,
    queue,
    ring,
    scenario,
    voicemail,
)
from tests.calls.stage import CONTACT, EMPLOYEE, EMPLOYEE_2, Props, Stage, play, stage

THIRD = "79260000003"

STAYS = answers()


def does(*acts: tuple[float, Act]) -> FarEnd:
    """A caller who does this once answered."""
    return FarEnd(((0.0, Answers()), *acts))


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


async def whole_inbound(scene: Stage, lobby: Lobby) -> SessionFinished:
    """Let the contact call in; wait until that is over, and nobody is left on the line."""
    scene.manager.door.reception = lobby
    scene.raised_curtain = anyio.current_time()
    calls_in(scene, CONTACT)
    await anyio.sleep(0.001)
    [session] = scene.journal.stories
    verdict = await scene.verdict(session)
    assert not scene.engine.legs
    return verdict


def tell(
    props: Props,
    what: PreparedScenario,
    far_ends: Mapping[str, FarEnd],
    check: Callable[[Stage, SessionFinished], None],
) -> None:
    async def story() -> None:
        async with stage(far_ends) as scene:
            check(scene, await whole_inbound(scene, Lobby(props, what)))

    play(story)


def told(scene: Stage, kind: type) -> list[object]:
    [events] = scene.journal.stories.values()
    return [event for event in events if isinstance(event, kind)]


def heard(scene: Stage, number: str) -> list[tuple[float, str]]:
    """What a phone heard, without the silence in which a call ends."""
    story = scene.heard(number)
    return story[:-1] if story and story[-1][1] == "silence" else story


def operations(scene: Stage) -> list[str]:
    return [
        f"{event.branch}:{event.number}:{event.operation}"
        for event in told(scene, OperationStarted)
        if isinstance(event, OperationStarted)
    ]


def test_a_message_and_the_end(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, CONTACT) == [(0.0, "hello.wav")]
        assert verdict.finish_reason == "no_operation"
        assert verdict.ended_by == "service"
        assert verdict.total_duration == pytest.approx(2.0)
        [leg] = told(scene, LegStarted)
        assert isinstance(leg, LegStarted)
        assert (leg.calling_number, leg.called_number, leg.offered) == (CONTACT, NUMBER, True)
        assert leg.role is Role.CONTACT

    tell(props, scenario(Play(props.recorded("hello", 2.0))), {CONTACT: STAYS}, check)


def test_a_scenario_that_hangs_up(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert (verdict.finish_reason, verdict.ended_by) == ("scenario_disconnects", "service")
        [ended] = told(scene, LegEnded)
        assert isinstance(ended, LegEnded)
        assert ended.finish_reason == "scenario_disconnects"
        assert operations(scene) == [":1:play", ":2:hangup"]

    hello = Play(props.recorded("hello", 2.0))
    tell(props, scenario(hello, HangUp(), hello), {CONTACT: STAYS}, check)


@pytest.mark.parametrize(
    "operation",
    ["play", "menu", "ring", "ring_at_once", "ask", "voicemail"],
)
def test_the_contact_hangs_up_in_the_midst_of_anything(props: Props, operation: str) -> None:
    """A hangs up, at any time → the session ends (choreography 7)."""
    long = props.recorded("long", 30.0)
    doing: dict[str, Operation] = {
        "play": Play(long),
        "menu": menu(long, {"1": "never"}),
        "ring": ring(person(EMPLOYEE)),
        "ring_at_once": ring(person(EMPLOYEE), person(EMPLOYEE_2), at_once=True),
        "ask": ask("nothing", message=long),
        "voicemail": voicemail(props, 30.0),
    }

    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert (verdict.finish_reason, verdict.ended_by) == ("subscriber_disconnects", "contact")
        assert verdict.total_duration == pytest.approx(3.0)

    after = Play(props.recorded("never", 1.0))
    far_ends = {CONTACT: does((3.0, HangsUp())), EMPLOYEE: never_answers()}
    far_ends[EMPLOYEE_2] = never_answers()
    tell(props, scenario(doing[operation], after, never=[after]), far_ends, check)


@pytest.mark.parametrize(
    ("acts", "hears"),
    [
        # The key cuts the message.
        ([(1.0, Presses("2"))], [(0.0, "choose.wav"), (1.0, "two.wav")]),
        # After the message, in time.
        (
            [(6.0, Presses("1"))],
            [(0.0, "choose.wav"), (3.0, "silence"), (6.0, "one.wav")],
        ),
        # No key: the message again, then the way for nobody's key.
        (
            [],
            [
                (0.0, "choose.wav"),
                (3.0, "silence"),
                (8.0, "choose.wav"),
                (11.0, "silence"),
                (16.0, "otherwise.wav"),
            ],
        ),
        # A wrong key counts as a try.
        (
            [(1.0, Presses("9")), (1.0, Presses("1"))],
            [(0.0, "choose.wav"), (2.0, "one.wav")],
        ),
        (
            [(1.0, Presses("9")), (1.0, Presses("8"))],
            [(0.0, "choose.wav"), (2.0, "otherwise.wav")],
        ),
    ],
)
def test_a_menu(
    props: Props, acts: list[tuple[float, Act]], hears: list[tuple[float, str]]
) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, CONTACT) == hears
        assert verdict.finish_reason == "no_operation"
        assert len(told(scene, KeyReceived)) == len(acts)
        # The menu as often as it was begun, and the message of the branch.
        tries = 1 if acts and len(acts) == 1 else 2
        assert len(told(scene, MessageStarted)) == tries + 1

    tell(
        props,
        scenario(
            menu(props.recorded("choose", 3.0), {"1": "one", "2": "two"}, otherwise="otherwise"),
            Play(props.recorded("never", 1.0)),
            one=[Play(props.recorded("one", 1.0))],
            two=[Play(props.recorded("two", 1.0))],
            otherwise=[Play(props.recorded("otherwise", 1.0))],
        ),
        {CONTACT: does(*acts)},
        check,
    )


def test_a_menu_without_a_key_goes_on_with_the_next_operation(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, CONTACT)[-1] == (6.0, "next.wav")
        assert operations(scene) == [":1:menu", ":2:play"]

    tell(
        props,
        scenario(
            menu(props.recorded("choose", 1.0), {"1": "one"}, repeats=0),
            Play(props.recorded("next", 1.0)),
            one=[HangUp()],
        ),
        {CONTACT: STAYS},
        check,
    )


def test_keys_pressed_before_a_menu_do_not_count(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, CONTACT)[-1][1] == "next.wav"

    tell(
        props,
        scenario(
            Play(props.recorded("hello", 2.0)),
            menu(props.recorded("choose", 1.0), {"1": "one"}, repeats=0),
            Play(props.recorded("next", 1.0)),
            one=[HangUp()],
        ),
        {CONTACT: does((1.0, Presses("1")))},
        check,
    )


def test_people_are_rung_one_after_another(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert verdict.finish_reason == "subscriber_disconnects"
        assert verdict.talk_duration == pytest.approx(18.9 - 1.2 - 10.0, abs=0.2)
        assert scene.phone(EMPLOYEE_2).rung_at - scene.raised_curtain == pytest.approx(10.0)
        assert scene.phone(THIRD).rung_at - scene.raised_curtain == pytest.approx(10.1)
        assert heard(scene, CONTACT)[0] == (0.0, "music.wav")
        assert heard(scene, THIRD)[0] == (11.2, CONTACT)
        assert heard(scene, CONTACT)[1] == (11.2, THIRD)

    tell(
        props,
        scenario(ring(person(EMPLOYEE), person(EMPLOYEE_2), person(THIRD))),
        {
            CONTACT: does((18.9, HangsUp())),
            EMPLOYEE: never_answers(),
            EMPLOYEE_2: busy(),
            THIRD: answers(),
        },
        check,
    )


def test_of_people_rung_at_once_the_first_to_answer_talks(props: Props) -> None:
    """The first leg that is accepted wins, the others are cancelled (choreography 4)."""

    def check(scene: Stage, verdict: SessionFinished) -> None:
        rung = [scene.phone(number) for number in (EMPLOYEE, EMPLOYEE_2, THIRD)]
        assert {leg.rung_at for leg in rung} == {scene.raised_curtain}
        assert [leg.answered for leg in rung] == [False, True, False]
        assert heard(scene, CONTACT) == [(0.0, "music.wav"), (2.1, EMPLOYEE_2)]
        reasons = {
            event.leg: event.finish_reason
            for event in told(scene, LegEnded)
            if isinstance(event, LegEnded)
        }
        assert reasons[rung[0].id] == "another_operator_answer"
        assert reasons[rung[2].id] == "operator_busy"
        assert verdict.finish_reason == "operator_disconnects"

    tell(
        props,
        scenario(ring(person(EMPLOYEE), person(EMPLOYEE_2), person(THIRD), at_once=True)),
        {
            CONTACT: STAYS,
            EMPLOYEE: answers(after=5.0),
            EMPLOYEE_2: answers(after=2.0, then=[(4.0, HangsUp())]),
            THIRD: busy(),
        },
        check,
    )


def test_two_who_answer_in_the_same_moment(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        talked = [
            number
            for number in (EMPLOYEE, EMPLOYEE_2)
            if CONTACT in [what for _, what in scene.phone(number).heard]
        ]
        assert talked == [EMPLOYEE]
        assert verdict.finish_reason == "subscriber_disconnects"

    tell(
        props,
        scenario(ring(person(EMPLOYEE), person(EMPLOYEE_2), at_once=True)),
        {CONTACT: does((9.0, HangsUp())), EMPLOYEE: answers(), EMPLOYEE_2: answers()},
        check,
    )


def test_each_of_those_rung_at_once_is_rung_by_phone_after_phone(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert scene.phone(THIRD).rung_at - scene.raised_curtain == pytest.approx(0.1)
        assert heard(scene, CONTACT)[-1] == (1.2, THIRD)
        assert verdict.finish_reason == "subscriber_disconnects"

    tell(
        props,
        scenario(ring(person(EMPLOYEE), [*person(EMPLOYEE_2), *person(THIRD)], at_once=True)),
        {
            CONTACT: does((9.0, HangsUp())),
            EMPLOYEE: never_answers(),
            EMPLOYEE_2: busy(),
            THIRD: answers(),
        },
        check,
    )


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("far_ends", "reason"),
    [
        ([busy(), busy()], "operator_busy"),
        ([never_answers(), never_answers()], "operator_not_responsible"),
        ([busy(), never_answers()], "no_success_operator_call"),
    ],
)
def test_nobody_is_reached(
    props: Props, far_ends: list[FarEnd], reason: str, *, at_once: bool
) -> None:
    """Second party not reached → the first party is hung up (choreography 7)."""

    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert (verdict.finish_reason, verdict.ended_by) == (reason, "employee")
        assert heard(scene, CONTACT)[-1][1] == "sorry.wav"

    tell(
        props,
        scenario(
            ring(person(EMPLOYEE), person(EMPLOYEE_2), at_once=at_once),
            Play(props.recorded("sorry", 1.0)),
        ),
        {CONTACT: STAYS, EMPLOYEE: far_ends[0], EMPLOYEE_2: far_ends[1]},
        check,
    )


def test_a_call_that_nobody_has_talked_on_is_lost(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        [lost] = told(scene, CallLost)
        assert isinstance(lost, CallLost)
        assert lost.finish_reason == verdict.finish_reason == "operator_busy"
        assert lost.wait_duration == verdict.total_duration
        assert lost.sequence == verdict.sequence - 1

    tell(props, scenario(ring(person(EMPLOYEE))), {CONTACT: STAYS, EMPLOYEE: busy()}, check)


def test_a_call_that_somebody_has_talked_on_is_not_lost(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert verdict.talk_duration > 0
        assert told(scene, CallLost) == []

    far_ends = {CONTACT: does((5.0, HangsUp())), EMPLOYEE: answers()}
    tell(props, scenario(ring(person(EMPLOYEE))), far_ends, check)


def test_nobody_there_to_ring(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert verdict.finish_reason == "no_success_operator_call"

    for at_once in (True, False):
        tell(props, scenario(ring(at_once=at_once)), {CONTACT: STAYS}, check)


def test_an_operator_hears_a_message_first(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, EMPLOYEE) == [(1.1, "brief.wav"), (3.1, CONTACT)]
        assert heard(scene, CONTACT) == [(0.0, "music.wav"), (3.1, EMPLOYEE)]

    tell(
        props,
        scenario(ring(person(EMPLOYEE), message=props.recorded("brief", 2.0))),
        {CONTACT: does((9.0, HangsUp())), EMPLOYEE: answers()},
        check,
    )


def test_an_operator_who_hangs_up_during_the_message_counts_as_not_reached(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, CONTACT)[-1][1] == "sorry.wav"
        assert verdict.finish_reason == "operator_disconnects"

    tell(
        props,
        scenario(
            ring(person(EMPLOYEE), message=props.recorded("brief", 2.0)),
            Play(props.recorded("sorry", 1.0)),
        ),
        {CONTACT: STAYS, EMPLOYEE: answers(then=[(1.0, HangsUp())])},
        check,
    )


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_follows_when_the_operator_leaves(props: Props, *, goes_on: bool) -> None:
    """B hangs up → the session ends, except where a scenario goes on (choreography 7)."""

    def check(scene: Stage, verdict: SessionFinished) -> None:
        if goes_on:
            assert heard(scene, CONTACT)[-1] == (6.1, "rate.wav")
            assert verdict.finish_reason == "no_operation"
            assert verdict.talk_duration == pytest.approx(5.0)
        else:
            assert verdict.finish_reason == "operator_disconnects"

    tell(
        props,
        scenario(
            ring(person(EMPLOYEE), then="rate" if goes_on else None),
            Play(props.recorded("never", 1.0)),
            rate=[Play(props.recorded("rate", 1.0))],
        ),
        {CONTACT: STAYS, EMPLOYEE: answers(then=[(5.0, HangsUp())])},
        check,
    )


def test_a_contact_in_its_scenario_again_cannot_be_held(props: Props) -> None:
    async def story() -> None:
        far_ends = {CONTACT: STAYS, EMPLOYEE: answers(then=[(5.0, HangsUp())])}
        async with stage(far_ends) as scene:
            scene.manager.door.reception = Lobby(
                props,
                scenario(
                    ring(person(EMPLOYEE), then="rate"),
                    rate=[Play(props.recorded("rate", 9.0))],
                ),
            )
            calls_in(scene, CONTACT)
            await anyio.sleep(2.0)
            [session] = scene.manager.live(1)
            await session.inbox.ask(Hold(None))
            assert state(session) is State.HOLD
            await anyio.sleep(6.0)  # The operator hangs up while the contact is held.
            assert state(session) is State.SESSION
            with pytest.raises(WrongState):
                await session.inbox.ask(Hold(None))
            assert scene.phone(CONTACT).heard[-1][1] == "rate.wav"
            assert (await scene.verdict(session.id)).finish_reason == "no_operation"

    play(story)


def state(session: Session) -> State:
    return session.record.state


@pytest.mark.parametrize(
    ("acts", "length"),
    [([(4.0, HangsUp())], 2.5), ([(3.5, Presses("#"))], 2.0), ([], 20.0)],
)
def test_a_voicemail(props: Props, acts: list[tuple[float, Act]], length: float) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert scene.heard(CONTACT)[:3] == [
            (0.0, "leave.wav"),
            (1.0, "beep.wav"),
            (1.5, "silence"),
        ]
        [started], [ready] = told(scene, RecordingStarted), told(scene, RecordingReady)
        assert isinstance(started, RecordingStarted)
        assert isinstance(ready, RecordingReady)
        assert started.legs == (scene.phone(CONTACT).id,)
        assert ready.duration == pytest.approx(length)
        if acts and isinstance(acts[0][1], HangsUp):
            assert verdict.finish_reason == "subscriber_disconnects"
        else:
            assert heard(scene, CONTACT)[-1][1] == "thanks.wav"
            assert verdict.finish_reason == "no_operation"

    thanks = Play(props.recorded("thanks", 1.0))
    tell(props, scenario(voicemail(props), thanks), {CONTACT: does(*acts)}, check)


def test_a_url_leads_to_a_branch(props: Props) -> None:
    asking = ask(Route(codes=["vip", "bye"]), returned={"vip": "gold", "bye": "bye", "x": "bye"})

    def check(scene: Stage, verdict: SessionFinished) -> None:
        """Several codes are processed in turn."""
        assert operations(scene) == [":1:ask", "gold:1:play", "bye:1:hangup"]
        [answered] = told(scene, RouteAnswered)
        assert isinstance(answered, RouteAnswered)
        assert answered.codes == ("vip", "bye")
        assert isinstance(asking.router, Oracle)
        [question] = asking.router.asked
        assert (question.contact, question.virtual_number) == (CONTACT, NUMBER)

    tell(
        props,
        scenario(asking, gold=[Play(props.recorded("gold", 1.0))], bye=[HangUp()]),
        {CONTACT: STAYS},
        check,
    )


def test_a_url_leads_to_phones(props: Props) -> None:
    route = Route(
        groups=[RingGroup([*person(EMPLOYEE), *person(EMPLOYEE_2)])],
        message=props.recorded("wait", 1.0),
        operator_message=props.recorded("brief", 2.0),
    )

    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, CONTACT) == [
            (0.0, "wait.wav"),
            (1.0, "music.wav"),
            (4.2, EMPLOYEE_2),
            (7.2, "rate.wav"),
        ]
        assert heard(scene, EMPLOYEE_2)[0] == (2.2, "brief.wav")
        assert verdict.finish_reason == "no_operation"

    tell(
        props,
        scenario(
            ask(route, then="rate"),
            Play(props.recorded("never", 1.0)),
            rate=[Play(props.recorded("rate", 1.0))],
        ),
        {
            CONTACT: STAYS,
            EMPLOYEE: busy(),
            EMPLOYEE_2: answers(then=[(5.0, HangsUp())]),
        },
        check,
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("it answered 500", "it answered 500"),
        (Route(codes=["nonsense"]), "no branch for nonsense"),
        (Route(codes=["known", "nonsense"]), "no branch for nonsense"),
    ],
)
@pytest.mark.parametrize("otherwise", [None, "fallback"])
def test_a_url_that_fails(
    props: Props, answer: Route | str, reason: str, otherwise: str | None
) -> None:
    """If the hook fails, the scenario's fallback branch is used."""

    def check(scene: Stage, verdict: SessionFinished) -> None:
        [failed] = told(scene, RouteFailed)
        assert isinstance(failed, RouteFailed)
        assert failed.reason == reason
        assert operations(scene) == [":1:ask", "fallback:1:play" if otherwise else ":2:play"]

    tell(
        props,
        scenario(
            ask(answer, returned={"known": "known"}, otherwise=otherwise),
            Play(props.recorded("next", 1.0)),
            fallback=[Play(props.recorded("fallback", 1.0))],
            known=[HangUp()],
        ),
        {CONTACT: STAYS},
        check,
    )


def test_only_a_message_from_a_url_is_played_and_the_scenario_goes_on(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, CONTACT) == [(0.0, "news.wav"), (1.0, "next.wav")]

    tell(
        props,
        scenario(
            ask(Route(message=props.recorded("news", 1.0)), otherwise="fallback"),
            Play(props.recorded("next", 1.0)),
            fallback=[HangUp()],
        ),
        {CONTACT: STAYS},
        check,
    )


@pytest.mark.parametrize(
    ("pressed", "typed"),
    [("1234", "123"), ("12#", "12"), ("12", "12"), ("", ""), ("#", "")],
)
def test_keys_for_a_url(props: Props, pressed: str, typed: str) -> None:
    asking = ask(
        Route(codes=["x"]), message=props.recorded("type", 2.0), digits=3, returned={"x": "bye"}
    )

    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert isinstance(asking.router, Oracle)
        [question] = asking.router.asked
        assert question.keys == typed

    acts = [(1.0, Presses(key)) for key in pressed]
    tell(props, scenario(asking, bye=[HangUp()]), {CONTACT: does(*acts)}, check)


def test_a_scenario_that_goes_in_circles(props: Props) -> None:
    def check(scene: Stage, verdict: SessionFinished) -> None:
        assert verdict.finish_reason == "max_transition_count_exceeded"
        assert verdict.fault == "service"
        assert len(operations(scene)) == 101

    circle = ask("no", otherwise="again")
    tell(props, scenario(circle, again=[circle]), {CONTACT: STAYS}, check)


def test_a_caller_who_gives_up_before_the_answer(props: Props) -> None:
    async def story() -> None:
        async with stage({CONTACT: FarEnd(((0.0, HangsUp()),))}) as scene:
            verdict = await whole_inbound(
                scene, Lobby(props, scenario(Play(props.recorded("hello", 2.0))))
            )
            assert verdict.finish_reason == "disconnect_before_call_processing"
            assert (verdict.ended_by, verdict.fault) == ("contact", "nobody")

    play(story)


@pytest.mark.parametrize("ending", [BLACKLISTED, NO_SCENARIO])
def test_a_call_that_is_refused(props: Props, ending: Ending) -> None:
    async def story() -> None:
        async with stage({CONTACT: STAYS}) as scene:
            lobby = Lobby(props, scenario())
            contact = person(CONTACT)[0]
            caption = props.plan().caption
            lobby.refused = RefusedCall(caption, LegId(0), contact, ending, Cause.REJECTED)
            verdict = await whole_inbound(scene, lobby)
            assert verdict.finish_reason == ending.finish_reason
            assert not scene.phone(CONTACT).answered
            [ended] = told(scene, LegEnded)
            assert isinstance(ended, LegEnded)
            assert (ended.cause, ended.finish_reason) == ("rejected", released_leg(ending))
            # Nobody was to talk with this caller, so nobody has missed the call.
            assert told(scene, CallLost) == []

    play(story)


def test_one_more_call_than_the_account_may_have(props: Props) -> None:
    async def story() -> None:
        async with stage({CONTACT: STAYS}, parallel_at_most=0) as scene:
            verdict = await whole_inbound(
                scene, Lobby(props, scenario(Play(props.recorded("hello", 2.0))))
            )
            assert verdict.finish_reason == "no_resources"
            assert not scene.phone(CONTACT).answered
            assert len(told(scene, CallLost)) == 1

    play(story)


def test_a_call_in_its_scenario_is_listed_and_released(props: Props) -> None:
    async def story() -> None:
        async with stage({CONTACT: STAYS}) as scene:
            scene.manager.door.reception = Lobby(
                props, scenario(Play(props.recorded("long", 60.0)))
            )
            calls_in(scene, CONTACT)
            await anyio.sleep(1.0)
            [session] = scene.manager.live(1)
            assert [leg.role for leg in session.record.legs.values()] == [Role.CONTACT]
            session.end(RELEASED)
            assert (await scene.verdict(session.id)).finish_reason == "api_release"
            assert not scene.engine.legs

    play(story)


# Started by a request.


def started(
    props: Props,
    what: PreparedScenario,
    far_ends: Mapping[str, FarEnd],
    check: Callable[[Stage, SessionFinished], Awaitable[None]],
    **asked: Any,
) -> None:
    async def story() -> None:
        async with stage(far_ends) as scene:
            plan = props.plan(employee_numbers=(), **asked)
            await check(scene, await scene.whole_call(ScenarioCall(plan, what)))

    play(story)


def test_the_contact_first_then_its_scenario(props: Props) -> None:
    async def check(scene: Stage, verdict: SessionFinished) -> None:
        assert heard(scene, CONTACT) == [(1.1, "greet.wav"), (3.1, "hello.wav")]
        assert [round(at - scene.raised_curtain, 2) for at, _ in scene.phone(CONTACT).keys] == [2.1]
        assert verdict.finish_reason == "no_operation"

    started(
        props,
        scenario(Play(props.recorded("hello", 2.0))),
        {CONTACT: answers()},
        check,
        first=Role.CONTACT,
        contact_message=props.recorded("greet", 2.0),
        dtmf_string=".5",
    )


@pytest.mark.parametrize("switch_at_once", [True, False])
def test_a_ring_that_comes_first_rings_while_the_greeting_is_heard(
    props: Props, *, switch_at_once: bool
) -> None:
    """Choreography 2: the message starts, and at the same time B is rung."""

    async def check(scene: Stage, verdict: SessionFinished) -> None:
        assert scene.phone(EMPLOYEE).rung_at - scene.raised_curtain == pytest.approx(1.1)
        if switch_at_once:
            assert heard(scene, CONTACT) == [(1.1, "greet.wav"), (2.2, EMPLOYEE)]
        else:
            assert heard(scene, CONTACT) == [(1.1, "greet.wav"), (6.1, EMPLOYEE)]
            assert heard(scene, EMPLOYEE)[:2] == [(2.2, "brief.wav"), (3.2, "music.wav")]

    started(
        props,
        scenario(ring(person(EMPLOYEE), message=props.recorded("other", 1.0))),
        {CONTACT: answers(), EMPLOYEE: answers(then=[(9.0, HangsUp())])},
        check,
        first=Role.CONTACT,
        contact_message=props.recorded("greet", 5.0),
        employee_message=props.recorded("brief", 1.0),
        switch_at_once=switch_at_once,
    )


@pytest.mark.parametrize("way", ["ring", "otherwise", "queue"])
def test_the_people_of_the_scenario_first(props: Props, way: str) -> None:
    """The employee side is what the scenario says (choreography 4)."""
    ringing = ring(person(EMPLOYEE), person(EMPLOYEE_2))
    hello = Play(props.recorded("never", 1.0))
    plans = {
        "ring": scenario(hello, ringing),
        "otherwise": scenario(
            menu(props.recorded("choose", 1.0), {"1": "one"}, otherwise="two"),
            one=[HangUp()],
            two=[ringing],
        ),
        "queue": scenario(hello, queue(props, person(EMPLOYEE), person(EMPLOYEE_2))),
    }

    async def check(scene: Stage, verdict: SessionFinished) -> None:
        assert [leg.to.number for leg in scene.engine.rung] == [EMPLOYEE, EMPLOYEE_2, CONTACT]
        assert heard(scene, EMPLOYEE_2)[:3] == [
            (1.2, "brief.wav"),
            (2.2, "music.wav"),
            (3.3, CONTACT),
        ]
        assert verdict.finish_reason == "subscriber_disconnects"

    started(
        props,
        plans[way],
        {
            CONTACT: answers(then=[(5.0, HangsUp())]),
            EMPLOYEE: busy(),
            EMPLOYEE_2: answers(),
        },
        check,
        employee_message=props.recorded("brief", 1.0),
    )


def test_nobody_of_the_scenario_answers_first(props: Props) -> None:
    """First party not reached → the second is never dialled (choreography 7)."""

    async def check(scene: Stage, verdict: SessionFinished) -> None:
        assert CONTACT not in [leg.to.number for leg in scene.engine.rung]
        verdicts.append(verdict.finish_reason)

    verdicts: list[str] = []
    circle = ask("no", otherwise="again")
    for what in (
        scenario(ring(person(EMPLOYEE)), HangUp(), ring(person(EMPLOYEE_2))),
        scenario(Play(props.recorded("hello", 1.0))),
        scenario(circle, again=[circle]),
    ):
        started(props, what, {EMPLOYEE: busy()}, check)
    assert verdicts == ["operator_busy", "no_success_operator_call", "no_success_operator_call"]
