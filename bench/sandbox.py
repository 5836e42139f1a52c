"""What the sandbox costs a test suite: its start, a new beginning, an hour of calls."""

import time
from collections.abc import Callable

import anyio.to_thread

from bench.figures import Figure, milliseconds
from callwright.sandbox.client import Sandbox, running

HOUR = 3600.0
CALLS = 200


async def sandbox() -> list[Figure]:
    """Start a sandbox, begin anew, and let an hour of 200 calls go by on a stepped clock."""
    return await anyio.to_thread.run_sync(_measured)


def _measured() -> list[Figure]:
    began = time.perf_counter()
    with running("--clock", "stepped") as up:
        started = time.perf_counter() - began
        reset = min(_spent(up.reset) for _ in range(5))
        real = _spent(lambda: _an_hour(up))
        talks = [one for one in up.events("session.finished") if one.data["talk_time_duration"]]
    return [
        milliseconds("sandbox: from the command to the first answer", started, 2.0),
        milliseconds("sandbox: a new beginning, for the next test", reset),
        Figure(
            f"sandbox: an hour of {CALLS} calls, virtual seconds per real second",
            f"{HOUR / real:.0f} ({real:.1f} s)",
            "> 100",
            real < HOUR / 100 and len(talks) == CALLS,
        ),
    ]


def _an_hour(up: Sandbox) -> None:
    """Calls that begin all over the hour, several at a time; all of them have ended in it."""
    pause = (HOUR - 120) / CALLS
    for number in range(CALLS):
        up.rpc(
            "start.simple_call",
            first_call="operator",
            operator="79000010003",
            contact=f"79000011{10 + number % 50:03}",
            virtual_phone_number="74990000004",
        )
        up.advance(pause)
    up.advance(120)


def _spent(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
