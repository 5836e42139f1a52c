"""Reports over HTTP, of calls that have been made: sessions, legs, their course, requests."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callwright.calls.events import LegStarted, SessionFinished, TalkStarted
from callwright.engines.simulated.far_end import Answers, FarEnd, HangsUp, answers, busy
from callwright.methods.data.registry import LISTS
from tests.api.answers import INVALID, MISSED, NOTHING, TYPE, refusal, without_metadata
from tests.api.house import DIRECTORY, STRANGER, House, house
from tests.databases import StoredIn

MOSCOW = ZoneInfo("Europe/Moscow")
IN_MOSCOW = DIRECTORY.replace('name = "House"', 'name = "House"\ntimezone = "Europe/Moscow"')
FIELDS = {one.name: one.listing.fields for one in LISTS}
REPORTS = ("get.calls_report", "get.call_legs_report", "get.request_log")

CONTACT, BUSY_CONTACT, EMPLOYEE = "79260000000", "79260000008", "79260000028"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    far_ends = {
        # Long enough to be asked for while it talks, and for a whole second to be told.
        CONTACT: FarEnd(((0.0, Answers()), (60.0, HangsUp()))),
        BUSY_CONTACT: busy(),
        "79261110003": FarEnd(((0.3, HangsUp()),)),
        EMPLOYEE: answers(after=0.02),
    }
    folder = tmp_path_factory.mktemp("house")
    with house(folder, far_ends, stored_in, api={"points_per_minute": 100_000}) as built:
        built.apply(IN_MOSCOW)
        yield built


def start(home: House, contact: str = CONTACT, **more: object) -> int:
    params = {
        "first_call": "employee",
        "employee": {"id": 28},
        "contact": contact,
        "virtual_phone_number": "74993720692",
        **more,
    }
    session: int = home.succeeds("start.employee_call", params)["call_session_id"]
    return session


@pytest.fixture(scope="module")
def talked(home: House) -> int:
    """A session that was recorded and tagged, and that a client has ended."""
    session = start(home, external_id="order-1", direction="out")
    home.wait_for(session, TalkStarted)
    home.succeeds("tag.call", {"call_session_id": session, "tag_id": 7})
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
    return session


@pytest.fixture(scope="module")
def failed(home: House) -> int:
    """A session whose contact was busy."""
    session = start(home, BUSY_CONTACT)
    home.until_finished(session)
    return session


@pytest.fixture(scope="module")
def lost(home: House) -> int:
    """A call that came in, and whose caller did not wait for anybody."""
    home.calls_in(caller="79261110003", called="74993720692", trunk="t")
    event = home.news.wait_for(
        lambda event: isinstance(event, LegStarted) and event.calling_number == "79261110003"
    )
    home.wait_for(event.session, SessionFinished)
    return event.session


def window() -> dict[str, str]:
    now = datetime.now(MOSCOW)
    return {
        "date_from": (now - DAY).strftime("%Y-%m-%d %H:%M:%S"),
        "date_till": (now + DAY).strftime("%Y-%m-%d %H:%M:%S"),
    }


def rows(home: House, method: str, **params: object) -> list[dict[str, Any]]:
    answer = home.data(method, {**window(), **params})
    assert "result" in answer, answer
    data: list[dict[str, Any]] = answer["result"]["data"]
    total = answer["result"]["metadata"]["total_items"]
    assert total == len(data) or len(data) == params.get("limit")
    return data


def call(home: House, session: int, **params: object) -> dict[str, Any]:
    same = {"field": "id", "operator": "=", "value": session}
    [row] = rows(home, "get.calls_report", filter=same, **params)
    return row


def is_now(moment: str) -> bool:
    told = datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").replace(tzinfo=MOSCOW)
    return abs(datetime.now(UTC) - told) < timedelta(minutes=10)


def test_a_session_is_reported(home: House, talked: int) -> None:
    row = call(home, talked)
    link = row.pop("full_record_file_link")
    [recording] = row["call_records"]
    [shown] = home.succeeds("get.call", {"call_session_id": talked})["recordings"]
    assert re.fullmatch(r"[0-9a-f]{32}", recording)
    assert recording == shown["record_id"]
    number = shown["recording_id"]
    assert re.fullmatch(
        rf"{re.escape(home.url)}/recordings/{number}\?expires=\d+&signature=[0-9a-f]+", link
    )
    assert is_now(row.pop("start_time"))
    assert is_now(row.pop("finish_time"))
    durations = {name: row.pop(name) for name in [*row] if name.endswith("_duration")}
    assert all(type(value) is int for value in durations.values())
    assert list(durations) == [
        "wait_duration",
        "total_wait_duration",
        "talk_duration",
        "clean_talk_duration",
        "total_duration",
    ]
    assert row == {
        "id": talked,
        "finish_reason": "api_release",
        "direction": "out",
        "cpn_region_id": None,
        "cpn_region_name": None,
        "cpn_country_name": None,
        "cpn_country_id": None,
        "source": "callapi_management_call",
        "is_lost": False,
        "virtual_phone_number": "74993720692",
        "contact_phone_number": CONTACT,
        "communication_id": talked,
        "communication_type": "call",
        "call_records": [recording],
        "wav_call_records": [recording],
    }


def test_more_is_told_on_request(home: House, talked: int) -> None:
    fields = [
        "employees",
        "tags",
        "is_transfer",
        "operator_phone_number",
        "first_answered_employee_id",
        "last_answered_employee_full_name",
        "first_talked_employee_full_name",
        "last_talked_employee_id",
        "employee_id",
        "voice_mail_records",
        "call_api_external_id",
        "ended_by",
        "utm_source",
        "contact_full_name",
    ]
    row = call(home, talked, fields=fields)
    [tag] = row.pop("tags")
    assert is_now(tag.pop("tag_change_time"))
    assert tag == {
        "tag_id": 7,
        "tag_name": "Лид",
        "tag_type": "manual",
        "tag_user_id": None,
        "tag_user_login": None,
        "tag_employee_id": None,
        "tag_employee_full_name": None,
    }
    assert row == {
        "employees": [
            {
                "employee_id": 28,
                "employee_full_name": "Пётр Громов",
                "is_answered": True,
                "is_talked": True,
            }
        ],
        "is_transfer": False,
        "operator_phone_number": EMPLOYEE,
        "first_answered_employee_id": 28,
        "last_answered_employee_full_name": "Пётр Громов",
        "first_talked_employee_full_name": "Пётр Громов",
        "last_talked_employee_id": 28,
        "employee_id": 28,
        "voice_mail_records": [],
        "call_api_external_id": "order-1",
        "ended_by": "client",
        "utm_source": None,
        "contact_full_name": None,
    }


def test_nobody_talked_where_the_contact_was_busy(home: House, failed: int) -> None:
    row = call(
        home,
        failed,
        fields=["finish_reason", "employees", "last_talked_employee_id", "full_record_file_link"],
    )
    assert row["finish_reason"] == "subscriber_busy"
    assert row["employees"][0]["is_answered"] is True
    assert row["employees"][0]["is_talked"] is False
    assert (row["last_talked_employee_id"], row["full_record_file_link"]) == (None, None)


def test_a_lost_call_is_told_as_lost(home: House, lost: int) -> None:
    row = call(home, lost, fields=["source", "is_lost", "direction", "employees"])
    assert row == {"source": "va", "is_lost": True, "direction": "in", "employees": []}


def test_ongoing_calls_are_told_on_request(home: House, talked: int) -> None:
    session = start(home)
    home.wait_for(session, TalkStarted)
    same = {"field": "id", "operator": "=", "value": session}
    try:
        assert rows(home, "get.calls_report", filter=same) == []
        [row] = rows(home, "get.calls_report", filter=same, include_ongoing_calls=True)
    finally:
        home.succeeds("release.call", {"call_session_id": session})
    assert (row["finish_time"], row["finish_reason"], row["talk_duration"]) == (None, None, None)
    home.until_finished(session)
    assert call(home, session)["finish_reason"] == "api_release"


def test_legs_are_reported(home: House, talked: int) -> None:
    same = {"field": "call_session_id", "operator": "=", "value": talked}
    employee, contact = rows(home, "get.call_legs_report", filter=same)
    recordings = call(home, talked)["call_records"]
    for leg in (employee, contact):
        assert is_now(leg.pop("start_time"))
        assert is_now(leg.pop("connect_time"))
        assert type(leg.pop("duration")) is type(leg.pop("total_duration")) is int
    assert employee.pop("id") < contact.pop("id")
    shared = {
        "call_session_id": talked,
        "finish_reason": "api_release",
        "finish_reason_description": "",
        "virtual_phone_number": "74993720692",
        "contact_phone_number": CONTACT,
        "calling_phone_number": "74993720692",
        "direction": "out",
        "is_transfered": False,
        "is_coach": False,
        "is_failed": False,
        "is_talked": True,
        "call_records": recordings,
        "wav_call_records": recordings,
        "employee_rating": None,
        "scenario_id": None,
        "release_cause_code": 16,
        "release_cause_description": "Normal call clearing",
        "action_id": None,
        "action_name": None,
        "group_id": None,
        "group_name": None,
    }
    assert employee == {
        **shared,
        "called_phone_number": EMPLOYEE,
        "is_operator": True,
        "employee_id": 28,
        "employee_full_name": "Пётр Громов",
        "employee_phone_number": EMPLOYEE,
    }
    assert contact == {
        **shared,
        "called_phone_number": CONTACT,
        "is_operator": False,
        "employee_id": None,
        "employee_full_name": None,
        "employee_phone_number": None,
    }


def test_legs_can_be_told_by_what_stands_in_their_session(home: House, failed: int) -> None:
    same = {"field": "contact_phone_number", "operator": "=", "value": BUSY_CONTACT}
    legs = rows(
        home,
        "get.call_legs_report",
        filter=same,
        fields=["is_failed", "finish_reason", "connect_time", "cause", "mos"],
        sort=[{"field": "virtual_phone_number"}, {"field": "is_failed"}],
    )
    assert [leg["is_failed"] for leg in legs] == [False, True]
    assert legs[1] == {
        "is_failed": True,
        "finish_reason": "subscriber_busy",
        "connect_time": None,
        "cause": "busy",
        "mos": None,
    }


def test_the_course_of_a_session_is_told(home: House, talked: int) -> None:
    [details] = home.data("get.call_timeline", {"call_session_id": talked})["result"]["data"]
    assert details["call_session_id"] == talked
    events = details["call_events"]
    assert [event["event_mnemonic"] for event in events] == [
        "start",
        "call_placed",
        "call_placed",
        "talk_started",
        "finish",
    ]
    assert all(is_now(event["event_time"]) for event in events)
    assert [event["is_failed"] for event in events] == [False] * 5
    assert events[1]["event_text"] == f"Пётр Громов ({EMPLOYEE})"
    assert {"name": "role", "value": "contact"} in events[2]["data"]
    assert {"name": "finish_reason", "value": "api_release"} in events[4]["data"]


def test_what_failed_says_why(home: House, failed: int) -> None:
    [details] = home.data("get.call_timeline", {"call_session_id": failed})["result"]["data"]
    told = [
        (event["event_mnemonic"], event["fail_hint"])
        for event in details["call_events"]
        if event["is_failed"]
    ]
    assert told == [("call_placed", "subscriber_busy"), ("finish", "subscriber_busy")]


@pytest.mark.parametrize(("session", "token"), [(7, None), ("theirs", STRANGER)])
def test_a_session_that_is_not_there_has_no_course(
    home: House, talked: int, session: int | str, token: str | None
) -> None:
    number = talked if session == "theirs" else session
    params = {"call_session_id": number}
    answer = home.data("get.call_timeline", params, *([token] if token else []))
    data = {"mnemonic": "entity_not_found", "field": "call_session_id", "value": str(number)}
    assert without_metadata(answer) == refusal(-32602, "Entity not found", data)


@pytest.mark.parametrize("method", REPORTS)
def test_an_account_is_told_nothing_of_others(home: House, talked: int, method: str) -> None:
    answer = home.data(method, window(), STRANGER)
    assert all(row.get("user_login") == "stranger" for row in answer["result"]["data"])


# What is asked for.


@pytest.mark.parametrize("method", REPORTS)
@pytest.mark.parametrize("field", ["date_from", "date_till"])
@pytest.mark.parametrize(
    ("value", "said", "data"),
    [
        (NOTHING, MISSED, {"mnemonic": "required_parameter_missed"}),
        (1, TYPE, {"mnemonic": "data_type_error", "value": "1"}),
        ("2026-05", INVALID, {"mnemonic": "invalid_parameter_value", "value": "2026-05"}),
        (
            "2026-02-30 00:00:00",
            INVALID,
            {"mnemonic": "invalid_parameter_value", "value": "2026-02-30 00:00:00"},
        ),
    ],
)
def test_a_window_is_needed(
    home: House, method: str, field: str, value: object, said: tuple[int, str], data: dict[str, str]
) -> None:
    params = {**window(), field: value}
    if value is NOTHING:
        del params[field]
    answer = without_metadata(home.data(method, params))
    assert answer == refusal(*said, {**data, "field": field})


@pytest.mark.parametrize("method", REPORTS)
@pytest.mark.parametrize(
    ("date_from", "date_till", "is_good"),
    [
        ("2026-01-15 12:00:00", "2026-04-15 12:00:00", True),
        ("2026-01-15 12:00:00", "2026-04-15 12:00:01", False),
        ("2025-11-30 00:00:00", "2026-02-28 00:00:00", True),
        ("2025-11-30 00:00:00", "2026-02-28 00:00:01", False),
        ("2025-10-31 23:59:59", "2026-01-31 23:59:59", True),
        ("2026-05-01 00:00:00", "2026-05-01 00:00:00", True),
        ("2000-01-01 00:00:00", "2026-05-01 00:00:00", False),
    ],
)
def test_a_window_has_three_months_at_most(
    home: House, method: str, date_from: str, date_till: str, is_good: bool
) -> None:
    answer = home.data(method, {"date_from": date_from, "date_till": date_till})
    if is_good:
        assert answer["result"]["data"] == []
        assert answer["result"]["metadata"]["total_items"] == 0
        return
    data = {"mnemonic": "date_interval_limit_reached", "field": "date_till", "value": date_till}
    said = "Max value of requested date interval is 3 months"
    assert without_metadata(answer) == refusal(-32602, said, data)


def test_a_window_does_not_end_before_it_begins(home: House) -> None:
    params = {"date_from": "2026-05-01 00:00:01", "date_till": "2026-05-01 00:00:00"}
    answer = without_metadata(home.data("get.calls_report", params))
    data = {
        "mnemonic": "invalid_parameter_value",
        "field": "date_till",
        "value": "2026-05-01 00:00:00",
    }
    assert answer == refusal(*INVALID, data)


def test_the_ends_of_a_window_belong_to_it(home: House, talked: int) -> None:
    began = call(home, talked)["start_time"]
    moment = datetime.strptime(began, "%Y-%m-%d %H:%M:%S")
    before, after = (str(moment + timedelta(seconds=shift)) for shift in (-1, 1))

    def told(date_from: str, date_till: str) -> list[int]:
        answer = home.data("get.calls_report", {"date_from": date_from, "date_till": date_till})
        return [row["id"] for row in answer["result"]["data"]]

    assert talked in told(began, began)
    assert talked in told(before, began)
    assert talked not in told(before, before)
    assert talked not in told(after, after)


@pytest.mark.parametrize(
    ("params", "mnemonic", "field"),
    [
        ({"sort": [{"field": "employees"}]}, "sort_prohibited", "sort.0.field"),
        (
            {"filter": {"field": "full_record_file_link", "operator": "=", "value": None}},
            "filter_prohibited",
            "filter.field",
        ),
        ({"fields": ["moon_phase"]}, "invalid_parameter_value", "fields.0"),
    ],
)
def test_what_a_report_cannot_tell_is_refused(
    home: House, params: dict[str, Any], mnemonic: str, field: str
) -> None:
    fault = home.data("get.calls_report", {**window(), **params})["error"]["data"]
    assert (fault["mnemonic"], fault["field"]) == (mnemonic, field)


def test_every_field_of_a_report_can_be_asked_for(home: House, talked: int) -> None:
    """Also those of which nothing is known: clients of the published API ask for them."""
    for method in REPORTS:
        fields = list(FIELDS[method])
        row = rows(home, method, fields=fields, limit=1)[0]
        assert list(row) == fields


@pytest.mark.parametrize("method", REPORTS)
def test_a_report_is_sorted_and_filtered_by_every_field_that_allows_it(
    home: House, talked: int, method: str
) -> None:
    for name, field in FIELDS[method].items():
        everything = rows(home, method, fields=["id"], limit=1000)
        if field.sortable:
            for order in ("asc", "desc"):
                sort = [{"field": name, "order": order}]
                found = rows(home, method, fields=["id", name], sort=sort, limit=1000)
                assert len(found) >= len(everything)
                values = [row[name] for row in found if row[name] is not None]
                assert values == sorted(values, reverse=order == "desc")
        if field.filterable:
            for operator in ("=", "!="):
                comparison = {"field": name, "operator": operator, "value": None}
                found = rows(home, method, fields=[name], filter=comparison, limit=1000)
                is_empty = [row[name] in (None, [], {}) for row in found]
                assert is_empty == [operator == "="] * len(found)


# Requests.


def test_requests_are_logged_with_what_became_of_them(home: House, talked: int) -> None:
    home.call("release.call", {"call_session_id": talked})
    home.data("get.calls_report", {})
    logged = rows(
        home,
        "get.request_log",
        fields=["api_version", "method", "ip", "user_login", "error_mnemonic"],
        sort=[{"field": "id", "order": "desc"}],
        limit=2,
    )
    ours = {"ip": "127.0.0.1", "user_login": "crm"}
    assert logged == [
        {
            "api_version": "v2.0",
            "method": "get.calls_report",
            "error_mnemonic": "required_parameter_missed",
            **ours,
        },
        {
            "api_version": "v4.0",
            "method": "release.call",
            "error_mnemonic": "call_session_not_found",
            **ours,
        },
    ]


def test_a_session_names_the_request_that_began_it(home: House, talked: int) -> None:
    request = call(home, talked, fields=["call_api_request_id"])["call_api_request_id"]
    same = {"field": "id", "operator": "=", "value": request}
    [logged] = rows(home, "get.request_log", filter=same)
    assert (logged["method"], logged["call_session_id"]) == ("start.employee_call", talked)
    assert logged["error_mnemonic"] is None
    assert is_now(logged["date_time"])
    assert 0 < logged["duration"] < 60_000


def test_of_strangers_nothing_is_logged(home: House) -> None:
    before = len(rows(home, "get.request_log", limit=10_000))
    home.call("list.calls", {}, "nobody's token")
    home.answer(b"{")
    assert len(rows(home, "get.request_log", limit=10_000)) == before + 1  # the one before
