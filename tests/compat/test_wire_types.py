"""Every list, read by a strict typed client: each documented key is there and of its type."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from callwright.calls.events import LegStarted, RecordingReady, SessionFinished, TalkStarted
from callwright.engines.simulated.far_end import Answers, FarEnd, HangsUp, answers
from callwright.methods.data.list_request import ReportRequest
from callwright.methods.data.registry import LISTS
from tests.api.house import DIRECTORY, House, house
from tests.compat.documented import METHODS, decode, documented

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
TALKED = {"field": "is_lost", "operator": "=", "value": False}
CONTACT, CALLER = "79260000000", "79261110003"
READ = [one for one in LISTS if one.name in METHODS]


NONE_HERE = ("get.notifications", *(one.name for one in LISTS if one.table is None))
"Read where there are webhooks (tests/data/test_webhooks.py), or always empty."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with something in every list: also a recorded call, and a lost one."""
    far_ends = {
        CONTACT: FarEnd(((0.0, Answers()), (60.0, HangsUp()))),
        CALLER: FarEnd(((0.3, HangsUp()),)),
        "79260000028": answers(after=0.02),
    }
    with house(
        tmp_path_factory.mktemp("house"), far_ends, api={"points_per_minute": 100_000}
    ) as up:
        up.apply(DIRECTORY)
        _talk(up)
        up.calls_in(caller=CALLER, called="74993720692", trunk="t")
        lost = up.news.wait_for(
            lambda event: isinstance(event, LegStarted) and event.calling_number == CALLER
        )
        up.wait_for(lost.session, SessionFinished)
        yield up


def _talk(up: House) -> None:
    call = {
        "first_call": "employee",
        "employee": {"id": 28},
        "contact": CONTACT,
        "virtual_phone_number": "74993720692",
    }
    session = up.succeeds("start.employee_call", call)["call_session_id"]
    up.wait_for(session, TalkStarted)
    up.succeeds("tag.call", {"call_session_id": session, "tag_id": 7})
    up.succeeds("release.call", {"call_session_id": session})
    up.wait_for(session, RecordingReady)
    up.until_finished(session)


def rows(home: House, name: str, **params: Any) -> list[dict[str, Any]]:
    [declared] = [one for one in READ if one.name == name]
    if issubclass(declared.params, ReportRequest):
        now, day = datetime.now(UTC), timedelta(days=1)
        params |= {"date_from": f"{now - day:%Y-%m-%d}", "date_till": f"{now + day:%Y-%m-%d}"}
    if name == "get.chat_messages_report":
        params |= {"chat_id": 1}
    answer = home.data(name, params)
    assert "result" in answer, answer
    found: list[dict[str, Any]] = answer["result"]["data"]
    assert answer["result"]["metadata"]["total_items"] == len(found)
    return found


every_list = pytest.mark.parametrize("name", [one.name for one in READ])


@every_list
def test_a_default_answer_is_as_documented(home: House, name: str) -> None:
    found = rows(home, name)
    assert found or name in NONE_HERE
    for row in found:
        decode(name, row, every=False)


@every_list
def test_every_documented_field_can_be_asked_for(home: House, name: str) -> None:
    found = rows(home, name, fields=[one.field for one in documented(name, "answer")])
    assert found or name in NONE_HERE
    for row in found:
        decode(name, row)


@every_list
def test_every_field_can_be_filtered_and_sorted_by_as_documented(home: House, name: str) -> None:
    """Those that are null and those that are not are all there are."""
    total = len(rows(home, name))
    sorts = any(one.field == "sort" for one in documented(name, "request"))
    for one in documented(name, "answer"):
        if one.filter:
            of = {"field": one.field, "operator": "=", "value": None}
            found = len(rows(home, name, filter=of))
            found += len(rows(home, name, filter={**of, "operator": "!="}))
            # Requests are logged as they are made.
            assert found == total or (name == "get.api_requests" and found > total), one.field
        if one.sort and sorts:
            order = [{"field": one.field, "order": "DESC"}]
            assert len(rows(home, name, sort=order)) == total, one.field


def test_the_account_may_be_named(home: House) -> None:
    for own in (1, "1", None):
        assert "result" in home.data("get.tags", {"user_id": own})
    for other, mnemonic in (
        (2, "invalid_parameter_value"),
        ("x", "invalid_parameter_value"),
        (1.5, "invalid_parameter_value"),
        (True, "data_type_error"),
        ([1], "data_type_error"),
    ):
        fault = home.data("get.tags", {"user_id": other})["error"]["data"]
        assert (fault["mnemonic"], fault["field"]) == (mnemonic, "user_id")
    fault = home.call("list.calls", {"user_id": 1})["error"]["data"]
    assert fault["mnemonic"] == "unexpected_parameters", "the Call API has no such parameter"


def test_a_session_of_the_data_api(home: House) -> None:
    user = f'[[users]]\nlogin = "sdk"\npassword_hash = "{QUICK.hash("secret")}"\n'
    home.apply(f"{DIRECTORY}\n{user}")
    who = {"login": "sdk", "password": "secret"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "login.user", "params": who}
    answer = home.answer(json.dumps(body), path="/v2.0")["result"]["data"]
    decode("login.user", answer)
    assert answer["app_id"] == 1
    assert home.data("logout.user", {}, answer["access_token"])["result"]["data"] == {}
    fault = home.data("get.tags", {}, answer["access_token"])["error"]["data"]
    assert fault["mnemonic"] == "access_token_invalid"


def test_what_is_unknown_is_null_to_filters(home: House) -> None:
    def found(operator: str, value: object, field: str = "utm_source") -> int:
        where = {"field": field, "operator": operator, "value": value}
        return len(rows(home, "get.calls_report", filter=where))

    total = len(rows(home, "get.calls_report"))
    assert found("=", None) == total
    assert found("=", None, "scenario_operations") == total
    for operator, value in (("=", "x"), ("!=", "x"), ("in", ["x"]), ("like", "%"), ("!=", None)):
        assert found(operator, value) == 0
    assert found("jsquery", "#.id = 1", "scenario_operations") == 0
    assert found(">", "2026-01-01 00:00:00", "sale_date") == 0


def test_lists_are_taken_as_clients_ask(home: House) -> None:
    total = len(rows(home, "get.employees"))
    nothing: list[dict[str, Any]] = [{"filter": {}}, {"filter": []}, {"fields": []}, {"sort": []}]
    for empty in nothing:
        assert len(rows(home, "get.employees", **empty)) == total
    both = {
        "filters": [
            {"field": "id", "operator": "IN", "value": ["25", 28]},
            {"field": "calls_available", "operator": "=", "value": "true"},
        ],
        "condition": "AND",
    }
    order = [{"field": "id", "order": "DESC"}]
    found = rows(home, "get.employees", filter=both, sort=order, limit="10", offset="0")
    assert [row["id"] for row in found] == [28, 25]
    assert len(rows(home, "get.employees", filter={"filters": []})) == total
    assert rows(home, "get.calls_report", include_ongoing_calls="true")


@pytest.mark.parametrize(
    ("name", "field", "query", "ids"),
    [
        ("get.employees", "extension", 'extension_phone_number = "2901"', [29]),
        ("get.employees", "phone_numbers", '#.phone_number = "79260000028"', [28]),
        ("get.employees", "groups", '#.group_name = "sales"', [26, 27, 28]),
        ("get.employees", "coach", "coach_id = 29", [28]),
        ("get.virtual_numbers", "scenarios", "#.scenario_id = 1", [1]),
        ("get.scenarios", "virtual_phone_numbers", '# = "74993720692"', [1]),
    ],
)
def test_what_is_in_arrays_is_found(
    home: House, name: str, field: str, query: str, ids: list[int]
) -> None:
    where = {"field": field, "operator": "jsquery", "value": query}
    assert sorted(row["id"] for row in rows(home, name, filter=where)) == ids
    page = rows(home, name, filter=where, fields=["id"])
    assert page == [{"id": id} for id in ids]


def test_newer_reports_are_asked_as_documented(home: House) -> None:
    [talk] = rows(home, "get.calls_report", filter=TALKED)
    id = talk["id"]
    asked = {"report_id": 5, "entity_ids": [str(id)], "filters": []}
    [row] = rows(home, "get.call_details", **asked)
    assert (row["communication_id"], row["call_records"]) == (str(id), talk["call_records"])
    assert row["call_direction"] == {"value": "in", "value_id": "in"}
    assert row["tags"]["items"] == [{"id": 7, "name": "Лид"}]
    told = [event["event_mnemonic"] for event in row["call_events"]]
    assert told == ["start", "call_placed", "call_placed", "talk_started", "finish"]
    assert len(rows(home, "get.call_details", entity_ids=[id, 5])) == 1

    def found(name: str, *filters: tuple[str, str, object]) -> list[dict[str, Any]]:
        names = ("field", "operator", "value")
        return rows(home, name, filters=[dict(zip(names, one, strict=True)) for one in filters])

    started = ("api_request_method", "=", "start.employee_call")
    [request] = found("get.api_requests", started, ("api_request_status", "=", "success"))
    assert request["call_session_id"] == id
    assert request["api_request_component"] == {"value": "Call API", "value_id": "v4.0"}
    assert not found("get.api_requests", started, ("api_request_status", "!=", "Success"))
    lost = ("call_status", "in", ["lost"])
    assert [one["contact_phone_number"] for one in found("get.call_details", lost)] == [CALLER]
    year = {"date_from": "2026-01-01", "date_till": "2026-12-31"}
    assert "result" in home.data("get.call_details", year)
    longer = home.data("get.call_details", {**year, "date_till": "2027-01-03"})["error"]["data"]
    assert longer["mnemonic"] == "date_interval_limit_reached"


def test_calls_are_found_by_who_talked_and_by_their_tags(home: House) -> None:
    def sessions(field: str, operator: str, value: object) -> int:
        where = {"field": field, "operator": operator, "value": value}
        return len(rows(home, "get.calls_report", filter=where))

    assert sessions("last_talked_employee_id", "=", 28) == 1
    assert sessions("last_talked_employee_full_name", "like", "Пётр%") == 1
    assert sessions("first_answered_employee_id", "in", [25]) == 0
    assert sessions("operator_phone_number", "=", "79260000028") == 1
    assert sessions("tags", "jsquery", "#.tag_id = 7") == 1
    assert sessions("employees", "jsquery", "#.employee_id = 28") == 1
    assert sessions("tags", "=", None) == 1
