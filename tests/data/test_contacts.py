"""Contacts: how they are kept, whose they are, and where their names are shown."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callwright.calls.events import LegStarted, SessionFinished, SessionStarted, TalkStarted
from callwright.engines.simulated.far_end import Answers, FarEnd, HangsUp, answers
from callwright.provisioning.file import DirectoryFaults
from callwright.public_events.event_fold import notices
from tests.api.house import DIRECTORY, STRANGER, House, house
from tests.compat.documented import decode
from tests.data.test_entities import done, duplicate, made, needed, not_found, one, refused

KNOWN, UNKNOWN = "79260000041", "79260000000"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    talks = FarEnd(((0.0, Answers()), (60.0, HangsUp())))
    far_ends = {KNOWN: talks, UNKNOWN: talks, "2501": answers(after=0.0)}
    with house(tmp_path_factory.mktemp("house"), far_ends, api=many) as up:
        yield up


def test_a_contact_as_a_whole(home: House) -> None:
    contact = made(
        home,
        "create.contacts",
        last_name="Орлов",
        first_name="Илья",
        patronymic="Петрович",
        emails=["orlov@example.com"],
        phone_numbers=["79031112233", "79031112234"],
        personal_manager_id=25,
        organization_id=5,
        groups=[{"group_id": 3, "group_name": "VIP"}],
    )
    shown = one(home, "get.contacts", contact)
    decode("get.contacts", shown)
    assert shown == {
        "id": contact,
        "first_name": "Илья",
        "last_name": "Орлов",
        "patronymic": "Петрович",
        "full_name": "Орлов Илья Петрович",
        "emails": ["orlov@example.com"],
        "phone_numbers": ["79031112233", "79031112234"],
        "personal_manager_id": 25,
        "personal_manager_full_name": "Анна Орлова",
        "organization_id": 5,
        "organization_name": "Рога и копыта",
        "groups": [{"group_id": 3, "group_name": "VIP"}],
    }
    # Who reads, changes and writes sends back what is shown.
    sent = {**shown, "patronymic": None, "emails": [], "groups": []}
    for told in ("full_name", "personal_manager_full_name", "organization_name"):
        del sent[told]
    assert done(home, "update.contacts", **sent) == {}
    shown = one(home, "get.contacts", contact)
    assert (shown["full_name"], shown["emails"], shown["groups"]) == ("Орлов Илья", [], [])
    assert shown["phone_numbers"] == ["79031112233", "79031112234"]
    done(home, "update.contacts", id=contact, personal_manager_id=None, organization_id=None)
    shown = one(home, "get.contacts", contact)
    assert (shown["personal_manager_full_name"], shown["organization_name"]) == (None, None)
    assert done(home, "delete.contacts", ids=[contact]) == {}
    assert one(home, "get.contacts", contact) is None


def test_what_is_wrong_with_a_contact_is_said(home: House) -> None:
    good: dict[str, object] = {"last_name": "Орлов", "phone_numbers": []}
    for wrong, field, value in (
        ({"personal_manager_id": 404}, "personal_manager_id", 404),
        ({"organization_id": 404}, "organization_id", 404),
        ({"groups": [3, 404]}, "groups.1", 404),
    ):
        refused(home, "create.contacts", {**good, **wrong}, **not_found(field, value))
    refused(home, "delete.contacts", {"ids": [41, 404]}, **not_found("ids.1", 404))
    assert one(home, "get.contacts", 41)
    refused(home, "delete.contacts", {"id": 41}, token=STRANGER, **not_found("id", 41))
    refused(home, "delete.employees", {"id": 28}, **needed("id", 28))

    def mnemonic(method: str, **params: object) -> tuple[str, str]:
        fault = home.data(method, params)["error"]["data"]
        return fault["mnemonic"], fault["field"]

    assert mnemonic("create.contacts", last_name="x") == (
        "required_parameter_missed",
        "phone_numbers",
    )
    assert mnemonic("delete.contacts") == ("required_parameter_missed", "id")
    assert mnemonic("delete.contacts", id=41, ids=[41]) == ("invalid_parameters_combination", "ids")
    short = {**good, "phone_numbers": ["7926000000"]}
    assert mnemonic("create.contacts", **short) == ("invalid_parameter_value", "phone_numbers.0")
    many = {**good, "phone_numbers": ["79031112233"] * 11}
    assert mnemonic("create.contacts", **many) == ("invalid_parameter_value", "phone_numbers")


def test_groups_have_members(home: House) -> None:
    group = made(home, "create.group_contacts", name="Новые", members=[41])
    shown = one(home, "get.group_contacts", group)
    decode("get.group_contacts", shown)
    assert shown["members"] == [{"contact_id": 41, "contact_full_name": "Седов Олег"}]
    refused(home, "create.group_contacts", {"name": "Новые"}, **duplicate("name", "Новые"))
    wrong = {"id": group, "members": [41, 404]}
    refused(home, "update.group_contacts", wrong, **not_found("members.1", 404))
    where = {"field": "groups", "operator": "jsquery", "value": f"#.group_id = {group}"}
    page = home.data("get.contacts", {"filter": where, "fields": ["id"]})["result"]["data"]
    assert page == [{"id": 41}]
    done(home, "update.group_contacts", id=group, name="Старые", members=[])
    assert one(home, "get.group_contacts", group)["members"] == []
    done(home, "update.group_contacts", id=group, members=shown["members"])
    done(home, "delete.group_contacts", id=group)
    assert [one["group_id"] for one in one(home, "get.contacts", 41)["groups"]] == [3]


def test_contacts_are_found_and_put_in_order(home: House) -> None:
    def ids(field: str, operator: str, value: object) -> list[int]:
        where = {"field": field, "operator": operator, "value": value}
        order = [{"field": "full_name", "order": "desc"}]
        rows = home.data("get.contacts", {"filter": where, "sort": order})["result"]["data"]
        return [row["id"] for row in rows]

    assert ids("full_name", "like", "Седов%") == [41]
    assert ids("phone_numbers", "jsquery", '# = "79260000042"') == [41]
    assert ids("personal_manager_full_name", "=", "Пётр Громов") == [41]
    assert ids("organization_name", "=", "Рога и копыта") == [41]
    assert ids("emails", "jsquery", '# = "nobody@example.com"') == []


def _call(home: House, contact: str, phone: str = "2501", **more: object) -> int:
    call = {
        "first_call": "employee",
        "employee": {"id": 25, "phone_number": phone},
        "contact": contact,
        "virtual_phone_number": "74993720692",
        **more,
    }
    session = home.succeeds("start.employee_call", call)["call_session_id"]
    assert isinstance(session, int)
    home.wait_for(session, TalkStarted)
    return session


def _rung(home: House, number: str) -> Any:
    return next(leg for leg in reversed(home.engine.rung) if leg.to.number == number)


def _reported(home: House, report: str, session: int, key: str) -> list[tuple[Any, Any]]:
    now, day = datetime.now(UTC), timedelta(days=1)
    asked = {
        "date_from": f"{now - day:%Y-%m-%d}",
        "date_till": f"{now + day:%Y-%m-%d}",
        "fields": ["contact_id", "contact_full_name"],
        "filter": {"field": key, "operator": "=", "value": session},
    }
    rows = home.data(report, asked)["result"]["data"]
    return [(row["contact_id"], row["contact_full_name"]) for row in rows]


def test_the_name_of_a_contact_is_shown_where_its_number_is(home: House) -> None:
    session = _call(home, KNOWN, show_virtual_phone_number=False)
    phone = _rung(home, "2501")
    assert (phone.caller_id, phone.caller_name) == (KNOWN, "Седов Олег")
    assert _rung(home, KNOWN).caller_name == "", "the contact is shown our number alone"
    [listed] = home.succeeds("list.calls", {})
    assert (listed["contact_id"], listed["contact_full_name"]) == (41, "Седов Олег")
    home.succeeds("release.call", {"call_session_id": session})
    shown = home.until_finished(session)
    assert shown["contact_full_name"] == "Седов Олег"
    story = [event for event in home.news.all if event.session == session]
    for told in (notice.data for notice in notices(story)):
        assert (told["contact_id"], told["contact_full_name"]) == (41, "Седов Олег")
        assert told["contact_group_ids"] == [3]
    assert _reported(home, "get.calls_report", session, "id") == [(41, "Седов Олег")]
    assert (
        _reported(home, "get.call_legs_report", session, "call_session_id")
        == [(41, "Седов Олег")] * 2
    )
    # What has been is kept as it was.
    done(home, "update.contacts", id=41, first_name="Пётр")
    assert _reported(home, "get.calls_report", session, "id") == [(41, "Седов Олег")]
    done(home, "update.contacts", id=41, first_name="Олег")


def test_no_name_is_shown_where_the_number_is_hidden_or_unknown(home: House) -> None:
    session = _call(home, KNOWN)
    assert _rung(home, "2501").caller_name == ""
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
    session = _call(home, UNKNOWN, show_virtual_phone_number=False)
    assert _rung(home, "2501").caller_name == ""
    [listed] = home.succeeds("list.calls", {})
    assert not {"contact_id", "contact_full_name"} & set(listed)
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
    assert _reported(home, "get.calls_report", session, "id") == [(None, None)]


def test_carriers_are_shown_no_names(home: House) -> None:
    call = {
        "first_call": "operator",
        "operator": UNKNOWN,
        "contact": KNOWN,
        "virtual_phone_number": "74993720692",
        "show_virtual_phone_number": False,
    }
    session = home.succeeds("start.simple_call", call)["call_session_id"]
    home.wait_for(session, TalkStarted)
    rung = _rung(home, UNKNOWN)
    assert (rung.caller_id, rung.caller_name) == (KNOWN, "")
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)


def test_who_calls_in_is_known(home: House) -> None:
    home.calls_in(caller=KNOWN, called="74993720693", trunk="carrier")
    begun = home.news.wait_for(
        lambda event: isinstance(event, LegStarted) and event.calling_number == KNOWN
    )
    home.wait_for(begun.session, SessionFinished)
    started = home.wait_for(begun.session, SessionStarted)
    assert isinstance(started, SessionStarted)
    assert started.caption.contact
    assert started.caption.contact.full_name == "Седов Олег"


def test_a_file_and_requests_do_not_undo_each_other(home: House) -> None:
    contact = made(home, "create.contacts", last_name="Ниже", phone_numbers=[], groups=[3])
    with pytest.raises(DirectoryFaults, match="contact group 3 is missing"):
        home.apply(
            DIRECTORY.replace('[[contact_groups]]\nid = 3\nname = "VIP"\n', "").replace(
                "groups = [3]", "groups = []"
            )
        )
    home.apply(DIRECTORY)
    assert one(home, "get.contacts", contact), "what the file does not name stays"
    done(home, "update.contacts", id=41, phone_numbers=[KNOWN])
    with pytest.raises(DirectoryFaults, match=r"changed by the data API \(phone_numbers\)"):
        home.apply(DIRECTORY)
    numbers = f'phone_numbers = ["{KNOWN}"]'
    home.apply(DIRECTORY.replace('phone_numbers = ["79260000041", "79260000042"]', numbers))
    home.apply(DIRECTORY)
    assert one(home, "get.contacts", 41)["phone_numbers"] == ["79260000041", "79260000042"]
    done(home, "delete.contacts", id=contact)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("personal_manager = 404", "there is no employee 404"),
        ("organization = 404", "there is no contact organization 404"),
        ("groups = [3, 404]", "there is no contact group 404"),
        ('phone_numbers = ["7926000000"]', r"phone_numbers\[0\]"),
        ("id = 41", "stands in line"),
    ],
)
def test_a_file_is_checked(home: House, wrong: str, fault: str) -> None:
    id = "" if wrong.startswith("id") else "id = 42\n"
    with pytest.raises(DirectoryFaults, match=fault):
        home.apply(f'{DIRECTORY}\n[[contacts]]\n{id}last_name = "X"\n{wrong}\n')
