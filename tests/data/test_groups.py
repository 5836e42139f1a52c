"""Groups of employees over HTTP: made, changed, ordered, and rung."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from callwright.calls.events import LegStarted, SessionFinished, TalkStarted
from callwright.engines.simulated.far_end import Answers, FarEnd, HangsUp, busy
from tests.api.answers import INVALID
from tests.api.house import STRANGER, House, house
from tests.compat.documented import decode
from tests.data.test_entities import (
    done,
    duplicate,
    made,
    needed,
    not_found,
    one,
    refused,
)

CONTACT, VIRTUAL = "79260000000", "74993720692"
ANNA, ANNAS_SIP, ANNAS_OTHER_SIP, PYOTR = "79260000001", "2501", "2502", "79260000028"
FIRST = {"first_call": "operator", "virtual_phone_number": VIRTUAL, "contact": CONTACT}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {number: busy() for number in (ANNA, ANNAS_SIP, ANNAS_OTHER_SIP, PYOTR)}
    far_ends[CONTACT] = FarEnd(((0.0, Answers()), (0.3, HangsUp())))
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    with house(tmp_path_factory.mktemp("house"), far_ends, api=many) as up:
        yield up


def ids(home: House, group: int) -> dict[str, int]:
    """The phones of a group in their order, by their numbers."""
    shown = one(home, "get.group_employees", group)["phone_numbers"]
    return {phone["employee_phone_number"]: phone["employee_phone_number_id"] for phone in shown}


def order(home: House, group: int, *numbers: str) -> None:
    """Have a group ring these phones in this order, and no others."""
    known = ids(home, group)
    in_order = [*numbers, *(number for number in known if number not in numbers)]
    phones = [
        {"employee_phone_number_id": known[number], "available": number in numbers}
        for number in in_order
    ]
    assert not done(home, "update.group_employees_numbers", id=group, phone_numbers=phones)


def rung(home: House, session: int) -> list[str]:
    """Which phones a session that is over has rung, beside the contact's."""
    home.wait_for(session, SessionFinished)
    return [
        event.called_number
        for event in home.news.all
        if isinstance(event, LegStarted) and event.session == session and event.role != "contact"
    ]


def multi_call(home: House, number: str, **group: object) -> int:
    params = {**FIRST, "operators": [{"phones": [{"number": number}], **group}]}
    session: int = home.succeeds("start.multi_call", params)["call_session_id"]
    return session


def test_a_group_as_a_whole(home: House) -> None:
    group = made(
        home,
        "create.group_employees",
        name="Поддержка",
        members=[28, {"employee_id": 25, "employee_full_name": "Анна Орлова"}],
        group_phone_number="700",
        queue_enabled=True,
        channels_count=3,
    )
    shown = one(home, "get.group_employees", group)
    decode("get.group_employees", shown)
    phones = shown.pop("phone_numbers")
    assert shown == {
        "id": group,
        "name": "Поддержка",
        "members": [
            {"employee_id": 28, "employee_full_name": "Пётр Громов"},
            {"employee_id": 25, "employee_full_name": "Анна Орлова"},
        ],
        "group_phone_number": "700",
        "queue_enabled": True,
        "channels_count": 3,
    }
    numbers = [phone["employee_phone_number"] for phone in phones]
    assert numbers == [PYOTR, ANNA, "79260000002", ANNAS_SIP, ANNAS_OTHER_SIP]
    assert {phone["available"] for phone in phones} == {True}
    assert phones[0]["employee_full_name"] == "Пётр Громов"

    # Sent back as it is shown, nothing changes.
    done(home, "update.group_employees", **shown)
    assert one(home, "get.group_employees", group) == {**shown, "phone_numbers": phones}
    done(home, "update.group_employees", id=group, members=[], group_phone_number=None)
    done(home, "update.group_employees", id=group, queue_enabled=False)
    assert one(home, "get.group_employees", group) == {
        "id": group,
        "name": "Поддержка",
        "members": [],
        "phone_numbers": [],
        "group_phone_number": None,
        "queue_enabled": False,
        "channels_count": 3,
    }
    done(home, "delete.group_employees", id=group)
    assert one(home, "get.group_employees", group) is None


def test_what_is_refused_of_a_group(home: House) -> None:
    group = made(home, "create.group_employees", name="Отдел", group_phone_number="701")
    create, update = "create.group_employees", "update.group_employees"
    refused(home, create, {"name": "Отдел"}, **duplicate("name", "Отдел"))
    refused(home, update, {"id": group, "name": "sales"}, **duplicate("name", "sales"))
    for taken in ("701", "2501"):
        numbered = {"name": "Другой", "group_phone_number": taken}
        refused(home, create, numbered, **duplicate("group_phone_number", taken))
    params: dict[str, Any] = {"name": "Другой", "members": [28, 404]}
    refused(home, create, params, **not_found("members.1", 404))
    refused(home, update, {"id": 404, "name": "x"}, **not_found("id", 404))
    for method in ("update.group_employees", "delete.group_employees"):
        refused(home, method, {"id": group}, token=STRANGER, **not_found("id", group))
    line = {"last_name": "Внутренний", "extension": {"extension_phone_number": "701"}}
    refused(home, "create.employees", line, **duplicate("extension.extension_phone_number", "701"))
    refused(home, "delete.group_employees", {"id": 1}, **needed("id", 1))
    for channels in (0, 200):
        answer = home.data(create, {"name": "Другой", "channels_count": channels})
        assert answer["error"]["data"]["field"] == "channels_count"


def test_the_order_of_a_groups_phones_is_said_of_all_or_not_at_all(home: House) -> None:
    group = made(home, "create.group_employees", name="Порядок", members=[28, 25])
    known = ids(home, group)
    [first, *_] = [{"employee_phone_number_id": id, "available": True} for id in known.values()]
    incomplete = partial(
        refused, said=INVALID, mnemonic="invalid_parameter_value", field="phone_numbers"
    )
    for some in ([first], [first] * len(known), []):
        params = {"id": group, "phone_numbers": some}
        incomplete(home, "update.group_employees_numbers", params)
    params = {"id": 404, "phone_numbers": []}
    refused(home, "update.group_employees_numbers", params, **not_found("id", 404))
    assert ids(home, group) == known

    shown = one(home, "get.group_employees", group)["phone_numbers"]
    done(home, "update.group_employees_numbers", id=group, phone_numbers=shown[::-1])
    assert [*ids(home, group)] == [*known][::-1]
    # A phone that comes is the last.
    done(home, "update.group_employees", id=group, members=[29, 28, 25])
    assert [*ids(home, group)] == [*[*known][::-1], "2901"]


def test_the_short_number_rings_the_groups_phones_in_a_multi_call(home: House) -> None:
    group = made(
        home,
        "create.group_employees",
        name="Дежурные",
        members=[28, 26, 25],
        group_phone_number="702",
    )
    assert rung(home, multi_call(home, "702")) == [PYOTR, ANNA, ANNAS_SIP, ANNAS_OTHER_SIP]
    order(home, group, ANNAS_SIP, PYOTR, ANNA)
    session = multi_call(home, "702")
    assert rung(home, session) == [ANNAS_SIP, PYOTR, ANNA]
    by_group: dict[str, object] = {"field": "group_name", "operator": "=", "value": "Дежурные"}
    legs = in_report(home, session, by_group)
    assert {leg["group_id"] for leg in legs} == {group}
    assert len(legs) == 3
    done(home, "delete.group_employees", id=group)
    fault = home.call("start.multi_call", {**FIRST, "operators": [{"phones": [{"number": "702"}]}]})
    assert fault["error"]["data"]["mnemonic"] == "invalid_parameter_value"


def in_report(home: House, session: int, chosen: dict[str, object]) -> list[dict[str, Any]]:
    now, day = datetime.now(UTC), timedelta(days=1)
    asked = {
        "date_from": f"{now - day:%Y-%m-%d}",
        "date_till": f"{now + day:%Y-%m-%d}",
        "filter": chosen,
    }
    rows: list[dict[str, Any]] = home.data("get.call_legs_report", asked)["result"]["data"]
    return [row for row in rows if row["call_session_id"] == session]


def test_a_scenario_rings_a_group_in_its_order_and_by_its_new_name(home: House) -> None:
    group = made(home, "create.group_employees", name="Смена", members=[28, 25])
    scenario = made(
        home, "create.scenarios", name="Смена", operations=[{"do": "ring", "group": "Смена"}]
    )
    done(home, "update.group_employees", id=group, name="Ночная смена")
    [ring] = one(home, "get.scenarios", scenario, "operations")["operations"]
    assert ring["group"] == "Ночная смена"
    order(home, group, ANNAS_OTHER_SIP, PYOTR, ANNAS_SIP)
    params = {**FIRST, "first_call": "contact", "scenario_id": scenario, "contact": "79260000009"}
    home.engine.far_ends["79260000009"] = FarEnd(((0.0, Answers()),))
    session = home.succeeds("start.scenario_call", params)["call_session_id"]
    assert rung(home, session) == [ANNAS_OTHER_SIP, PYOTR, ANNAS_SIP]


def test_whoever_waits_for_a_group_with_a_queue_is_queued(home: House) -> None:
    made(home, "create.group_employees", name="Очередь", members=[28], queue_enabled=True)
    scenario = made(
        home, "create.scenarios", name="Очередь", operations=[{"do": "ring", "group": "Очередь"}]
    )
    number = "79260000010"
    home.engine.far_ends[number] = FarEnd(((0.0, Answers()), (0.4, HangsUp())))
    params = {**FIRST, "first_call": "contact", "scenario_id": scenario, "contact": number}
    session = home.succeeds("start.scenario_call", params)["call_session_id"]
    call = home.until_finished(session)
    assert "queue_entered" in {event["event"] for event in call["timeline"]}
    assert call["finish_reason"] == "subscriber_disconnects"


def test_a_colleague_is_reached_by_the_groups_number_during_a_talk(home: House) -> None:
    made(home, "create.group_employees", name="Склад", members=[28], group_phone_number="703")
    home.engine.far_ends["79261110050"] = FarEnd(((0.0, Answers()),))
    home.engine.far_ends["79261110051"] = FarEnd(((0.0, Answers()),))
    session = home.start_simple_call("79261110051", "79261110050")
    home.wait_for(session, TalkStarted)
    home.succeeds("transfer.call", {"call_session_id": session, "to": "703"})
    home.wait_for(session, LegStarted, called_number=PYOTR)
    home.until_finished(session)
