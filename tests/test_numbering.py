"""Which digits can be a number, and which number digits are where they are dialled."""

import phonenumbers
import pytest

from callwright.numbering import COUNTRIES, HomePlan, fault_of

RUSSIA = HomePlan("RU")


def test_every_kind_of_number_of_every_country_can_be_one() -> None:
    # But for what is dialled inside a country only, and is shorter than its numbers are.
    short = {"13101234", "989601"}
    found = {
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
        for country in COUNTRIES
        for kind in range(11)
        if (number := phonenumbers.example_number_for_type(country, kind)) is not None
    }
    assert len(found) > 900
    assert {number for number in found if fault_of(number)} == short


@pytest.mark.parametrize(
    ("digits", "fault"),
    [
        ("89261234567", "no country's code begins like this"),
        ("7926123456", "too few digits for a number of +7"),
        ("792612345678", "no number of +7 has so many digits"),
        ("81079261234567", "behind +81 is a prefix"),
        ("88005553535", "behind +880 is a prefix"),
        ("4402071838750", "behind +44 is a prefix"),
        ("0079261234567", "00, 810 and the like are left out"),
        ("999123456789", "no country's code begins like this"),
        ("112", "7 to 15 digits"),
        ("", "7 to 15 digits"),
        ("+79261234567", "7 to 15 digits"),
        ("7926123456٧", "7 to 15 digits"),
    ],
)
def test_what_can_never_be_a_number(digits: str, fault: str) -> None:
    told = fault_of(digits)
    assert told is not None
    assert fault in told


@pytest.mark.parametrize(
    "said",
    ["79261234567", "89261234567", "9261234567", "0079261234567", "81079261234567"],
)
def test_the_forms_of_one_number_are_that_number(said: str) -> None:
    assert RUSSIA.e164(said) == "79261234567"


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("88005553535", "78005553535"),
        ("84951234567", "74951234567"),  # without a plus it is Moscow, and not Vietnam
        ("810442071838750", "442071838750"),
        ("00442071838750", "442071838750"),
        ("442071838750", "442071838750"),
        ("77012345678", "77012345678"),
        # What is no number of the telephone network's stays.
        ("101", "101"),
        ("112", "112"),
        ("1234567", "1234567"),
        ("0", "0"),
        ("", ""),
        ("810", "810"),
        ("9" * 20, "9" * 20),
    ],
)
def test_numbers_as_they_are_dialled_in_russia(said: str, number: str) -> None:
    assert RUSSIA.e164(said) == number


@pytest.mark.parametrize(
    ("said", "number"),
    [("84951234567", "84951234567"), ("89261234567", "79261234567"), ("101", "101")],
)
def test_a_plus_is_believed_where_it_can_be(said: str, number: str) -> None:
    assert RUSSIA.e164(said, international=True) == number


@pytest.mark.parametrize(
    ("plan", "said", "number"),
    [
        (HomePlan("GB"), "02071838750", "442071838750"),
        (HomePlan("GB"), "2071838750", "442071838750"),
        (HomePlan("DE"), "015112345678", "4915112345678"),
        (HomePlan("US"), "12025550123", "12025550123"),
        (HomePlan("US"), "2025550123", "12025550123"),
        (HomePlan("US"), "011442071838750", "442071838750"),
        (HomePlan("IT"), "0612345678", "390612345678"),
        (HomePlan("KZ"), "87012345678", "77012345678"),
        (HomePlan("RU", "9"), "99261234567", "79261234567"),
        (HomePlan("RU", "9"), "9261234567", "79261234567"),
        (HomePlan("RU", ""), "89261234567", "89261234567"),
    ],
)
def test_other_plans_and_prefixes(plan: HomePlan, said: str, number: str) -> None:
    assert plan.e164(said) == number


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_the_numbers_of_a_country_are_known_there_in_each_form(country: str) -> None:
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.FIXED_LINE)
    assert number is not None
    wanted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
    plan = HomePlan(country)
    assert plan.e164(wanted, international=True) == wanted
    assert plan.e164(f"00{wanted}") == wanted
