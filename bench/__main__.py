"""``python -m bench``: every benchmark, one table; with names, those: ``python -m bench media``.

Load comes from processes of its own, and CPU is what the kernel has counted for the service's, so
that other work on the machine hardly shows in it. It does show in whatever is told in time.
"""

import argparse
import os
import platform
import resource
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import anyio
from rich.console import Console
from rich.table import Table

from bench.employee_calls import at_once, idle, one_by_one
from bench.figures import Figure
from bench.kernel_relay import kernel
from bench.load import (
    fifty,
    four_hundred,
    four_hundred_in_one,
    set_up,
    two_hundred,
    two_hundred_over_workers,
)
from bench.media import media
from bench.peers.setting_up import peers
from bench.reports import reports
from bench.requests import requests
from bench.sandbox import sandbox
from callwright.engines.media.packet_loop import PacketLoop

BENCHMARKS = {
    benchmark.__name__: benchmark
    for benchmark in (
        one_by_one,
        at_once,
        idle,
        set_up,
        media,
        fifty,
        two_hundred,
        two_hundred_over_workers,
        requests,
        sandbox,
        reports,
        four_hundred,
        four_hundred_in_one,
    )
}
GROUPS = {
    "delays": (
        "fifty",
        "two_hundred",
        "two_hundred_over_workers",
        "four_hundred",
        "four_hundred_in_one",
    )
}
"Several under one name."
APART: Mapping[str, Callable[[bool], Callable[[], Awaitable[list[Figure]]]]] = {
    "peers": lambda short: partial(peers, short=short),
    "kernel": lambda short: partial(kernel, short=short),
}
"What needs more than this machine has as a rule."


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "benchmark",
        nargs="*",
        choices=[[], *BENCHMARKS, *GROUPS, *APART],
        help="default: all, without peers and kernel",
    )
    arguments.add_argument("--short", action="store_true", help="of peers and kernel: one round")
    asked = arguments.parse_args()
    wanted = asked.benchmark or list(BENCHMARKS)
    chosen = [each for name in wanted for each in GROUPS.get(name, (name,))]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    console = Console()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{python}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
    table = Table("measured", "reached", "target", title=f"Callwright on {machine}")
    for name in chosen:
        with console.status(f"{name} …"):
            try:
                work = APART[name](asked.short) if name in APART else BENCHMARKS[name]
                figures = anyio.run(work, backend_options={"loop_factory": PacketLoop})
            except Exception as fault:  # the others are worth having
                console.print_exception()
                figures = [Figure(name, type(fault).__name__, "", is_met=False)]
        for row in figures:
            style = "" if row.is_met else "red"
            table.add_row(row.what, row.reached, row.target, style=style)
        table.add_section()
    console.print(table)


if __name__ == "__main__":
    main()
