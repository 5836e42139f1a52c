"""Number rules and direction rules over HTTP: what contacts are shown, whom nobody may call."""

from collections.abc import Iterator
from typing import Any

import pytest

from callwright.calls import events
from callwright.calls.state import State
from callwright.engines.simulated.far_end import HangsUp, answers
from tests.api.answers import refusal, without_metadata
from tests.api.house import DIRECTORY, House, house

LONDON, KIEV, PREMIUM = "442071838750", "380501234567", "78095551234"
NUMBERS = DIRECTORY + "".join(
    f'[[virtual_numbers]]\nnumber = "{number}"\n' for number in ("78123334455", "442071838760")
)
OPEN = DIRECTORY.replace(
    'name = "House"', 'name = "House"\ndirections = ["local", "international"]'
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {
        "79260000001": answers(after=0.02),
        **{
            number: answers(after=0.02, then=[(0.1, HangsUp())])
            for number in ("79260000000", "78121111111", LONDON)
        },
        "74991110000": answers(after=0.02),
    }
    with house(tmp_path_factory.mktemp("house"), far_ends) as built:
        yield built


def simple(contact: str, **changes: object) -> dict[str, object]:
    return {
        "first_call": "operator",
        "virtual_phone_number": "74993720692",
        "contact": contact,
        "operator": "79260000001",
        **changes,
    }


def shown(home: House, contact: str, rule: str, named: str = "74993720692") -> str:
    """Make a call; give the number the contact saw, which the session bears too."""
    params = simple(contact, virtual_phone_usage_rule=rule, virtual_phone_number=named)
    session = home.succeeds("start.simple_call", params)["call_session_id"]
    call = home.until_finished(session)
    [leg] = [leg for leg in call["legs"] if not leg["is_operator"]]
    number = leg["calling_phone_number"]
    assert call["virtual_phone_number"] == number
    [operator] = [leg for leg in call["legs"] if leg["is_operator"]]
    assert operator["calling_phone_number"] == number
    assert isinstance(number, str)
    return number


def test_number_rules(home: House) -> None:
    home.apply(NUMBERS)
    own = {"74993720692", "74993720693", "78123334455", "442071838760"}
    contact = "79260000000"
    assert shown(home, contact, "fixed") == "74993720692"
    assert shown(home, contact, "random") in own
    # The number used last stays with the contact, whichever is named.
    assert shown(home, contact, "fixed", "74993720693") == "74993720693"
    assert shown(home, contact, "fixed_for_numa", "74993720692") == "74993720693"
    assert shown(home, "78121111111", "fixed_for_numa") == "74993720692"
    assert shown(home, "78121111111", "regional_random") == "78123334455"
    assert shown(home, "78121111111", "regional_fixed_for_numa") == "78123334455"
    assert shown(home, contact, "regional_random") == "74993720692"
    # A number that is not the account's any more is not used, although it was used last.
    home.apply(DIRECTORY)
    assert shown(home, "78121111111", "fixed_for_numa") == "74993720692"


def refused(home: House, method: str, params: dict[str, Any], field: str, direction: str) -> None:
    rung = len(home.engine.rung)
    value = params[field]
    said = (-32002, f"Calls in the direction {direction} are not permitted")
    data = {
        "mnemonic": "direction_not_allowed",
        "field": field,
        "value": value,
        "params": {"direction": direction},
    }
    assert without_metadata(home.call(method, params)) == refusal(*said, data)
    assert len(home.engine.rung) == rung


def test_abroad_and_premium_are_closed_by_default(home: House) -> None:
    for number, direction in ((LONDON, "international"), (PREMIUM, "premium")):
        refused(home, "start.simple_call", simple(number), "contact", direction)
        params = simple("79260000000", operator=number)
        refused(home, "start.simple_call", params, "operator", direction)
        employee = simple(number, first_call="employee", employee={"id": 25})
        del employee["operator"]
        refused(home, "start.employee_call", employee, "contact", direction)


def test_third_parties_and_coaches_are_held_to_the_rule(home: House) -> None:
    session = home.succeeds("start.simple_call", simple("74991110000"))["call_session_id"]
    home.wait_for(session, events.StateEntered, state=State.TALK)
    of_session: dict[str, Any] = {"call_session_id": session}
    refused(home, "transfer.call", of_session | {"to": KIEV}, "to", "international")
    refused(home, "add.coach", of_session | {"phone_number": PREMIUM}, "phone_number", "premium")
    home.succeeds("hold.call", of_session | {"contact_message": {"type": "media", "value": "2561"}})
    refused(home, "make.call", of_session | {"to": KIEV}, "to", "international")
    home.succeeds("make.call", of_session | {"to": "2502"})
    home.succeeds("release.call", of_session)
    home.until_finished(session)


def test_an_account_may_be_opened_and_closed_while_the_service_runs(home: House) -> None:
    home.apply(OPEN)
    session = home.succeeds("start.simple_call", simple(LONDON))["call_session_id"]
    # The operator's mobile phone stands in the directory, so it may be rung all the same.
    assert home.until_finished(session)["finish_reason"] == "subscriber_disconnects"
    refused(home, "start.simple_call", simple("79260000000"), "contact", "mobile")
    refused(home, "start.simple_call", simple("78121111111"), "contact", "long_distance")
    home.apply(DIRECTORY)
    refused(home, "start.simple_call", simple(LONDON), "contact", "international")
