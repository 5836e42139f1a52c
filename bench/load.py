"""What calls cost when there are many: to set up, to carry, and both at once."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from math import inf

import anyio

from bench.figures import Figure, kilobytes, milliseconds, none, quantile, share
from bench.stand import RELAYED_HERE, TOKEN, PhoneReport, Stand, employee_number, stand
from demo.service import DemoFault

WARM_UP = 20
"Calls before anything is measured: what is imported or compiled at first use has been."
STARTS_PER_SECOND = 20
BUILD_UP = 40
"Calls a second until as many are up as are to be measured."
PACKETS_PER_SECOND = 50
WORKERS = ("[media]", 'workers = "auto"', RELAYED_HERE)
MEASURED = 5.0
"Seconds a number of calls is left to talk."


async def set_up(calls: int = 200, at_once: int = 10) -> list[Figure]:
    """Place calls that end soon: the CPU time of one, from its request to the last of its end."""
    async with stand(calls + WARM_UP, answer_after=0.01, hang_up_after=0.02) as bench:
        await _start(bench, range(calls + 1, calls + WARM_UP + 1), at_once)
        await anyio.sleep(1.0)
        before = bench.cpu()
        await _start(bench, range(1, calls + 1), at_once)
        await anyio.sleep(1.0)
        used = bench.cpu() - before
        employees, contacts = await bench.hang_up()
    measured = [employee_number(number) for number in range(1, calls + 1)]
    missed = sum(number not in employees or not employees[number].ended for number in measured)
    return [
        none("calls one after another: not set up and torn down", missed),
        milliseconds("CPU for a call set up and torn down", used / calls, 0.005),
    ]


async def fifty() -> list[Figure]:
    """Let 50 calls talk."""
    return await _carried(50)


async def two_hundred() -> list[Figure]:
    """Let 200 calls talk, and place 20 new ones a second beside them."""
    return await _carried(200, new=10 * STARTS_PER_SECOND)


async def two_hundred_over_workers() -> list[Figure]:
    """Let 200 calls talk over media workers, and place 20 new ones a second beside them."""
    what = "200 calls, workers"
    return await _carried(200, new=10 * STARTS_PER_SECOND, settings=WORKERS, what=what)


async def four_hundred_in_one() -> list[Figure]:
    """Let 400 calls talk in one process."""
    return await _carried(400, what="400 calls in one process")


async def four_hundred() -> list[Figure]:
    """Let 400 calls talk over media workers."""
    return await _carried(400, settings=WORKERS, what="400 calls, workers")


async def _carried(
    calls: int, *, new: int = 0, settings: tuple[str, ...] = (), what: str = ""
) -> list[Figure]:
    what = what or f"{calls} calls"
    numbers = calls + new + WARM_UP
    async with stand(numbers, answer_after=0.2, settings=settings) as bench:
        for session in await _start(bench, range(numbers - WARM_UP + 1, numbers + 1), 1):
            await _release(bench, session)
        await anyio.sleep(1.0)
        memory = bench.memory()
        await _start_evenly(bench, range(1, calls + 1), a_second=BUILD_UP)
        await anyio.sleep(2.0)
        memory = bench.memory() - memory
        began, used = time.time(), bench.cpu()
        await anyio.sleep(MEASURED)
        ended, used = time.time(), bench.cpu() - used
        if new:
            await _start_evenly(bench, range(calls + 1, calls + new + 1), each_for=3.0)
        over = time.time()
        await anyio.sleep(1.0)
        employees, contacts = await bench.hang_up()
    up = _of(employees, range(1, calls + 1)), _of(contacts, range(1, calls + 1), "7495")
    phones = [*up[0], *up[1]]
    figures = [
        none(f"{what}: not joined", 2 * calls - sum(bool(phone.joined) for phone in phones)),
        share(f"{what}: CPU of a bridged call", used / (ended - began) / calls, 0.0025),
        kilobytes(f"{what}: memory of a call", memory / calls, 80_000),
        none(f"{what}: packets lost by us", sum(phone.relayed_missing for phone in phones)),
    ]
    figures += [_offered(what, phones, began, ended)]
    figures += _relayed(what, phones, began, ended, p50=0.0005, p99=0.0015)
    if new:
        what = f"{what} and {STARTS_PER_SECOND} new ones a second"
        started = _of(employees, range(calls + 1, calls + new + 1))
        joined = sum(bool(phone.joined) for phone in started)
        everybody = [*employees.values(), *contacts.values()]
        figures.append(none(f"{what}: refused", new - joined))
        figures += _relayed(what, everybody, ended, over, p50=None, p99=0.004)
    return figures


def _offered(what: str, phones: Sequence[PhoneReport], began: float, ended: float) -> Figure:
    """Whether phones sent what phones send; one that falls behind makes a service look good."""
    sent = sum(len(phone.relayed_within(began, ended)) for phone in phones)
    offered = sent / (PACKETS_PER_SECOND * (ended - began) * len(phones))
    return Figure(f"{what}: load offered", f"{100 * offered:.1f} %", "> 99 %", offered > 0.99)


def _relayed(
    what: str,
    phones: Iterable[PhoneReport],
    began: float,
    ended: float,
    *,
    p50: float | None,
    p99: float,
) -> list[Figure]:
    """How long packets took that were sent between two moments, with the targets in seconds."""
    took = [each for phone in phones for each in phone.relayed_within(began, ended)] or [inf]
    return [
        milliseconds(f"{what}: relayed within, p50", quantile(took, 0.5), p50),
        milliseconds(f"{what}: relayed within, p99", quantile(took, 0.99), p99),
    ]


def _of(
    reports: Mapping[str, PhoneReport], numbers: Iterable[int], prefix: str = "7926"
) -> list[PhoneReport]:
    wanted = (f"{prefix}{number:07d}" for number in numbers)
    return [reports[number] for number in wanted if number in reports]


async def _start(bench: Stand, numbers: Iterable[int], at_once: int) -> list[int]:
    """Start calls, so many at a time, as fast as they are accepted."""
    sessions: list[int] = []
    waiting = iter(numbers)

    async def starter() -> None:
        for number in waiting:
            session = await bench.start_call(number)
            sessions.append(session)

    async with anyio.create_task_group() as tasks:
        for _ in range(at_once):
            tasks.start_soon(starter)
    return sessions


async def _start_evenly(
    bench: Stand,
    numbers: Iterable[int],
    *,
    a_second: float = STARTS_PER_SECOND,
    each_for: float = 0.0,
) -> None:
    """Start so many calls a second; end each after ``each_for`` seconds, if given."""

    async def one(number: int) -> None:
        with suppress(DemoFault):  # what was refused, or never answered, has not been joined
            session = await bench.start_call(number)
            if each_for:
                await anyio.sleep(each_for)
                await _release(bench, session)

    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for index, number in enumerate(numbers):
            await anyio.sleep_until(began + index / a_second)
            tasks.start_soon(one, number)


async def _release(bench: Stand, session: int) -> None:
    await bench.api.ask("release.call", access_token=TOKEN, call_session_id=session)
