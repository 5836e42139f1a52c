"""The transaction tables, cell by cell, and the times at which packets go out."""

import pytest

from callwright.engines.sip.transaction.tables import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    SERVER,
    Do,
    Input,
    Table,
    TransactionState,
)
from callwright.engines.sip.transaction.transactions import (
    ClientTransaction,
    Lost,
    ServerTransaction,
    Timing,
    Transaction,
    cancel_of,
)
from callwright.engines.sip.wire.message import SipRequest, SipResponse, answer_to, parse

TABLES = {
    "invite client": INVITE_CLIENT,
    "client": CLIENT,
    "invite server": INVITE_SERVER,
    "server": SERVER,
}
SENDING = {Do.SEND, Do.SEND_AGAIN, Do.ACK}


def states(table: Table) -> set[TransactionState]:
    return {state for state, _ in table.cells} | {state for state, _ in table.cells.values()}


CELLS = [
    pytest.param(table, state, given, id=f"{name}: {state.name} {given.name}")
    for name, table in TABLES.items()
    for state in sorted(states(table), key=lambda state: state.value)
    for given in Input
]


def request(method: str = "INVITE") -> SipRequest:
    return SipRequest(
        method,
        "sip:25@127.0.0.1",
        {
            "via": ["SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1"],
            "route": ["<sip:127.0.0.8;lr>"],
            "from": ["<sip:1@127.0.0.1>;tag=us"],
            "to": ["<sip:25@127.0.0.1>"],
            "call-id": ["c"],
            "cseq": [f"7 {method}"],
        },
    )


def response(status: int, method: str = "INVITE") -> SipResponse:
    return answer_to(request(method), status, "Said", tag="them")


def client(method: str = "INVITE") -> ClientTransaction:
    transaction = ClientTransaction(request(method), Timing(), 0.0)
    transaction.to_send.clear()
    return transaction


def server(method: str = "INVITE") -> ServerTransaction:
    return ServerTransaction(request(method), Timing(), 0.0)


@pytest.mark.parametrize(("table", "state", "given"), CELLS)
def test_every_cell_does_what_the_table_says_and_every_gap_nothing(
    table: Table, state: TransactionState, given: Input
) -> None:
    transaction = Transaction(table, request(), Timing(), 0.0)
    transaction._last = b"sent before"
    transaction._enter(state, 0.0)
    before = transaction.next_timer()
    transaction._step(given, 0.0, response(200))
    after, actions = table.cells.get((state, given), (state, ()))
    assert transaction.state is after
    assert len(transaction.to_send) == sum(action in SENDING for action in actions)
    assert len(transaction.to_tell) == sum(action not in SENDING for action in actions)
    if (state, given) not in table.cells:
        assert transaction.next_timer() == before


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_state_is_reachable(table: Table) -> None:
    reached = {table.start}
    while (
        more := {after for (state, _), (after, _) in table.cells.items() if state in reached}
        - reached
    ):
        reached |= more
    assert reached == states(table)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_state_is_mortal_and_most_without_anybodys_help(table: Table) -> None:
    def mortal(inputs: set[Input]) -> set[TransactionState]:
        dead = {TransactionState.TERMINATED}
        while (
            more := {
                state
                for (state, given), (after, _) in table.cells.items()
                if given in inputs and after in dead
            }
            - dead
        ):
            dead |= more
        return dead

    assert mortal(set(Input)) == states(table)
    timers = {given for given in Input if given.name.startswith("TIMER")}
    # Somebody may let it ring as long as he likes; and our own user owes a server its answer.
    waits_for_people = {
        "invite client": {TransactionState.PROCEEDING},
        "client": set(),
        "invite server": {TransactionState.PROCEEDING},
        "server": {TransactionState.TRYING, TransactionState.PROCEEDING},
    }
    name = next(name for name, one in TABLES.items() if one is table)
    assert states(table) - mortal(timers) == waits_for_people[name]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_timer_that_runs_has_a_cell(table: Table) -> None:
    for state, timers in table.timers.items():
        for timer in timers:
            assert (state, timer) in table.cells
    for state, given in table.cells:
        if given.name.startswith("TIMER"):
            assert given in table.timers[state]


RELIABLE = [
    pytest.param(table, state, timer, id=f"{name}: {state.name} {timer.name}")
    for name, table in TABLES.items()
    for state, timers in table.timers.items()
    for timer in timers
]


@pytest.mark.parametrize(("table", "state", "timer"), RELIABLE)
def test_over_a_reliable_transport_timers_are_off_or_zero(
    table: Table, state: TransactionState, timer: Input
) -> None:
    """RFC 3261 17: nothing is sent again (A, E, G) and nothing absorbed (D, I, J, K)."""
    transaction = Transaction(table, request(), Timing(), 0.0, reliable=True)
    transaction._enter(state, 0.0)
    left = transaction._deadlines.get(timer)
    match timer.name:
        case "TIMER_A" | "TIMER_E":
            assert left is None
        case "TIMER_G":
            # A 2xx goes from end to end, perhaps over UDP after the next hop (13.3.1.4).
            assert left == (0.5 if state is TransactionState.ACCEPTED else None)
        case "TIMER_D" | "TIMER_I" | "TIMER_J" | "TIMER_K":
            assert left == 0.0
        case _:
            assert left == 32.0


def test_over_a_reliable_transport_a_request_is_sent_once_and_times_out() -> None:
    for method in ("INVITE", "BYE"):
        transaction = ClientTransaction(request(method), Timing(), 0.0, reliable=True)
        assert schedule(transaction) == [32.0]
        assert transaction.to_tell == [Lost.TIMEOUT]


def test_over_a_reliable_transport_a_refusal_is_sent_once_until_its_ack() -> None:
    transaction = ServerTransaction(request(), Timing(), 0.0, reliable=True)
    transaction.respond(response(486), 0.0)
    assert len(transaction.to_send) == 1
    assert schedule(transaction) == [32.0]
    transaction = ServerTransaction(request(), Timing(), 0.0, reliable=True)
    transaction.respond(response(486), 0.0)
    transaction.receive(request("ACK"), 1.0)
    transaction.on_timer(1.0)
    assert transaction.state is TransactionState.TERMINATED


def test_an_abandoned_invite_is_not_sent_again_but_its_answer_is_told() -> None:
    transaction = client()
    transaction.abandoned(4.0)
    assert not transaction.waiting
    assert schedule(transaction) == [32.0]
    assert transaction.to_tell == []
    late = client()
    late.abandoned(4.0)
    late.receive(response(200), 5.0)
    assert [one.status for one in late.to_tell if isinstance(one, SipResponse)] == [200]
    refused = client()
    refused.abandoned(4.0)
    refused.receive(response(486), 5.0)
    assert len(refused.to_send) == 1
    assert refused.to_tell == []


def schedule(transaction: Transaction) -> list[float]:
    """Feed a transaction nothing but its own timers; the times it sends, and when it is over."""
    transaction.to_send.clear()
    times = []
    while (due := transaction.next_timer()) is not None:
        transaction.on_timer(due)
        if transaction.to_send:
            times.append(due)
            transaction.to_send.clear()
        last = due
    return [*times, last]


def test_an_invite_is_sent_again_at_these_times_and_then_times_out() -> None:
    transaction = client()
    assert schedule(transaction) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 32.0]
    assert transaction.to_tell == [Lost.TIMEOUT]


def test_another_request_is_sent_again_at_most_every_four_seconds() -> None:
    transaction = client("BYE")
    assert schedule(transaction) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5, 32.0]
    assert transaction.to_tell == [Lost.TIMEOUT]


def test_a_provisional_response_slows_another_request_down_but_does_not_prolong_it() -> None:
    transaction = client("BYE")
    transaction.receive(response(100, "BYE"), 0.1)
    assert schedule(transaction) == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5, 32.0]


def test_a_ringing_invite_waits_for_ever_until_it_is_cancelled() -> None:
    transaction = client()
    transaction.receive(response(180), 1.0)
    assert transaction.next_timer() is None
    assert transaction.waiting
    transaction.cancelled(100.0)
    assert schedule(transaction) == [132.0]
    assert transaction.state is TransactionState.TERMINATED


def test_every_copy_of_a_failure_is_acknowledged_and_told_once() -> None:
    transaction = client()
    for _ in range(3):
        transaction.receive(response(486), 1.0)
    acks = [parse(data) for data in transaction.to_send]
    assert len(acks) == 3
    assert len(transaction.to_tell) == 1
    assert not transaction.waiting
    for ack in acks:
        assert isinstance(ack, SipRequest)
        assert ack.method == "ACK"
        assert ack.via.branch == "z9hG4bK1"
        assert ack.to_tag == "them"
        assert ack.cseq == 7
        assert ack.headers["route"] == ["<sip:127.0.0.8;lr>"]


def test_every_copy_of_a_success_is_told() -> None:
    transaction = client()
    for _ in range(3):
        transaction.receive(response(200), 1.0)
    assert len(transaction.to_tell) == 3
    assert transaction.to_send == []
    assert transaction.next_timer() == 33.0


def test_our_2xx_is_sent_until_its_ack_comes() -> None:
    unheard = server()
    unheard.respond(response(200), 0.0)
    assert schedule(unheard) == [
        *(0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5),
        32.0,
    ]
    assert unheard.to_tell == [Lost.TIMEOUT]

    heard = server()
    heard.respond(response(200), 0.0)
    heard.on_timer(0.5)
    assert len(heard.to_send) == 2
    heard.receive(request("ACK"), 0.6)
    assert schedule(heard) == [32.0]
    assert heard.to_tell == []


def test_a_copy_of_a_request_gets_the_same_answer() -> None:
    transaction = server("BYE")
    transaction.receive(request("BYE"), 0.0)
    assert transaction.to_send == []
    transaction.respond(response(200, "BYE"), 0.0)
    transaction.receive(request("BYE"), 0.1)
    first, second = transaction.to_send
    assert first == second
    assert schedule(transaction) == [32.0]


def test_a_cancel_goes_the_way_of_its_invite() -> None:
    cancel = cancel_of(request())
    assert (cancel.uri, cancel.cseq, cancel.via.branch) == ("sip:25@127.0.0.1", 7, "z9hG4bK1")
    assert cancel.headers["cseq"] == ["7 CANCEL"]
    assert cancel.headers["route"] == ["<sip:127.0.0.8;lr>"]
    assert cancel.to_tag is None
