"""Which numbers the operator's file allows whatever they are."""

import pytest

from callwright.directory.model import Account, AccountId
from callwright.methods.dialling import is_trusted

HOUSE = Account(AccountId(1), "House", allowed_numbers=("10?", "2*", "4955"))


@pytest.mark.parametrize("number", ["101", "109", "2", "25", "2071838750", "4955"])
def test_what_the_patterns_say_is_allowed(number: str) -> None:
    assert is_trusted(HOUSE, number, None)


@pytest.mark.parametrize(
    "number",
    [
        "10",
        "1011",
        "10#",
        "10*",
        "10\u0663",
        "10\n",
        "2*72#99",
        "2 5",
        "2\u0663",
        "2\n",
        "49551",
        "",
    ],
)
def test_only_ascii_digits_match(number: str) -> None:
    assert not is_trusted(HOUSE, number, None)
