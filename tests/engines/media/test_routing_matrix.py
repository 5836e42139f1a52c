"""Who hears whom, leg by leg."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.media.routing_matrix import RoutingMatrix
from callwright.engines.port import BridgeId, CoachMode, LegId

ANN, BOB, CARL, DORA = (LegId(number) for number in range(1, 5))
LEGS = (ANN, BOB, CARL, DORA)
BRIDGE, OTHER = BridgeId(1), BridgeId(2)


@pytest.fixture
def audience() -> RoutingMatrix:
    """Ann and Bob talk."""
    audience = RoutingMatrix()
    audience.bridge(BRIDGE, ANN, BOB)
    return audience


def heard(audience: RoutingMatrix) -> dict[LegId, set[LegId]]:
    """By ear, of those who hear anybody."""
    ears = {leg: set(audience.speakers(leg)) for leg in LEGS}
    return {leg: speakers for leg, speakers in ears.items() if speakers}


def test_a_bridge_goes_both_ways_until_it_is_parted(audience: RoutingMatrix) -> None:
    assert heard(audience) == {ANN: {BOB}, BOB: {ANN}}
    assert audience.bridged(BRIDGE) == (ANN, BOB)
    audience.unbridge(BRIDGE)
    audience.unbridge(BRIDGE)
    assert heard(audience) == {}
    assert audience.bridged(BRIDGE) == ()


def test_a_bridge_replaces_those_its_legs_were_in_and_the_one_of_its_number(
    audience: RoutingMatrix,
) -> None:
    audience.bridge(OTHER, BOB, CARL)
    assert heard(audience) == {BOB: {CARL}, CARL: {BOB}}
    audience.unbridge(BRIDGE)  # is gone
    audience.bridge(OTHER, ANN, DORA)
    assert heard(audience) == {ANN: {DORA}, DORA: {ANN}}


@pytest.mark.parametrize(
    ("mode", "ann", "bob"),
    [
        (CoachMode.LISTEN, {BOB}, {ANN}),
        (CoachMode.WHISPER, {BOB, CARL}, {ANN}),
        (CoachMode.BARGE, {BOB, CARL}, {ANN, CARL}),
    ],
)
def test_a_coach(
    audience: RoutingMatrix, mode: CoachMode, ann: set[LegId], bob: set[LegId]
) -> None:
    audience.coach(CARL, ANN, mode)
    assert heard(audience) == {ANN: ann, BOB: bob, CARL: {ANN, BOB}}
    audience.mute(CARL, muted=True)
    assert heard(audience) == {ANN: {BOB}, BOB: {ANN}, CARL: {ANN, BOB}}
    audience.mute(CARL, muted=False)
    audience.unbridge(BRIDGE)
    alone = {ANN: {CARL}} if mode is not CoachMode.LISTEN else {}
    assert heard(audience) == alone | {CARL: {ANN}}
    audience.stop_coaching(CARL)
    assert heard(audience) == {}


def test_a_coach_changes_sides(audience: RoutingMatrix) -> None:
    audience.coach(CARL, ANN, CoachMode.WHISPER)
    audience.coach(CARL, BOB, CoachMode.WHISPER)
    assert heard(audience) == {ANN: {BOB}, BOB: {ANN, CARL}, CARL: {ANN, BOB}}


def test_two_coaches_barge_without_hearing_each_other(audience: RoutingMatrix) -> None:
    audience.coach(CARL, ANN, CoachMode.BARGE)
    audience.coach(DORA, ANN, CoachMode.BARGE)
    both = {CARL, DORA}
    expected = {ANN: {BOB} | both, BOB: {ANN} | both, CARL: {ANN, BOB}, DORA: {ANN, BOB}}
    assert heard(audience) == expected
    audience.leave(ANN)
    assert heard(audience) == {}


def test_a_coach_that_is_bridged_with_whom_it_coaches_is_heard_once() -> None:
    audience = RoutingMatrix()
    audience.bridge(BRIDGE, ANN, BOB)
    audience.coach(BOB, ANN, CoachMode.BARGE)
    assert (audience.speakers(ANN), audience.speakers(BOB)) == ((BOB,), (ANN,))


def test_what_one_says_to_the_other(audience: RoutingMatrix) -> None:
    audience.coach(CARL, ANN, CoachMode.BARGE)
    audience.mute(BOB, muted=True)
    assert audience.says(ANN, BOB)
    assert not audience.says(BOB, ANN)
    assert not audience.says(CARL, ANN)
    audience.leave(BOB)
    audience.bridge(BRIDGE, ANN, BOB)  # a new leg of that number is not muted
    assert audience.says(BOB, ANN)


COMMANDS = st.lists(
    st.one_of(
        st.tuples(
            st.just("bridge"),
            st.sampled_from([BRIDGE, OTHER]),
            st.permutations(LEGS).map(lambda legs: legs[:2]),
        ),
        st.tuples(st.just("unbridge"), st.sampled_from([BRIDGE, OTHER]), st.none()),
        st.tuples(
            st.just("coach"),
            st.sampled_from(CoachMode),
            st.permutations(LEGS).map(lambda legs: legs[:2]),
        ),
        st.tuples(st.just("stop"), st.sampled_from(LEGS), st.none()),
        st.tuples(st.just("leave"), st.sampled_from(LEGS), st.none()),
        st.tuples(st.just("mute"), st.sampled_from(LEGS), st.none()),
    ),
    max_size=12,
)


@given(COMMANDS)
def test_nobody_outside_a_circle_hears_or_is_heard_by_anybody_in_it(
    commands: list[tuple[str, object, list[LegId] | None]],
) -> None:
    audience = RoutingMatrix()
    for command in commands:
        match command:
            case ("bridge", int(bridge), [one, other]):
                audience.bridge(BridgeId(bridge), one, other)
            case ("unbridge", int(bridge), _):
                audience.unbridge(BridgeId(bridge))
            case ("coach", CoachMode() as mode, [ear, to]):
                audience.coach(ear, to, mode)
            case ("stop", int(leg), _):
                audience.stop_coaching(LegId(leg))
            case ("leave", int(leg), _):
                audience.leave(LegId(leg))
            case ("mute", int(leg), _):
                audience.mute(LegId(leg), muted=True)
    for leg in LEGS:
        circle = audience.circle(leg)
        assert leg in circle
        assert leg not in audience.speakers(leg)
        assert set(audience.speakers(leg)) <= circle
        for other in circle:
            assert audience.circle(other) == circle
