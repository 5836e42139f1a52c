"""Which of the account's numbers a contact is shown."""

import random
from collections.abc import Sequence
from typing import get_args

import anyio
import pytest

from callwright.directory.model import Account, AccountId, VirtualNumber
from callwright.methods.own_numbers import OwnNumbers
from callwright.methods.start_params import UsageRule

ACCOUNT = Account(AccountId(1), "House")
MOSCOW, MOSCOW_2, PETERSBURG, ALMATY = "74993720692", "74993720693", "78123334455", "77272345678"
OWN = tuple(
    VirtualNumber(place, number, None)
    for place, number in enumerate((MOSCOW, MOSCOW_2, PETERSBURG, ALMATY), 1)
)
NAMED = OWN[0]


class FakeDirectory:
    def __init__(self, own: Sequence[VirtualNumber]) -> None:
        self._own = own

    async def virtual_numbers(self, account: AccountId) -> Sequence[VirtualNumber]:
        assert account == ACCOUNT.id
        return self._own


class FakeHistory:
    def __init__(self, used: Sequence[str]) -> None:
        self._used = used

    async def numbers_used_with(self, account: int, contact: str) -> Sequence[str]:
        return self._used


def chosen(
    rule: UsageRule,
    contact: str,
    *,
    used: Sequence[str] = (),
    own: Sequence[VirtualNumber] = OWN,
    seed: int = 0,
) -> str:
    async def choose() -> VirtualNumber:
        numbers = OwnNumbers(FakeDirectory(own), FakeHistory(used), random.Random(seed).choice)
        return await numbers.choose(ACCOUNT, rule, NAMED, contact)

    return anyio.run(choose).number


def ever(rule: UsageRule, contact: str, used: Sequence[str] = ()) -> set[str]:
    """All that come out of many draws."""
    return {chosen(rule, contact, used=used, seed=seed) for seed in range(40)}


def test_fixed_is_the_number_named() -> None:
    assert chosen("fixed", "78121111111", used=[PETERSBURG]) == MOSCOW


def test_random_is_any_of_the_accounts_own() -> None:
    assert ever("random", "79260000000") == {MOSCOW, MOSCOW_2, PETERSBURG, ALMATY}


@pytest.mark.parametrize(
    ("used", "number"),
    [
        ([], MOSCOW),
        ([PETERSBURG, MOSCOW_2], PETERSBURG),
        (["74950000000", MOSCOW_2], MOSCOW_2),  # the latest is not ours any more
        (["74950000000"], MOSCOW),
    ],
)
def test_fixed_for_numa_is_the_number_used_last(used: Sequence[str], number: str) -> None:
    assert chosen("fixed_for_numa", "79260000000", used=used) == number


@pytest.mark.parametrize(
    ("contact", "numbers"),
    [
        ("74991112233", {MOSCOW, MOSCOW_2}),
        ("78121111111", {PETERSBURG}),
        ("79260000000", {MOSCOW}),  # a mobile network's region has none: the number named
        ("77012345678", {ALMATY}),  # abroad, and a number in that country
        ("442071838750", {MOSCOW}),
        ("2501", {MOSCOW}),
    ],
)
def test_regional_random(contact: str, numbers: set[str]) -> None:
    assert ever("regional_random", contact) == numbers


def test_regional_fixed_for_numa() -> None:
    contact = "74991112233"
    rule: UsageRule = "regional_fixed_for_numa"
    assert ever(rule, contact) == {MOSCOW, MOSCOW_2}
    assert ever(rule, contact, used=[PETERSBURG, MOSCOW_2]) == {MOSCOW_2}
    assert ever(rule, contact, used=[PETERSBURG]) == {MOSCOW, MOSCOW_2}
    assert ever(rule, "442071838750", used=[PETERSBURG]) == {MOSCOW}


@pytest.mark.parametrize("rule", get_args(UsageRule))
def test_without_any_number_that_fits_it_is_the_one_named(rule: UsageRule) -> None:
    assert chosen(rule, "79260000000", own=()) == MOSCOW
