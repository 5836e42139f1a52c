"""What one employee call costs in time, alone and with fifty at once."""

import time

import anyio

from bench.figures import Figure, lateness, milliseconds, none, quantile, share
from bench.stand import MUSIC, Stand, contact_number, employee_number, stand

TALK = 5.0
"Seconds the calls at once talk."
KEYS = {"1": 1.0, "2": 2.0, "3": 3.0}


async def one_by_one(calls: int = 40) -> list[Figure]:
    """Place calls one after another: how soon the phone rings, how soon the two are joined."""
    async with stand(calls, answer_after=0.05) as bench:
        sent = []
        for number in range(1, calls + 1):
            sent.append(await _timed_start(bench, number))
            await anyio.sleep(0.3)
        await anyio.sleep(3.5)  # until the last call's keys are out
        employees, contacts = await bench.hang_up()
    from_request, from_answer, cut_through, key_errors = [], [], [], []
    for number, (requested, accepted) in enumerate(sent, start=1):
        employee, contact = employees[employee_number(number)], contacts[contact_number(number)]
        from_request.append(employee.invited - requested)
        from_answer.append(employee.invited - accepted)
        cut_through.append(max(employee.joined, contact.joined) - contact.answered)
        key_errors += [
            abs(at - contact.answered - due)
            for (at, _), due in zip(contact.keys, KEYS.values(), strict=True)
        ]
    joined, keys = max(cut_through), max(key_errors)
    return [
        milliseconds(
            "request accepted → INVITE on the wire, p50", quantile(from_answer, 0.5), 0.005
        ),
        milliseconds(
            "request accepted → INVITE on the wire, p99", quantile(from_answer, 0.99), 0.025
        ),
        milliseconds("request sent → INVITE on the wire, p50", quantile(from_request, 0.5)),
        milliseconds("answer → first joined packet, worst", joined, 0.040),
        milliseconds("key off its time, worst", keys, 0.040),
    ]


async def at_once(calls: int = 50) -> list[Figure]:
    """Place calls at once, let them talk: what was lost, and how evenly packets were sent."""
    async with stand(calls, answer_after=1.0) as bench:
        async with anyio.create_task_group() as tasks:
            for number in range(1, calls + 1):
                tasks.start_soon(bench.start_call, number)
        await anyio.sleep(2.5 + TALK)
        employees, contacts = await bench.hang_up()
    phones = [*employees.values(), *contacts.values()]
    if len(phones) != 2 * calls or not all(phone.joined for phone in phones):
        talked = sum(bool(phone.joined) for phone in phones)
        return [
            Figure(f"{calls} calls at once", f"{talked} of {2 * calls} phones talked", "all", False)
        ]
    lost = sum(phone.missing + phone.relayed_missing for phone in phones)
    late = [late for phone in phones for stretch in phone.played for late in lateness(stretch)]
    relayed = [latency for phone in phones for latency in phone.relayed_within()]
    return [
        none(f"{calls} calls at once: packets lost by us", lost),
        milliseconds(
            f"{calls} calls at once: send jitter p99 (music)", quantile(late, 0.99), 0.005
        ),
        milliseconds(f"{calls} calls at once: relayed within, p99", quantile(relayed, 0.99), 0.005),
    ]


async def idle(seconds: float = 10.0) -> list[Figure]:
    """Leave the service alone: its memory and what it does with nothing to do."""
    async with stand(1) as bench:
        await anyio.sleep(1.0)
        before = bench.cpu()
        await anyio.sleep(seconds)
        used = (bench.cpu() - before) / seconds
        memory = bench.memory() / 1e6
        rss = bench.engine.memory_info().rss / 1e6
    return [
        Figure("idle: memory (RSS)", f"{rss:.0f} MB", "< 120 MB", rss < 120),
        Figure("idle: memory of its own (USS)", f"{memory:.0f} MB"),
        share("idle: CPU", used, 0.01),
    ]


async def _timed_start(bench: Stand, number: int) -> tuple[float, float]:
    """Start a call; give when it was asked for and when that was answered (seconds since 1970).

    The INVITE may be out before the answer has come: then it counts as less than nothing.
    """
    requested = time.time()
    await bench.start_call(number, dtmf_string=".1.2.3", media_file_id=MUSIC)
    return requested, time.time()
