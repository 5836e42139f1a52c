"""Calls set up and torn down, by us and by others, on the same far ends and in turns."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Coroutine
from functools import partial
from statistics import median

from bench.figures import Figure, milliseconds, none, quantile
from bench.peers.asterisk import asterisk
from bench.peers.contender import Contender
from bench.peers.far_ends import far_ends
from bench.peers.ours import callwright

ROUNDS, SHORT_ROUNDS = 3, 1
WARM_UP = 20
SATURATED = "as many as it takes, ten at once"
AFTERWARDS = 1.2
"Seconds in which what is done behind the calls comes to its end, and is counted."
RATES = {"1 a second": (15, 1.0), "10 a second": (80, 10.0), "40 a second": (160, 40.0)}
TOLD_AT = "10 a second"
"Where it is looked at how soon events are told."
AT_ONCE, CALLS = 10, 200

Costs = dict[str, list[float]]
Load = Callable[[Contender, int], Coroutine[None, None, int]]


async def peers(*, short: bool = False) -> list[Figure]:
    """Compare the CPU that a call costs; medians of rounds.

    Needs SIPp and Asterisk: ``scripts/setup_peers.sh tests``.
    """
    costs: defaultdict[str, Costs] = defaultdict(lambda: defaultdict(list))
    failed, numbers = 0, itertools.count(1)
    loads: dict[str, tuple[int, Load]] = {
        name: (calls, partial(_paced, numbers, rate))
        for name, (calls, rate) in RATES.items()
        if rate > 1 or not short
    }
    loads[SATURATED] = CALLS, partial(_saturated, numbers)
    async with (
        far_ends() as phones,
        callwright("Callwright", phones, webhook=False) as ours,
        callwright("Callwright with a webhook", phones, webhook=True) as telling,
        asterisk(phones) as other,
    ):
        contenders: list[Contender] = [telling, ours, other]
        for contender in contenders:
            await _paced(numbers, 10.0, contender, WARM_UP)
        for _ in range(SHORT_ROUNDS if short else ROUNDS):
            for name, (calls, load) in loads.items():
                for contender in contenders:
                    if name == TOLD_AT and contender is ours:
                        ours.delays.clear()
                    each, lost = await _measured(contender, calls, load)
                    costs[name][contender.name].append(each)
                    failed += lost
                    if name == TOLD_AT and contender is ours:
                        delays = [*ours.delays]
    figures = [none("calls that failed, of anybody's", failed)]
    for name, by_contender in costs.items():
        figures += _compared(name, by_contender)
    told = f"{TOLD_AT}: event told after its fact"
    figures.append(milliseconds(f"{told}, p50", quantile(delays, 0.5), 0.015))
    figures.append(milliseconds(f"{told}, p99", quantile(delays, 0.99)))
    return figures


def _compared(load: str, costs: Costs) -> list[Figure]:
    """What a call of each has cost, and the ratio to the last, who is not ours."""
    typical = {name: median(found) for name, found in costs.items()}
    *_, other = typical.values()
    return [
        Figure(f"{load}, {name}", f"{1000 * cost:.1f} ms, {cost / other:.2f}")
        for name, cost in typical.items()
    ]


async def _measured(contender: Contender, calls: int, load: Load) -> tuple[float, int]:
    """Seconds of CPU a call has cost, and how many failed."""
    before = contender.cpu()
    failed = await load(contender, calls)
    await asyncio.sleep(AFTERWARDS)
    return (contender.cpu() - before) / calls, failed


async def _paced(
    numbers: "itertools.count[int]", rate: float, contender: Contender, calls: int
) -> int:
    loop = asyncio.get_running_loop()
    began, started = loop.time(), []
    for index in range(calls):
        await asyncio.sleep(began + index / rate - loop.time())
        started.append(asyncio.create_task(contender.call(next(numbers))))
    return _faults(await asyncio.gather(*started, return_exceptions=True))


async def _saturated(numbers: "itertools.count[int]", contender: Contender, calls: int) -> int:
    left = iter(range(calls))
    results: list[BaseException | None] = []

    async def caller() -> None:
        for _ in left:
            results.extend(
                await asyncio.gather(contender.call(next(numbers)), return_exceptions=True)
            )

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return _faults(results)


def _faults(results: list[BaseException | None]) -> int:
    return sum(result is not None for result in results)
