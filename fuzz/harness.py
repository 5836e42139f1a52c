"""The harness: gives a target one input after the other, and shows the one that breaks it."""

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from fuzz.damage import damaged


class Target(Protocol):
    """Something that reads what others have written."""

    @property
    def seeds(self) -> Sequence[bytes]:
        """What honest peers send."""

    def take(self, data: bytes, chance: random.Random) -> str:
        """Read one input and name the outcome. Whatever is raised is a find."""


class Find(Exception):
    """An input with an outcome that is not allowed; its cause is what was raised."""

    def __init__(self, number: int, data: bytes) -> None:
        super().__init__(f"input {number}, {len(data)} bytes: {data[:2000]!r}")
        self.data = data


def fuzz(
    target: Target, *, seed: int, inputs: int | None = None, seconds: float = 0.0
) -> Counter[str]:
    """Try ``inputs`` inputs, or as many as ``seconds`` allow; count the outcomes. Raises `Find`."""
    outcomes: Counter[str] = Counter()
    until = time.monotonic() + seconds
    number = 0
    while number < inputs if inputs is not None else time.monotonic() < until:
        outcomes[_one(target, seed, number)] += 1
        number += 1
    return outcomes


def _one(target: Target, seed: int, number: int) -> str:
    # Each input has a source of chance of its own: it can be made again without those before it.
    chance = random.Random(f"{seed}/{number}")
    data = damaged(target.seeds, chance)
    try:
        return target.take(data, chance)
    except Exception as fault:
        raise Find(number, data) from fault


def main(make: Callable[[], AbstractContextManager[Target]]) -> None:
    """Run a fuzzer as a program; its exit status is 1 after a find."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to try")
    parser.add_argument("--seed", type=int, default=0, help="which inputs to try")
    parser.add_argument("--only", type=int, help="try the input of this number alone")
    given = parser.parse_args()
    with make() as target:
        try:
            if given.only is not None:
                outcomes = Counter([_one(target, given.seed, given.only)])
            else:
                outcomes = fuzz(target, seed=given.seed, seconds=given.seconds)
        except Find:
            traceback.print_exc()
            sys.exit(1)
    print(f"{outcomes.total()} inputs")
    for outcome, count in outcomes.most_common():
        print(f"{count:10}  {outcome}")


def always(target: Target) -> AbstractContextManager[Target]:
    """A target that needs nothing around it."""
    return nullcontext(target)
