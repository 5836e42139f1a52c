"""The admission of dialled numbers over HTTP: whoever names a number, what is not to be called is
not, and only the operator's file lifts a restriction."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from callwright.calls import events
from callwright.calls.state import State
from callwright.engines.simulated.far_end import answers
from tests.api.house import DIRECTORY, House, house

CONTACT, OPERATOR = "74991110000", "79260000001"
OWN, OWN_TOO = "74993720692", "74993720693"
BLOCKED = "79269999999"

REFUSED = {
    "442071838750": "direction_not_allowed",
    "77012345678": "direction_not_allowed",
    "78095551234": "direction_not_allowed",
    "810442071838750": "invalid_parameter_value",
    "00442071838750": "invalid_parameter_value",
    "89261234567": "invalid_parameter_value",
    "7926123456": "invalid_parameter_value",
    "112": "invalid_parameter_value",
    "0": "invalid_parameter_value",
    OWN: "own_virtual_phone_number_not_allowed",
    OWN_TOO: "own_virtual_phone_number_not_allowed",
    BLOCKED: "contact_in_blacklist",
}
"What nobody may call but where the operator's file says so, and why."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {number: answers(after=0.02) for number in (CONTACT, OPERATOR, "79261111111")}
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    outside = {"allow_private": True}
    with house(tmp_path_factory.mktemp("house"), far_ends, api=many, hooks=outside) as built:
        yield built


def simple(**changes: object) -> dict[str, object]:
    return {
        "first_call": "operator",
        "virtual_phone_number": OWN,
        "contact": CONTACT,
        "operator": OPERATOR,
        **changes,
    }


def refused(home: House, method: str, params: dict[str, Any], field: str, mnemonic: str) -> Any:
    rung = len(home.engine.rung)
    error = home.call(method, params)["error"]
    assert (error["data"]["mnemonic"], error["data"]["field"]) == (mnemonic, field)
    assert len(home.engine.rung) == rung
    return error["data"]


def made(home: House, number: str, *, extension: bool = False) -> int | None:
    """Create an employee by the Data API; None: it is refused, for what can never be right."""
    phones: dict[str, object] = {"phone_numbers": [{"phone_number": number}]}
    if extension:
        phones = {"extension": {"extension_phone_number": number}}
    answer = home.data("create.employees", {"full_name": "Мошенник", **phones})
    if "error" in answer:
        assert answer["error"]["data"]["mnemonic"] == "invalid_parameter_value"
        assert answer["error"]["data"]["extended_helper"]
        return None
    return int(answer["result"]["data"]["id"])


def removed(home: House, employee: int | None) -> None:
    if employee is not None:
        assert "result" in home.data("delete.employees", {"id": employee})


@pytest.mark.parametrize("number", REFUSED)
def test_what_the_data_api_has_written_lifts_no_restriction(home: House, number: str) -> None:
    mnemonic = REFUSED[number]
    employee = made(home, number)
    if employee is not None:
        asked = simple(employee={"id": employee}, first_call="employee")
        del asked["operator"]
        refused(home, "start.employee_call", asked, "employee.id", mnemonic)
        asked["employee"] = {"id": employee, "phone_number": number}
        refused(home, "start.employee_call", asked, "employee.phone_number", mnemonic)
    refused(home, "start.simple_call", simple(contact=number), "contact", mnemonic)
    refused(home, "start.simple_call", simple(operator=number), "operator", mnemonic)
    removed(home, employee)


@pytest.mark.parametrize("number", ["112", "0", "02"])
def test_an_extension_of_the_data_apis_is_not_dialled_through_a_trunk(
    home: House, number: str
) -> None:
    employee = made(home, number, extension=True)
    asked = simple(employee={"id": employee}, first_call="employee")
    del asked["operator"]
    data = refused(home, "start.employee_call", asked, "employee.id", "invalid_parameter_value")
    assert data["extended_helper"]
    removed(home, employee)


def test_a_number_keeps_the_trust_it_has_while_the_api_changes_the_rest(home: House) -> None:
    abroad = DIRECTORY.replace('number = "79260000028"', 'number = "442071838750"')
    home.apply(abroad)
    asked = simple(employee={"id": 28}, first_call="employee")
    del asked["operator"]

    def phones(number: str, **changes: object) -> None:
        shown = {"phone_number": number, "dial_time": 7, **changes}
        answer = home.data("update.employees", {"id": 28, "phone_numbers": [shown]})
        assert "result" in answer, answer

    phones("442071838750")
    session = home.succeeds("start.employee_call", asked)["call_session_id"]
    home.wait_for(session, events.LegStarted, called_number="442071838750")
    home.succeeds("release.call", {"call_session_id": session})
    # Another number in its place has nobody's word but the API's.
    rows = home.data("get.employees", {"filter": {"field": "id", "operator": "=", "value": 28}})
    [phone] = rows["result"]["data"][0]["phone_numbers"]
    phones("442071838751", phone_id=phone["phone_id"])
    refused(home, "start.employee_call", asked, "employee.id", "direction_not_allowed")
    phones("79260000028", dial_time=30)
    home.apply(DIRECTORY)


@pytest.mark.parametrize("off", ["phone", "employee"])
def test_what_the_file_has_inactive_is_not_trusted_when_the_api_activates_it(
    home: House, off: str
) -> None:
    phone = 'number = "79260000028"\nkind = "e164"'
    whose = 'full_name = "Пётр Громов"'
    after = DIRECTORY.replace("79260000028", "442071838750")
    at = phone.replace("79260000028", "442071838750") if off == "phone" else whose
    home.apply(after.replace(at, f"{at}\nactive = false"))
    asked = simple(employee={"id": 28}, first_call="employee")
    del asked["operator"]
    shown = {"phone_number": "442071838750", "status": "active", "dial_time": 30}
    # Once it changes something else, so that the employee is the API's before it activates.
    for change in (
        {"email": "gromov@example.net"},
        {"status": "available", "phone_numbers": [shown]},
    ):
        answer = home.data("update.employees", {"id": 28, **change})
        assert "result" in answer, answer
    refused(home, "start.employee_call", asked, "employee.id", "direction_not_allowed")
    # The file says so itself: from now on it is trusted, also where the API switches it off and on.
    home.apply(after)
    for active in (False, True):
        answer = home.data("update.employees", {"id": 28, "calls_available": active})
        assert "result" in answer, answer
    session = home.succeeds("start.employee_call", asked)["call_session_id"]
    home.wait_for(session, events.LegStarted, called_number="442071838750")
    home.succeeds("release.call", {"call_session_id": session})
    home.apply(after)
    home.apply(DIRECTORY)


def test_the_operators_file_may_allow_numbers_of_any_form(home: House) -> None:
    home.apply(
        DIRECTORY.replace('name = "House"', 'name = "House"\nallowed_numbers = ["4??", "998*"]')
    )
    employee = made(home, "455", extension=True)
    asked = simple(employee={"id": employee}, first_call="employee")
    del asked["operator"]
    session = home.succeeds("start.employee_call", asked)["call_session_id"]
    leg = home.wait_for(session, events.LegStarted, called_number="455")
    assert isinstance(leg, events.LegStarted)
    home.succeeds("release.call", {"call_session_id": session})
    session = home.start_simple_call("998712345678", OPERATOR)
    home.succeeds("release.call", {"call_session_id": session})
    for number in ("112", "4555"):
        refused(
            home,
            "start.simple_call",
            simple(operator=number),
            "operator",
            "invalid_parameter_value",
        )
    removed(home, employee)
    home.apply(DIRECTORY)


@pytest.mark.parametrize("number", [*REFUSED, CONTACT, OPERATOR])
def test_nobody_is_fetched_into_a_call_who_may_not_be_rung(home: House, number: str) -> None:
    session = home.start_simple_call(CONTACT, OPERATOR)
    home.wait_for(session, events.StateEntered, state=State.TALK)
    # A short number that no phone has is nobody's.
    short = {"112": "no_active_phone_number", "0": "no_active_phone_number"}
    mnemonic = short.get(number) or REFUSED.get(number, "invalid_parameter_value")
    if number.startswith("00"):
        mnemonic = "no_active_phone_number"
    of: dict[str, Any] = {"call_session_id": session}
    refused(home, "transfer.call", of | {"to": number}, "to", mnemonic)
    refused(home, "add.coach", of | {"phone_number": number}, "phone_number", mnemonic)
    hold = {"contact_message": {"type": "media", "value": "2561"}}
    home.succeeds("hold.call", of | hold)
    data = refused(home, "make.call", of | {"to": number}, "to", mnemonic)
    if number in (CONTACT, OPERATOR):
        assert data["extended_helper"] == "this number is on the line in this call already"
    home.succeeds("release.call", of)
    home.until_finished(session)


def test_whoever_is_called_is_not_called_twice_in_one_call(home: House) -> None:
    invalid = "invalid_parameter_value"
    refused(home, "start.simple_call", simple(operator=CONTACT), "operator", invalid)
    group = {"phones": [{"number": OPERATOR}, {"number": CONTACT}]}
    asked = simple(operators=[group])
    del asked["operator"]
    refused(home, "start.multi_call", asked, "operators.0.phones.1.number", invalid)
    asked = simple(contact=OPERATOR, employee={"id": 25, "phone_number": OPERATOR})
    asked["first_call"] = "employee"
    del asked["operator"]
    refused(home, "start.employee_call", asked, "employee.phone_number", invalid)
    # Of several phones, those are rung that can be.
    asked["employee"] = {"id": 25}
    session = home.succeeds("start.employee_call", asked)["call_session_id"]
    leg = home.wait_for(session, events.LegStarted)
    assert isinstance(leg, events.LegStarted)
    assert leg.called_number == "2501"
    home.succeeds("release.call", {"call_session_id": session})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A customer's URL that names every number that may not be called."""

    class Names(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"phones": [*REFUSED, CONTACT]}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Names) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/route"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["ring", "queue", "ask"])
def test_scenarios_and_customers_urls_are_held_to_it(home: House, url: str, kind: str) -> None:
    numbers = ", ".join(f'"{number}"' for number in [*REFUSED, CONTACT, OPERATOR])
    says = {
        "ring": f'do = "ring"\nnumbers = [{numbers}]\nstrategy = "at_once"',
        "queue": f'do = "queue"\nname = "q"\nnumbers = [{numbers}]',
        "ask": f'do = "ask"\nurl = "{url}"\n[[scenarios.operations]]\n'
        f'do = "ring"\nnumbers = ["{OPERATOR}"]',
    }[kind]
    home.apply(
        DIRECTORY.replace(
            "[[tags]]",
            f'[[scenarios]]\nid = 3\nname = "Mad"\n[[scenarios.operations]]\n{says}\n[[tags]]',
            1,
        )
    )
    rung = len(home.engine.rung)
    asked = simple(first_call="contact", scenario_id=3)
    del asked["operator"]
    session = home.succeeds("start.scenario_call", asked)["call_session_id"]
    home.wait_for(session, events.StateEntered, state=State.TALK)
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
    assert [leg.to.number for leg in list(home.engine.rung)[rung:]] == [CONTACT, OPERATOR]
    home.apply(DIRECTORY)


def test_a_number_that_can_never_be_right_is_told_why(home: House) -> None:
    for contact, helper in (
        ("89261234567", "no country's code begins like this"),
        ("89261234567", "as it is dialled in RU it is 79261234567"),
        ("7926123456", "too few digits for a number of +7"),
        ("810442071838750", "a prefix that is dialled inside the country only"),
    ):
        data = refused(
            home, "start.simple_call", simple(contact=contact), "contact", "invalid_parameter_value"
        )
        assert helper in data["extended_helper"]
        answer = home.data("create.phone_number_to_blacklist", {"phone_number": contact})
        assert answer["error"]["data"]["mnemonic"] == "invalid_parameter_value"
        assert answer["error"]["data"]["extended_helper"]
