"""Ports for programs that are about to start."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANY = 150
SHOW = f"""
from demo.ports import free_port
print(*(free_port() for _ in range({MANY})), flush=True)
input()
"""


def test_no_port_is_given_twice_by_processes_that_ask_at_once() -> None:
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", SHOW],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    try:
        told = [one.stdout.readline() for one in asking if one.stdout]
    finally:
        for one in asking:
            one.communicate("\n")
    ports = [int(port) for line in told for port in line.split()]
    assert len(ports) == len(set(ports)) == 3 * MANY
