"""A fixed few hundred inputs of every fuzzer, and that the harness shows what it finds."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from fuzz import directory_file, request, rtp, sdp, sip
from fuzz.damage import LONGEST, damaged
from fuzz.harness import Find, Target, always, fuzz

FUZZERS: dict[str, tuple[Callable[[], AbstractContextManager[Target]], int]] = {
    "sip": (lambda: always(sip.UserAgent()), 400),
    "sdp": (lambda: always(sdp.Descriptions()), 2000),
    "rtp": (lambda: always(rtp.Packets()), 2000),
    "request": (request.requests, 250),
    "directory_file": (directory_file.directory_files, 250),
}


@pytest.mark.parametrize("name", FUZZERS)
def test_nothing_but_what_is_allowed_comes_of_damage(name: str) -> None:
    make, inputs = FUZZERS[name]
    with make() as target:
        outcomes = fuzz(target, seed=2026, inputs=inputs)
    assert outcomes.total() == inputs
    # Both kinds of outcome occur: the damage is neither harmless nor total.
    assert len(outcomes) > 1


class Picky:
    seeds = (b"good",)

    def take(self, data: bytes, chance: random.Random) -> str:
        if data == b"good":
            return "taken"
        raise KeyError(data)


def test_a_find_says_how_it_is_made_again() -> None:
    with pytest.raises(Find, match=r"input \d+, \d+ bytes") as found:
        fuzz(Picky(), seed=1, inputs=100)
    assert isinstance(found.value.__cause__, KeyError)
    assert found.value.data != b"good"


def test_the_same_seed_makes_the_same_inputs() -> None:
    def inputs(seed: int) -> list[bytes]:
        return [damaged(sip.UserAgent.seeds, random.Random(f"{seed}/{n}")) for n in range(200)]

    assert inputs(3) == inputs(3)
    assert inputs(3) != inputs(4)
    assert max(map(len, inputs(3))) <= LONGEST
