"""The offer/answer table, cell by cell, against what the RFCs say; on the wire in other files."""

import pytest

from callwright.engines.sip.dialog.offer_answer import (
    CELLS,
    STARTS,
    UNACKNOWLEDGED_AT_MOST,
    D,
    I,
    OfferAnswer,
    OfferDo,
    OfferInput,
    OfferState,
    S,
    input_of,
)
from callwright.engines.sip.transaction.transactions import ServerTransaction, Timing
from callwright.engines.sip.wire.message import SipRequest

ASKED = (
    I.INVITE_WITH_OFFER,
    I.INVITE_WITHOUT_OFFER,
    I.UPDATE_WITH_OFFER,
    I.UPDATE_WITHOUT_OFFER,
)
"What the far end may ask in a dialog."

ANSWERED: dict[OfferState, tuple[OfferDo, OfferDo, OfferDo, OfferDo]] = {
    # re-INVITE with and without an offer, UPDATE with and without one
    S.UNOFFERED: (D.LATER, D.LATER, D.PENDING, D.REFRESH),
    S.REMOTE_OFFER: (D.LATER, D.LATER, D.LATER, D.REFRESH),
    S.LOCAL_OFFER: (D.PENDING, D.PENDING, D.PENDING, D.REFRESH),
    S.EARLY_ANSWER: (D.PENDING, D.PENDING, D.ANSWER, D.REFRESH),
    S.UNCONFIRMED: (D.PENDING, D.PENDING, D.PENDING, D.REFRESH),
    S.LOCAL_OFFER_IN_2XX: (D.PENDING, D.PENDING, D.PENDING, D.REFRESH),
    S.UNACKNOWLEDGED: (D.ANSWER, D.OFFER, D.ANSWER, D.REFRESH),
    S.STABLE: (D.ANSWER, D.OFFER, D.ANSWER, D.REFRESH),
}

# State, input, next state; and whatever is not here changes nothing.
STEPS = {
    (S.UNOFFERED, I.ACCEPT): S.LOCAL_OFFER_IN_2XX,
    (S.REMOTE_OFFER, I.ACCEPT): S.UNCONFIRMED,
    (S.LOCAL_OFFER, I.PROVISIONAL_ANSWER): S.EARLY_ANSWER,
    (S.LOCAL_OFFER, I.SUCCESS): S.STABLE,
    (S.LOCAL_OFFER, I.FAILURE): S.STABLE,
    (S.EARLY_ANSWER, I.SUCCESS): S.STABLE,
    (S.UNCONFIRMED, I.LAST_ACK): S.STABLE,
    (S.LOCAL_OFFER_IN_2XX, I.ACK_WITH_ANSWER): S.UNACKNOWLEDGED,
    (S.UNACKNOWLEDGED, I.LAST_ACK): S.STABLE,
    (S.UNACKNOWLEDGED, I.INVITE_WITHOUT_OFFER): S.LOCAL_OFFER_IN_2XX,
    (S.STABLE, I.LOCAL_INVITE): S.LOCAL_OFFER,
    (S.STABLE, I.INVITE_WITH_OFFER): S.UNACKNOWLEDGED,
    (S.STABLE, I.INVITE_WITHOUT_OFFER): S.LOCAL_OFFER_IN_2XX,
}


def request(method: str, cseq: int = 1, *, offer: bool = True) -> SipRequest:
    headers = {"via": ["SIP/2.0/UDP a"], "call-id": ["c"], "cseq": [f"{cseq} {method}"]}
    return SipRequest(method, "sip:b@b", headers, b"v=0" if offer else b"")


def invite(cseq: int = 1, *, offer: bool = True) -> ServerTransaction:
    return ServerTransaction(request("INVITE", cseq, offer=offer), Timing(), 0.0)


def is_now(offers: OfferAnswer, state: OfferState) -> bool:
    return offers.state is state


@pytest.mark.parametrize("state", OfferState)
@pytest.mark.parametrize("given", ASKED)
def test_what_the_far_end_is_answered(state: OfferState, given: OfferInput) -> None:
    assert OfferAnswer(state).due(given) is ANSWERED[state][ASKED.index(given)]


@pytest.mark.parametrize("state", OfferState)
@pytest.mark.parametrize("given", OfferInput)
def test_every_cell_leads_where_it_says_and_every_gap_nowhere(
    state: OfferState, given: OfferInput
) -> None:
    offers = OfferAnswer(state)
    offers.step(given)
    assert offers.state is STEPS.get((state, given), state)
    assert OfferAnswer(state).may(given) is ((state, given) in CELLS)


@pytest.mark.parametrize("state", OfferState)
def test_no_request_of_the_far_end_is_without_an_answer(state: OfferState) -> None:
    assert all(OfferAnswer(state).due(given) is not None for given in ASKED)


def test_we_accept_a_call_with_an_answer_or_where_there_is_no_offer_with_ours() -> None:
    assert OfferAnswer(S.REMOTE_OFFER).due(I.ACCEPT) is D.ANSWER
    assert OfferAnswer(S.UNOFFERED).due(I.ACCEPT) is D.OFFER


@pytest.mark.parametrize("state", OfferState)
def test_what_is_refused_changes_nothing(state: OfferState) -> None:
    for given in ASKED:
        offers = OfferAnswer(state)
        if offers.due(given) in (D.PENDING, D.LATER):
            offers.step(given)
            assert offers.state is state


@pytest.mark.parametrize("state", OfferState)
def test_we_offer_in_a_re_invite_only_where_nothing_is_open(state: OfferState) -> None:
    """RFC 3261 14.1: not while another INVITE transaction is in progress in either direction."""
    assert OfferAnswer(state).may(I.LOCAL_INVITE) is (state is S.STABLE)


@pytest.mark.parametrize("state", OfferState)
def test_no_offer_is_answered_while_one_of_ours_is_open(state: OfferState) -> None:
    """RFC 3264 section 4: an offer must not be made while one is outstanding."""
    is_open = state in (S.LOCAL_OFFER, S.LOCAL_OFFER_IN_2XX)
    answered = {OfferAnswer(state).due(given) for given in ASKED[:3]}
    assert not is_open or answered == {D.PENDING}


def test_every_state_is_reached_and_leads_to_a_stable_one() -> None:
    reached = set(STARTS)
    while more := {after for (state, _), (after, _) in CELLS.items() if state in reached} - reached:
        reached |= more
    assert reached == set(OfferState)
    stable = {S.STABLE}
    while more := {state for (state, _), (after, _) in CELLS.items() if after in stable} - stable:
        stable |= more
    assert stable == set(OfferState)


@pytest.mark.parametrize(
    ("method", "offer", "given"),
    [
        ("INVITE", True, I.INVITE_WITH_OFFER),
        ("INVITE", False, I.INVITE_WITHOUT_OFFER),
        ("UPDATE", True, I.UPDATE_WITH_OFFER),
        ("UPDATE", False, I.UPDATE_WITHOUT_OFFER),
    ],
)
def test_a_body_is_an_offer(method: str, offer: bool, given: OfferInput) -> None:
    assert input_of(request(method, offer=offer)) is given


def test_the_last_ack_of_several_makes_it_stable() -> None:
    offers = OfferAnswer(S.STABLE)
    first, second = invite(1), invite(2)
    offers.accepted(I.INVITE_WITH_OFFER, first)
    offers.accepted(I.INVITE_WITH_OFFER, second)
    assert offers.acknowledged(2) is second
    assert is_now(offers, S.UNACKNOWLEDGED)
    assert offers.acknowledged(1) is first
    assert is_now(offers, S.STABLE)
    assert offers.acknowledged(1) is None


def test_the_ack_of_another_invite_brings_no_answer_to_our_offer() -> None:
    offers = OfferAnswer(S.STABLE)
    offers.accepted(I.INVITE_WITH_OFFER, invite(1))
    offers.accepted(I.INVITE_WITHOUT_OFFER, invite(2, offer=False))
    offers.acknowledged(1)
    assert is_now(offers, S.LOCAL_OFFER_IN_2XX)
    offers.acknowledged(2)
    assert is_now(offers, S.STABLE)


def test_an_answer_may_come_before_the_ack_of_an_earlier_invite() -> None:
    offers = OfferAnswer(S.STABLE)
    offers.accepted(I.INVITE_WITH_OFFER, invite(1))
    offers.accepted(I.INVITE_WITHOUT_OFFER, invite(2, offer=False))
    offers.acknowledged(2)
    assert is_now(offers, S.UNACKNOWLEDGED)
    offers.acknowledged(1)
    assert is_now(offers, S.STABLE)


def test_an_invite_whose_ack_is_lost_is_told_of_once() -> None:
    offers = OfferAnswer(S.REMOTE_OFFER)
    one = invite()
    offers.accepted(I.ACCEPT, one)
    assert offers.unacknowledged(1) is one
    assert offers.unacknowledged(1) is None


def test_acks_that_are_due_are_bounded() -> None:
    offers = OfferAnswer(S.STABLE)
    for cseq in range(UNACKNOWLEDGED_AT_MOST):
        assert not offers.is_full
        offers.accepted(I.INVITE_WITH_OFFER, invite(cseq))
    assert offers.is_full
