"""Kinds of destination, seen from Moscow, London and New York."""

import subprocess
import sys

import pytest

from callwright.directory.destinations import destination_of, same_country, same_region
from callwright.directory.directions import Destination
from tests.waiting import WITHIN

MOSCOW, LONDON, NEW_YORK = "74993720692", "442071838750", "12125550100"
LOCAL, MOBILE, FAR = Destination.LOCAL, Destination.MOBILE, Destination.LONG_DISTANCE
ABROAD, PREMIUM = Destination.INTERNATIONAL, Destination.PREMIUM


@pytest.mark.parametrize(
    ("number", "home", "kind"),
    [
        ("74991234567", MOSCOW, LOCAL),
        ("78005553535", MOSCOW, LOCAL),  # free for the caller
        ("79260000000", MOSCOW, MOBILE),
        ("78123334455", MOSCOW, FAR),
        ("74951234567", MOSCOW, FAR),  # another code of the same city
        ("78095551234", MOSCOW, PREMIUM),
        ("77012345678", MOSCOW, ABROAD),  # Kazakhstan has Russia's code
        ("380501234567", MOSCOW, ABROAD),
        ("88161234567", MOSCOW, ABROAD),  # a satellite
        ("979123456789", MOSCOW, PREMIUM),  # international premium rate
        ("999123456789", MOSCOW, ABROAD),  # no country has this code
        ("442071838751", LONDON, LOCAL),
        ("447400123456", LONDON, MOBILE),
        ("441612345678", LONDON, FAR),
        ("449012345678", LONDON, PREMIUM),
        ("12125550199", NEW_YORK, LOCAL),
        ("14155550100", NEW_YORK, FAR),
        ("18765230123", NEW_YORK, ABROAD),  # Jamaica, of the fraudsters' fame
        ("19002345678", NEW_YORK, PREMIUM),
        ("79260000000", LONDON, ABROAD),
        ("447012345678", LONDON, PREMIUM),  # a personal number
        ("447640123456", LONDON, PREMIUM),  # a pager
        ("445512345678", LONDON, PREMIUM),  # a company's number, at its own rate
        ("443001234567", LONDON, FAR),  # a company's number that costs what others cost
        ("46101234567", "4687654321", FAR),
        ("78081234567", MOSCOW, PREMIUM),
        ("390612345678", "390612345679", LOCAL),
        ("39199123456", "390612345679", PREMIUM),
        ("41860441234567", "41443643532", PREMIUM),  # a mailbox
        ("79401234567", MOSCOW, ABROAD),  # Abkhazia has Russia's code
        ("78401234567", MOSCOW, ABROAD),
        ("78501234567", MOSCOW, ABROAD),  # South Ossetia
        ("79401234567", "78401234567", MOBILE),
        ("449012345678", MOSCOW, PREMIUM),
    ],
)
def test_destination(number: str, home: str, kind: Destination) -> None:
    assert destination_of(number, home) is kind


def test_from_a_home_that_is_nowhere_all_is_abroad() -> None:
    assert destination_of("79260000000", "999123456789") is ABROAD


def test_regions_and_countries() -> None:
    assert same_region("74991234567", MOSCOW)
    assert same_region("79261111111", "79260000000")
    assert not same_region("74951234567", MOSCOW)
    assert not same_region("12125550100", "442125550100")
    assert same_country("78123334455", MOSCOW)
    assert not same_country("77012345678", MOSCOW)
    assert not same_country("999123456789", "999123456789")


def test_plans_are_read_beforehand() -> None:
    """In a process of its own: here they have been read by others."""
    program = (
        "import sys\n"
        "from callwright.directory.destinations import destination_of, read_plans\n"
        "read_plans(['74993720692', '442071838750', 'none', ''])\n"
        "before = {name for name in sys.modules if name.startswith('phonenumbers.data.region_')}\n"
        "assert {name[-2:] for name in before} == {'RU', 'GB'}, before\n"
        "destination_of('79260000000', '74993720692')\n"
        "assert {name for name in sys.modules if '.region_' in name} == before\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=WITHIN)
