"""The price of a call is that of the longest prefix, and its kind that of the numbering plans."""

import pytest

from callwright.directory.prices import Price, PriceList, direction_type

WORLD, RUSSIA, MOSCOW, CALLED = (
    Price(at, step) for at, step in ((30, 60), (2, 60), (1, 1), (5, 6))
)
PRICES = PriceList(
    [("out", "", WORLD), ("out", "7", RUSSIA), ("out", "7495", MOSCOW), ("in", "7", CALLED)]
)
HOME = "74993720692"


@pytest.mark.parametrize(
    ("direction", "number", "price"),
    [
        ("out", "74951234567", MOSCOW),
        ("out", "79260000000", RUSSIA),
        ("out", "4930901820", WORLD),
        ("in", "79260000000", CALLED),
        ("in", "4930901820", None),
    ],
)
def test_the_longest_prefix_holds(direction: str, number: str, price: Price | None) -> None:
    assert PRICES.price_of("in" if direction == "in" else "out", number) is price
    assert PriceList().price_of("out", number) is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("74993720693", "local"),
        ("78121234567", "national"),
        ("79260000000", "mobile"),
        ("77172123456", "international"),
        ("4930901820", "international"),
        ("78091234567", "national"),
        ("449061234567", "international"),
        ("2501", None),
        ("reception", None),
    ],
)
def test_the_kind_of_a_call(number: str, kind: str | None) -> None:
    """Premium numbers are national or international: there is no other word for them."""
    assert direction_type(number, HOME) == kind
