"""What a talk costs by the kernel, by the service and by rtpengine, beyond plain routing.

Far ends are a C program on two hosts (network namespaces), the relay is on a third between them.
The kernel's work is on the account of whoever sends, so the far ends' time counts as well, and that
of the same packets when they are only routed is taken off. Needs root, iproute2, a C compiler and
Linux 6.6; and rtpengine, for its rows.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.figures import Figure, milliseconds, none, share
from bench.rtpengine import rtpengine
from callwright.engines.media.engine import RtpEngine
from callwright.engines.media.kernel.relay import KernelRelay
from callwright.engines.media.media import RtpStream
from callwright.engines.media.packet_loop import PacketLoop
from callwright.engines.port import BridgeId, LegId
from tests.namespaces import Host, lacking, service_and_phones
from tests.peers import program_of_peer

CALLS = 200
AT_ONCE = 40
"Calls that begin together; then the next wait until these are relayed as they shall be."
SETTLE, MEASURED, ROUNDS = 3.0, 6.0, 3
"Seconds, and rounds."
ENTERED_WITHIN = 20.0
NEAR, FAR = "10.9.1.2", "10.9.2.2"
Talk = tuple[tuple[str, int], tuple[str, int]]
"Where the first far end of a call sends to, and the second."


class FarEnds:
    """The C program on a host."""

    def __init__(self, host: Host, program: Path, address: str) -> None:
        with host.entered():
            self.process = subprocess.Popen(
                [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
        self.ports = [int(self.ask(f"open {address}")) for _ in range(CALLS)]

    def tell(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")

    def ask(self, line: str) -> str:
        assert self.process.stdout
        self.tell(line)
        return self.process.stdout.readline()


@dataclass(frozen=True, slots=True)
class Round:
    """Shares of a core, of a call; and what the far ends saw of all."""

    total: float
    service: float
    missing: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Relay:
    """``begin`` lets calls from one number up to another be relayed."""

    begin: Callable[[int, int], Sequence[Talk]]
    process: int | None
    settled: Callable[[int], bool] = lambda _: True
    "Whether so many calls are relayed as they shall be."


Way = Callable[[Host, Sequence[int], Sequence[int]], Iterator[Relay]]


def routed(host: Host, near: Sequence[int], far: Sequence[int]) -> Iterator[Relay]:
    """Plain routing: no relay at all."""
    with host.entered():
        subprocess.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)

    def begin(first: int, end: int) -> Sequence[Talk]:
        return [((FAR, far[call]), (NEAR, near[call])) for call in range(first, end)]

    yield Relay(begin, None)


def relayed(by: str, host: Host, near: Sequence[int], far: Sequence[int]) -> Iterator[Relay]:
    """``by``: the kernel or the service."""
    with host.entered():
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.kernel_relay", by],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def ask(question: object) -> list[int]:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(question) + "\n")
        answer: list[int] = json.loads(process.stdout.readline())
        return answer

    def begin(first: int, end: int) -> Sequence[Talk]:
        ports = iter(ask([[near[call], far[call]] for call in range(first, end)]))
        return [(("10.9.1.1", port), ("10.9.2.1", next(ports))) for port in ports]

    def settled(calls: int) -> bool:
        return by != "kernel" or ask([])[0] >= 2 * calls

    try:
        yield Relay(begin, process.pid, settled)
    finally:
        process.terminate()
        process.wait()


def by_rtpengine(host: Host, near: Sequence[int], far: Sequence[int]) -> Iterator[Relay]:
    """In user space: its module for the kernel is to be built for each."""
    with rtpengine(host) as (process, join):

        def begin(first: int, end: int) -> Sequence[Talk]:
            return [join((NEAR, near[call]), (FAR, far[call])) for call in range(first, end)]

        yield Relay(begin, process)


WAYS: dict[str, Way] = {
    "routed": routed,
    "by the kernel": partial(relayed, "kernel"),
    "by the service": partial(relayed, "service"),
    "by rtpengine": by_rtpengine,
}


async def kernel(*, short: bool) -> list[Figure]:
    """Relay calls in every way, in turns."""
    if why := lacking():
        raise RuntimeError(why)
    ways = [name for name in WAYS if name != "by rtpengine" or program_of_peer("rtpengine")]
    rounds: dict[str, list[Round]] = {name: [] for name in ways}
    for _ in range(1 if short else ROUNDS):
        for name in ways:
            rounds[name].append(await asyncio.to_thread(measured, WAYS[name]))
    routing = median(each.total for each in rounds["routed"])
    figures: list[Figure] = []
    for name in ways[1:]:
        some = rounds[name]
        what = f"{CALLS} talks {name}"
        figures += [
            share(f"{what}: CPU of each, beyond routing", median(r.total for r in some) - routing),
            share(f"{what}: of that, the process", median(each.service for each in some)),
            none(f"{what}: packets missing", sum(each.missing for each in some)),
            milliseconds(f"{what}: far end to far end, p50", median(each.p50 for each in some)),
            milliseconds(f"{what}: far end to far end, p99", median(each.p99 for each in some)),
        ]
    return figures


def measured(way: Way) -> Round:
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="callwright-bench-"))
        program = Path(folder) / "far_ends"
        source = Path(__file__).with_name("far_ends.c")
        subprocess.run(["cc", "-O2", "-o", program, source], check=True)
        service, hosts = stack.enter_context(service_and_phones(2))
        near, far = (
            FarEnds(host, program, address)
            for host, address in zip(hosts, (NEAR, FAR), strict=True)
        )
        for each in (near, far):
            stack.callback(each.process.wait)
            stack.callback(each.process.kill)
        relay = stack.enter_context(contextmanager(way)(service, near.ports, far.ports))
        for first in range(0, CALLS, AT_ONCE):
            end = min(first + AT_ONCE, CALLS)
            for call, (to_far, to_near) in enumerate(relay.begin(first, end), first):
                near.tell(f"talk {call} {to_far[0]} {to_far[1]}")
                far.tell(f"talk {call} {to_near[0]} {to_near[1]}")
            until = time.monotonic() + ENTERED_WITHIN
            while not relay.settled(end) and time.monotonic() < until:
                time.sleep(0.2)
        time.sleep(SETTLE)
        return _round(near, far, relay.process)


def _round(near: FarEnds, far: FarEnds, process: int | None) -> Round:
    processes = [near.process.pid, far.process.pid, *([process] if process else [])]
    for each in (near, far):
        each.tell("measure")
    before, began = [cpu(each) for each in processes], time.monotonic()
    time.sleep(MEASURED)
    lasted = time.monotonic() - began
    used = [(cpu(each) - so_far) for each, so_far in zip(processes, before, strict=True)]
    seen = [[int(word) for word in each.ask("tell").split()] for each in (near, far)]
    return Round(
        total=sum(used) / lasted / CALLS,
        service=sum(used[2:]) / lasted / CALLS,
        missing=sum(lost + disordered for _, lost, disordered, *_ in seen),
        p50=max(each[4] for each in seen) / 1e6,
        p99=max(each[5] for each in seen) / 1e6,
    )


def cpu(process: int) -> float:
    """Seconds that all threads of a process have been on a processor."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


async def serve(by: str) -> None:
    """Join far ends as lines tell; answer with the ports of legs, or the streams in the kernel."""
    kernel = KernelRelay() if by == "kernel" else None
    engine = RtpEngine("0.0.0.0", None, (20000, 29999), lost_after=300.0, kernel=kernel)
    running = asyncio.create_task(engine.run(lambda _: None))
    await asyncio.sleep(0)
    legs = 0
    while line := await asyncio.to_thread(sys.stdin.readline):
        answer: list[int] = []
        for pair in json.loads(line):
            for address, port in zip((NEAR, FAR), pair, strict=True):
                answer.append(engine.open(LegId(legs))[1])
                engine.connect(LegId(legs), RtpStream((address, port), "PCMA", 8))
                legs += 1
            engine.bridge(BridgeId(legs), LegId(legs - 2), LegId(legs - 1))
        print(json.dumps(answer or [engine.relayed_by_kernel]), flush=True)
    running.cancel()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PacketLoop) as runner:
        runner.run(serve(sys.argv[1]))
