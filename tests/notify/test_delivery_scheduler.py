"""Delivery: at least once, in order per session, whatever the receiver does."""

import logging
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import delete, event, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook as Verifier

from callwright.directory.webhook import GRACE, Verb
from callwright.hooks.client import HookClient
from callwright.notify import delivery_scheduler as scheduler_module
from callwright.notify.breaker import FAILURES
from callwright.notify.delivery_scheduler import DeliveryLimits, DeliveryScheduler
from callwright.notify.http_sender import ANSWER_KEPT
from callwright.notify.session_delivery import RETRIED_FOR
from callwright.storage.tables import Origin, call_events, webhook_log
from callwright.storage.webhooks import webhook_log as webhook_log_module
from callwright.storage.webhooks.webhook_log import KEPT_FOR, AttemptOutcome
from tests.notify.office import (
    OURS,
    PUBLIC,
    Office,
    StandingClock,
    asleep,
    draft,
    emptied,
    until,
    until_taken,
)
from tests.notify.receiver import Receiver, Taken, receiving
from tests.storage.stories import later, started
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["as told", "as read"])
def office(request: pytest.FixtureRequest, database: AsyncEngine) -> Office:
    return Office.on(database, listening=request.param)


def in_order(places: Iterable[tuple[int, int]]) -> bool:
    """Whether the events of each session first arrived in their order."""
    seen: defaultdict[int, list[int]] = defaultdict(list)
    for session, sequence in places:
        if sequence not in seen[session]:
            seen[session].append(sequence)
    return all(numbers == sorted(numbers) for numbers in seen.values())


def whole(*sessions: int) -> list[tuple[int, int]]:
    return [(session, sequence) for session in sessions for sequence in PUBLIC]


async def test_every_event_arrives_signed_and_in_order(office: Office) -> None:
    with receiving(Receiver()) as receiver:
        webhook = await office.hook(receiver)
        async with office.open(wall=True):
            for session in (1, 2, 3):
                await office.call(session)
            await emptied(office)
    assert sorted(receiver.places) == whole(1, 2, 3)
    assert in_order(receiver.places)
    for one in receiver.taken:
        told = Verifier(webhook.secret).verify(one.body, one.headers)
        assert told["delivery_id"] == one.headers["webhook-id"]
        assert told["delivery_id"] == f"wh{webhook.id}-{told['event_id']}"
        assert one.headers["content-type"] == "application/json; charset=utf-8"
    assert len({one.headers["webhook-id"] for one in receiver.taken}) == 3 * len(PUBLIC)
    entries = await office.entries()
    assert {entry.attempt.outcome for entry in entries} == {AttemptOutcome.SENT}
    assert [entry.attempt.content for entry in entries if entry.attempt.session == 2] == [
        one.body.decode() for one in receiver.taken if one.place[0] == 2
    ]


async def test_events_of_a_live_call_are_told_as_they_come(office: Office) -> None:
    with receiving(Receiver()) as receiver:
        await office.hook(receiver)
        async with office.open(wall=True):
            await office.journal.begin(started(1))
            for n, one in enumerate(later(1), start=2):
                await office.write(one)
                await until_taken(receiver, n)
            await emptied(office)
    assert receiver.places == whole(1)


async def test_a_get_has_the_event_in_its_signed_query(office: Office) -> None:
    template = "key=5&session={{call_session_id}}&who={{employee_full_name}}&tag={{tag_name}}"
    with receiving(Receiver()) as receiver:
        webhook = await office.hook(
            receiver, verb=Verb.GET, template=template, event_types=["talk.started"]
        )
        async with office.open(wall=True):
            await office.call(1)
            await emptied(office)
    [one] = receiver.taken
    assert (one.verb, one.body) == ("GET", b"")
    assert one.query == "key=5&session=1&who=Anna%20Ivanova&tag=null"
    Verifier(webhook.secret).verify(one.query, one.headers, json_parse=False)


async def test_only_the_types_asked_for_are_told(office: Office) -> None:
    with receiving(Receiver()) as receiver:
        await office.hook(receiver, event_types=["session.started", "session.finished"])
        async with office.open():
            await office.call(1)
            await emptied(office)
    assert [one.json["type"] for one in receiver.taken] == ["session.started", "session.finished"]


async def test_each_account_is_told_of_its_own_calls(office: Office) -> None:
    with receiving(Receiver()) as ours, receiving(Receiver()) as theirs:
        await office.hook(ours)
        await office.webhooks.create(type(OURS)(2), draft(theirs.url), Origin.COMMAND)
        async with office.open():
            await office.call(1)
            await emptied(office)
    assert ours.places == whole(1)
    assert theirs.asked == []


async def test_without_webhooks_a_call_costs_nothing_more(office: Office) -> None:
    statements: list[str] = []
    event.listen(
        office.database.sync_engine,
        "before_cursor_execute",
        lambda _1, _2, statement, *_: statements.append(statement),
    )
    await office.outbox.webhooks()
    statements.clear()
    await office.call(1)
    assert statements
    assert not any("webhook" in statement for statement in statements)


# A receiver that does not take what it is sent.


@pytest.mark.parametrize(
    "sessions",
    [
        pytest.param(3, id="so few that each is put off for an hour by then"),
        pytest.param(20, id="so many that all of them at a time would be a flood"),
    ],
)
async def test_a_receiver_that_is_down_for_hours_gets_everything_when_it_is_back(
    office: Office, caplog: pytest.LogCaptureFixture, sessions: int
) -> None:
    caplog.set_level(logging.WARNING)
    began = office.clock.now()
    with receiving(Receiver()) as receiver:
        receiver.behaviour = lambda _: (
            204 if office.clock.now() - began > timedelta(hours=5) else 503
        )
        await office.hook(receiver)
        for session in range(1, sessions + 1):
            await office.call(session)
        async with office.open():
            await emptied(office)
    assert sorted(receiver.places) == whole(*range(1, sessions + 1))
    assert in_order(receiver.places)
    # The breaker: not all sessions at a time, but one request every five minutes or so.
    refused = len(receiver.asked) - len(receiver.taken)
    assert refused < 5 * 60 / 4 + 20
    assert not any(one.attempt.outcome is AttemptOutcome.GIVEN_UP for one in await office.entries())
    # Once it is back nothing waits for the time it was put off to.
    last = (await office.entries())[-1].attempt
    assert last.started_at - began < timedelta(hours=5, minutes=10)
    told = [record.getMessage() for record in caplog.records]
    assert sum("takes nothing" in line for line in told) == 1
    assert sum("takes events again" in line for line in told) == 1


async def test_after_a_day_an_event_is_given_up_and_logged(office: Office) -> None:
    with receiving(Receiver(lambda _: 500)) as receiver:
        await office.hook(receiver, event_types=["session.started", "session.finished"])
        await office.call(1)
        async with office.open():
            await emptied(office)
    attempts = [entry.attempt for entry in await office.entries()]
    first = [one for one in attempts if one.event_type == "session.started"]
    assert [one.number for one in first] == list(range(1, len(first) + 1))
    assert [one.outcome for one in first[:-1]] == [AttemptOutcome.FAILED] * (len(first) - 1)
    assert first[-1].outcome is AttemptOutcome.GIVEN_UP
    assert first[-1].started_at - first[0].started_at >= RETRIED_FOR
    assert (first[-1].status, first[-1].answer) == (500, "noted")
    assert 25 <= len(first) <= 40
    # Attempts of one event lie further and further apart, up to about an hour.
    gaps = [
        (later.started_at - one.started_at).total_seconds()
        for one, later in zip(first, first[1:], strict=False)
    ]
    assert 4 <= gaps[0] <= 6
    assert max(gaps) <= 3600 * 1.2 + 300 * 1.2
    # The session goes on with the next one, which is as old.
    last = [one for one in attempts if one.event_type == "session.finished"]
    assert last[-1].outcome is AttemptOutcome.GIVEN_UP
    assert [one.number for one in last] == list(range(1, len(last) + 1))
    assert last[-1].started_at - first[0].started_at < RETRIED_FOR + timedelta(hours=2)


async def test_what_has_waited_for_the_service_is_not_given_up_over_a_short_failure(
    office: Office,
) -> None:
    """For a day nobody has tried; that the receiver takes nothing is known for some minutes."""
    for_minutes = timedelta(minutes=30)
    with receiving(Receiver()) as receiver:
        await office.hook(receiver)
        for session in range(1, 6):
            await office.call(session)
        office.clock.time += RETRIED_FOR + timedelta(hours=1)
        began = office.clock.now()
        receiver.behaviour = lambda _: 204 if office.clock.now() - began > for_minutes else 503
        async with office.open():
            await emptied(office)
    assert sorted(receiver.places) == whole(*range(1, 6))
    outcomes = {one.attempt.outcome for one in await office.entries()}
    assert outcomes == {AttemptOutcome.FAILED, AttemptOutcome.SENT}


async def test_what_waits_behind_a_dead_receiver_is_given_up_after_a_day_too(
    office: Office,
) -> None:
    with receiving(Receiver(lambda _: 500)) as receiver:
        await office.hook(receiver, event_types=["session.finished"])
        for session in range(1, 16):
            await office.call(session)
        async with office.open(longest=3600):
            await emptied(office)
    given_up = {
        entry.attempt.session
        for entry in await office.entries()
        if entry.attempt.outcome is AttemptOutcome.GIVEN_UP
    }
    assert given_up == set(range(1, 16))


async def test_one_event_that_is_refused_holds_only_its_own_session(office: Office) -> None:
    with receiving(Receiver(lambda one: 422 if one.place == (2, 5) else 200)) as receiver:
        await office.hook(receiver)
        for session in (1, 2, 3):
            await office.call(session)
        async with office.open():
            await emptied(office)
    assert sorted(receiver.places) == [one for one in whole(1, 2, 3) if one != (2, 5)]
    assert in_order(receiver.places)
    # The others did not wait for it.
    assert receiver.places[-1] == (2, PUBLIC[-1])
    asked = [one.place for one in receiver.asked]
    assert asked.index((2, 6)) > asked.index((1, PUBLIC[-1]))
    [given_up] = [
        one.attempt
        for one in await office.entries()
        if one.attempt.outcome is AttemptOutcome.GIVEN_UP
    ]
    assert (given_up.session, given_up.status, given_up.error_type) == (2, 422, "http_status")


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (b"what?\r\n\r\n", "protocol"),
        (b"", "protocol"),
        (b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", "http_status"),
        (b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", "http_status"),
    ],
    ids=["garbage", "nothing", "redirect", "gone"],
)
async def test_what_is_not_taken_is_sent_again(
    office: Office, answer: bytes, error_type: str
) -> None:
    answers, began = iter([answer, answer]), time.monotonic()
    with receiving(Receiver(lambda _: next(answers, 200))) as receiver:
        await office.hook(receiver, event_types=["talk.started"])
        async with office.open():
            await office.call(1)
            await emptied(office)
    assert [one.path for one in receiver.asked] == ["/hook"] * 3
    assert len({one.headers["webhook-id"] for one in receiver.asked}) == 1
    attempts = [entry.attempt for entry in await office.entries()]
    assert [(one.number, one.error_type) for one in attempts] == [
        (1, error_type),
        (2, error_type),
        (3, None),
    ]
    assert all(one.duration >= 0 for one in attempts)
    assert sum(one.duration for one in attempts) <= time.monotonic() - began


async def test_an_answer_whose_body_is_no_use_is_an_answer(office: Office) -> None:
    long = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + 100 * (
        b"400\r\n" + 1024 * b"\0" + b"\r\n"
    )
    cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"
    answers = iter([long, cut])
    with receiving(Receiver(lambda _: next(answers))) as receiver:
        await office.hook(receiver, event_types=["talk.started", "talk.finished"])
        async with office.open():
            await office.call(1)
            await emptied(office)
    attempts = [entry.attempt for entry in await office.entries()]
    assert [one.outcome for one in attempts] == [AttemptOutcome.SENT] * 2
    assert [one.answer for one in attempts] == [ANSWER_KEPT * "\ufffd", "half"]


async def test_a_receiver_that_does_not_answer_in_time_is_asked_again(office: Office) -> None:
    released = threading.Event()

    def behaviour(_: Taken) -> int:
        if len(receiver.asked) == 1:
            released.wait(WITHIN)
        return 200

    with receiving(Receiver(behaviour)) as receiver:
        await office.hook(receiver, event_types=["talk.started"])
        # An answer that does come takes less, however busy the machine.
        async with office.open(within=5.0):
            await office.call(1)
            await emptied(office)
        released.set()
    attempts = [entry.attempt for entry in await office.entries()]
    assert [one.error_type for one in attempts] == ["timeout", None]
    assert attempts[0].error_message == "it did not answer within 5 s"


def queue(scheduler: DeliveryScheduler) -> float | None:
    shown = {figure.name: figure.value for figure in scheduler.figures()}
    return shown.get("callwright_webhook_queue")


async def test_what_waits_is_counted_when_somebody_looks(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(Receiver()) as receiver:
        await office.hook(receiver)
        for session in (1, 2, 3):
            await office.call(session)
        async with HookClient(allow_private=True) as client:
            scheduler = office.scheduler(client)
            assert queue(scheduler) is None
            await scheduler.count()
            assert queue(scheduler) == 3
            monkeypatch.setattr(scheduler_module, "COUNTED_AT_MOST", 2)
            await scheduler.count()
            assert queue(scheduler) == 2
            monkeypatch.undo()
            await scheduler.refresh()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(scheduler.run)
                await emptied(office)
                tasks.cancel_scope.cancel()
            await scheduler.count()
            assert queue(scheduler) == 0


async def test_what_cannot_be_counted_is_not_told(office: Office) -> None:
    async with HookClient(allow_private=True) as client, office.database.begin() as connection:
        scheduler = office.scheduler(client)
        await scheduler.count()
        assert queue(scheduler) == 0
        await connection.execute(text("ALTER TABLE webhook_outbox RENAME TO elsewhere"))
        await connection.commit()
        await scheduler.count()
        assert queue(scheduler) is None


async def test_nobody_is_there(office: Office) -> None:
    receiver = Receiver()
    with receiving(receiver):
        pass
    await office.hook(receiver, event_types=["talk.started"])
    async with office.open():
        await office.call(1)
        await emptied(office)
    attempts = [entry.attempt for entry in await office.entries()]
    assert {one.error_type for one in attempts} == {"unreachable"}
    assert attempts[-1].outcome is AttemptOutcome.GIVEN_UP


async def test_private_networks_are_told_nothing(office: Office) -> None:
    with receiving(Receiver()) as receiver:
        await office.hook(receiver, event_types=["talk.started"])
        async with office.open(client=HookClient(allow_private=False)):
            await office.call(1)
            await emptied(office)
    assert receiver.asked == []
    attempts = [entry.attempt for entry in await office.entries()]
    assert {one.error_type for one in attempts} == {"private_network"}


async def test_a_receiver_may_ask_for_more_time(office: Office) -> None:
    answers = iter([429])
    receiver = Receiver(lambda _: next(answers, 200))
    receiver.headers = {"Retry-After": "1800"}
    with receiving(receiver):
        await office.hook(receiver, event_types=["talk.started"])
        async with office.open():
            await office.call(1)
            await emptied(office)
    first, second = [entry.attempt for entry in await office.entries()]
    assert second.started_at - first.started_at >= timedelta(minutes=30)


async def test_a_slow_receiver_is_sent_so_many_at_once(office: Office) -> None:
    released = threading.Event()
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    def slow(one: Taken) -> int:
        webhook = one.headers["webhook-id"].partition("-")[0]
        with lock:
            now.update(["all", webhook])
            for kind, count in now.items():
                most[kind] = max(most[kind], count)
        released.wait(WITHIN)
        with lock:
            now.subtract(["all", webhook])
        return 200

    with receiving(Receiver(slow)) as receiver:
        await office.hook(receiver, name="one")
        await office.hook(receiver, name="other")
        async with office.open(limits=DeliveryLimits(of_all=5, of_each=3), wall=True):
            for session in range(1, 6):
                await office.call(session)
            await until(receiver, lambda r: len(r.asked) == 5)
            released.set()
            await emptied(office)
    assert most["all"] == 5
    assert sorted(most) == ["all", "wh1", "wh2"]
    assert max(most["wh1"], most["wh2"]) == 3
    assert len(receiver.taken) == 2 * 5 * len(PUBLIC)


async def test_a_receiver_that_is_stuck_does_not_hold_the_others(office: Office) -> None:
    released = threading.Event()
    with (
        receiving(Receiver(lambda _: 200 if released.wait(WITHIN) else 500)) as stuck,
        receiving(Receiver()) as well,
    ):
        await office.hook(stuck, name="stuck")
        await office.hook(well, name="well")
        async with office.open(wall=True):
            for session in range(1, 7):
                await office.call(session)
            await until_taken(well, 6 * len(PUBLIC))
            assert stuck.taken == []
            released.set()
            await emptied(office)
    assert sorted(stuck.places) == whole(*range(1, 7))


async def test_a_receiver_that_is_given_up_for_a_while_does_not_hold_the_others(
    office: Office,
) -> None:
    clock = StandingClock()
    with receiving(Receiver(lambda _: 500)) as down, receiving(Receiver()) as well:
        await office.hook(down, name="down")
        await office.hook(well, name="well")
        async with office.open(clock=clock) as courier:
            for session in range(1, FAILURES + 1):
                await office.call(session)
            await until_taken(well, FAILURES * len(PUBLIC))
            await asleep(courier, clock)
            assert len(down.asked) >= FAILURES
            # They take turns in being looked at first: once the one, once the other.
            for session in (FAILURES + 1, FAILURES + 2):
                office.outbox.listeners.remove(courier.wake)
                await office.call(session)
                office.outbox.listeners.append(courier.wake)
                courier.wake()
                await until_taken(well, session * len(PUBLIC))
                await asleep(courier, clock)
                courier.wake()
                await asleep(courier, clock)
    assert in_order(well.places)


# Restarts and changes.


async def test_what_was_not_answered_when_the_service_stopped_is_sent_again(
    office: Office,
) -> None:
    released = threading.Event()

    def behaviour(one: Taken) -> int:
        if one.place == (1, 6) and not released.is_set():
            released.wait(WITHIN)
        return 200

    with receiving(Receiver(behaviour)) as receiver:
        await office.hook(receiver)
        async with office.open(wall=True):
            await office.call(1)
            await until(receiver, lambda r: r.asked[-1:] != [] and r.asked[-1].place == (1, 6))
        released.set()
        async with office.open(wall=True):
            await emptied(office)
    places = [one.place for one in receiver.asked]
    assert sorted(set(places)) == whole(1)
    assert Counter(places)[(1, 6)] == 2
    assert in_order(places)
    ids = [one.headers["webhook-id"] for one in receiver.asked if one.place == (1, 6)]
    assert len(set(ids)) == 1


async def test_a_call_that_a_crash_has_cut_off_is_told_to_its_end(office: Office) -> None:
    with receiving(Receiver()) as receiver:
        await office.hook(receiver)
        await office.journal.begin(started(1))
        await office.journal.close_unfinished()
        async with office.open():
            await emptied(office)
    assert [one.json["type"] for one in receiver.taken] == ["session.started", "session.finished"]


async def test_a_new_webhook_hears_what_comes_from_then_on(office: Office) -> None:
    with receiving(Receiver()) as receiver:
        await office.journal.begin(started(1))
        await office.write(*later(1)[:5])
        await office.hook(receiver)
        async with office.open():
            await office.write(*later(1)[5:])
            await emptied(office)
    assert receiver.places == whole(1)[6:]


async def test_a_webhook_that_is_removed_is_told_nothing_more(office: Office) -> None:
    with receiving(Receiver(lambda _: 500)) as receiver:
        webhook = await office.hook(receiver)
        async with office.open(wall=True) as scheduler:
            await office.call(1)
            await until(receiver, lambda r: len(r.asked) == 1)
            await office.webhooks.delete(OURS, webhook.id)
            await scheduler.refresh()
            assert await office.webhooks.waiting() == {}
            await office.call(2)
    assert len(receiver.asked) == 1


async def test_a_webhook_that_is_removed_in_mid_session_is_told_no_more_of_it(
    office: Office,
) -> None:
    removed = threading.Event()

    def behaviour(_: Taken) -> int:
        removed.wait(WITHIN)
        return 200

    with receiving(Receiver(behaviour)) as receiver:
        webhook = await office.hook(receiver)
        await office.call(1)
        async with office.open(wall=True) as scheduler:
            await until(receiver, lambda r: len(r.asked) == 1)
            await office.webhooks.delete(OURS, webhook.id)
            await scheduler.refresh()
            removed.set()
            with anyio.fail_after(WITHIN):
                while scheduler.busy:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
    assert len(receiver.asked) == 1


async def test_a_webhook_that_is_switched_off_keeps_what_it_has(office: Office) -> None:
    answers = iter([500])
    with receiving(Receiver(lambda _: next(answers, 200))) as receiver:
        webhook = await office.hook(receiver)
        async with office.open() as scheduler:
            await office.journal.begin(started(1))
            await office.write(later(1)[0])
            await until(receiver, lambda r: len(r.asked) == 1)
            await office.webhooks.update(OURS, webhook.id, draft(receiver.url, active=False))
            await scheduler.refresh()
            await office.call(2)
            assert await office.webhooks.waiting() == {webhook.id: 1}
            await office.webhooks.update(OURS, webhook.id, draft(receiver.url))
            await scheduler.refresh()
            await emptied(office)
    assert receiver.places == [(1, 1), (1, 2)]


async def test_a_new_address_is_tried_at_once(office: Office) -> None:
    with receiving(Receiver(lambda _: 500)) as wrong, receiving(Receiver()) as right:
        webhook = await office.hook(wrong)
        async with office.open(wall=True) as scheduler:
            for session in range(1, 9):
                await office.call(session)
            await until(wrong, lambda r: len(r.asked) >= 5)
            await office.webhooks.update(OURS, webhook.id, draft(right.url))
            await scheduler.refresh()
            await emptied(office)
    assert sorted(right.places) == whole(*range(1, 9))
    assert in_order(right.places)


async def test_a_courier_that_sleeps_is_woken_by_a_new_address(office: Office) -> None:
    clock = StandingClock()
    with receiving(Receiver(lambda _: 500)) as wrong, receiving(Receiver()) as right:
        webhook = await office.hook(wrong)
        async with office.open(clock=clock) as courier:
            await office.call(1)
            await until(wrong, lambda r: len(r.asked) == 1)
            await asleep(courier, clock)
            await office.webhooks.update(OURS, webhook.id, draft(right.url))
            await courier.refresh()
            await emptied(office)
    assert right.places == whole(1)


async def test_a_courier_that_sleeps_is_woken_by_a_webhook_that_is_switched_on_again(
    office: Office,
) -> None:
    clock = StandingClock()
    answers = iter([500])
    with receiving(Receiver(lambda _: next(answers, 200))) as receiver:
        webhook = await office.hook(receiver)
        async with office.open(clock=clock) as courier:
            await office.call(1)
            await until(receiver, lambda r: len(r.asked) == 1)
            await asleep(courier, clock)
            await office.webhooks.update(OURS, webhook.id, draft(receiver.url, active=False))
            await courier.refresh()
            await asleep(courier, clock)
            await office.webhooks.update(OURS, webhook.id, draft(receiver.url))
            await courier.refresh()
            await emptied(office)
    assert receiver.places == whole(1)


async def test_while_a_secret_is_replaced_both_sign(office: Office) -> None:
    with receiving(Receiver()) as receiver:
        webhook = await office.hook(receiver, event_types=["talk.started"])
        async with office.open(wall=True) as scheduler:
            new = await office.webhooks.rotate(OURS, webhook.id)
            await scheduler.refresh()
            await office.call(1)
            await emptied(office)
    [one] = receiver.taken
    for secret in (webhook.secret, new):
        Verifier(secret).verify(one.body, one.headers)
    [stored] = await office.webhooks.all()
    now = datetime.now(UTC)
    assert stored.secrets(now) == [new, webhook.secret]
    assert stored.secrets(now + GRACE) == [new]


async def test_a_session_that_was_removed_is_forgotten(office: Office) -> None:
    with receiving(Receiver()) as receiver:
        await office.hook(receiver)
        await office.call(1)
        async with office.database.begin() as connection:
            await connection.execute(delete(call_events))
        async with office.open():
            await emptied(office)
    assert receiver.asked == []


async def test_a_story_that_cannot_be_told_costs_no_other_its_events(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving(Receiver()) as receiver:
        await office.hook(receiver)
        await office.call(1)
        await office.call(2)
        async with office.database.begin() as connection:
            await connection.execute(
                delete(call_events).where(
                    call_events.c.session_id == 1, call_events.c.sequence == 1
                )
            )
        async with office.open(wall=True):
            await until_taken(receiver, len(PUBLIC))
    assert receiver.places == whole(2)
    assert "session 1 cannot be told to a webhook" in caplog.text


async def test_a_story_that_cannot_be_told_is_tried_later_and_later(office: Office) -> None:
    clock = StandingClock()
    with receiving(Receiver()) as receiver:
        webhook = await office.hook(receiver)
        await office.call(1)
        async with office.database.begin() as connection:
            await connection.execute(delete(call_events).where(call_events.c.sequence == 1))
        async with office.open(clock=clock) as courier:
            first = clock.now()
            for attempts, pause in ((1, 5.0), (2, 30.0), (3, 120.0)):
                await asleep(courier, clock)
                tomorrow = clock.now() + timedelta(days=1)
                [waiting] = await office.outbox.due(webhook.id, tomorrow, at_most=2)
                assert (waiting.attempts, waiting.failing_since) == (attempts, first)
                put_off = (waiting.due_at - clock.now()).total_seconds()
                assert 0.8 * pause <= put_off <= 1.2 * pause
                clock.time = waiting.due_at
                courier.wake()
    assert receiver.asked == []


async def test_a_database_that_is_locked_makes_it_wait(
    office: Office, database_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def impatient(connection: sqlite3.Connection, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 5")
        cursor.close()

    event.listen(office.database.sync_engine, "checkout", impatient)
    is_locked = threading.Event()
    with receiving(Receiver(lambda _: 200 if is_locked.wait(WITHIN) else 500)) as receiver:
        await office.hook(receiver)
        await office.call(1)
        with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
            async with office.open(wall=True):
                await until(receiver, lambda r: len(r.asked) == 1)
                other.execute("BEGIN IMMEDIATE")
                is_locked.set()
                with anyio.fail_after(WITHIN):
                    while "1 steps of webhooks wait" not in caplog.text:  # noqa: ASYNC110
                        await anyio.sleep(0.005)
                other.execute("ROLLBACK")
                await emptied(office)
    # The next one goes only when the one before is written down; nothing is sent twice.
    assert receiver.places == whole(1)
    assert len(receiver.asked) == len(receiver.taken)


# The log.


async def test_the_log_is_bounded(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(Receiver()) as receiver:
        await office.hook(receiver)
        async with office.open():
            await office.call(1)
            await office.call(2)
            await emptied(office)
    now = datetime.now(UTC)
    entries = await office.entries()
    monkeypatch.setattr(webhook_log_module, "ENTRIES_AT_MOST", 5)
    await office.outbox.trim_log(now)
    assert await office.entries() == entries[-5:]
    async with office.database.begin() as connection:
        await connection.execute(
            update(webhook_log)
            .where(webhook_log.c.id <= entries[-3].id)
            .values(started_at=now - KEPT_FOR - timedelta(seconds=1))
        )
    await office.outbox.trim_log(now)
    assert await office.entries() == entries[-2:]


async def test_secrets_and_numbers_do_not_go_to_the_logs(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with receiving(Receiver(lambda _: 500)) as receiver:
        webhook = await office.hook(receiver, event_types=["talk.started"])
        async with office.open():
            await office.call(1)
            await emptied(office)
    assert "is given up" in caplog.text
    for secret in (webhook.secret, receiver.url, "79260000000"):
        assert secret not in caplog.text
    assert webhook.secret not in repr(webhook)
