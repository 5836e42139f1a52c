"""Entities of the Data API over HTTP: what is created, changed and deleted, and what is refused."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from callwright.calls.events import LegStarted
from tests.api.answers import COMBINATION, INVALID, TYPE, refusal, without_metadata
from tests.api.house import DIRECTORY, STRANGER, TOKEN, House, house
from tests.databases import StoredIn

NAMES = {"last_name": "Седов", "first_name": "Олег"}

NOT_FOUND = (-32602, "Entity not found")
DUPLICATE = (-32602, "Duplicate entity")
DEPENDENCY = (-32602, "You have interdependent entities")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    with house(tmp_path_factory.mktemp("house"), {}, stored_in, api=many) as up:
        yield up


def done(home: House, method: str, **params: object) -> Any:
    """Call a method that succeeds; give what it says."""
    answer = without_metadata(home.data(method, params))
    assert set(answer) == {"jsonrpc", "id", "result"}, answer
    assert set(answer["result"]) == {"data"}
    return answer["result"]["data"]


def made(home: House, method: str, **params: object) -> int:
    data = done(home, method, **params)
    assert type(data["id"]) is int
    return int(data["id"])


def one(home: House, method: str, id: int, *fields: str) -> Any:
    """What a list shows of one thing."""
    asked: dict[str, object] = {"filter": {"field": "id", "operator": "=", "value": id}}
    if fields:
        asked["fields"] = list(fields)
    rows = home.data(method, asked)["result"]["data"]
    assert len(rows) <= 1
    return rows[0] if rows else None


def refused(
    home: House,
    method: str,
    params: Mapping[str, object],
    said: tuple[int, str],
    token: str = TOKEN,
    facts: dict[str, object] | None = None,
    **data: object,
) -> None:
    """Call a method that is refused, and compare the whole answer."""
    answer = home.data(method, params, token)
    assert without_metadata(answer) == refusal(*said, {**data, "params": facts or {}})


def unusable(reason: str, field: str, value: object = None) -> dict[str, Any]:
    answer = {
        "said": (-32602, reason),
        "mnemonic": "error",
        "field": field,
        "facts": {"reason": reason},
    }
    return answer if value is None else {**answer, "value": str(value)}


def not_found(field: str, value: object) -> dict[str, Any]:
    return {
        "said": NOT_FOUND,
        "mnemonic": "entity_not_found",
        "field": field,
        "value": str(value),
    }


def duplicate(field: str, value: str) -> dict[str, Any]:
    return {
        "said": DUPLICATE,
        "mnemonic": "duplicate_entity",
        "field": field,
        "value": value,
    }


def needed(field: str, value: object) -> dict[str, Any]:
    return {
        "said": DEPENDENCY,
        "mnemonic": "dependency_error",
        "field": field,
        "value": str(value),
    }


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("update.employees", {"id": 2}),
        ("delete.employees", {"id": 2}),
        ("update.tags", {"id": 404, "name": "x"}),
        ("delete.tags", {"id": 404}),
        ("delete.phone_number_from_blacklist", {"id": 404}),
        ("update.sip_lines", {"id": 1}),
        ("delete.sip_lines", {"id": 404}),
        ("update.sip_line_password", {"id": 404}),
        ("update.scenarios", {"id": 404}),
        ("delete.scenarios", {"id": 404}),
        ("update.media_files", {"id": 404}),
        ("delete.media_files", {"id": 1}),
    ],
)
def test_what_is_not_there_or_not_ours_is_not_found(
    home: House, method: str, params: dict[str, object]
) -> None:
    refused(home, method, params, **not_found("id", params["id"]))


def test_what_is_of_this_account_is_nobody_elses(home: House) -> None:
    for method in ("employees", "tags", "scenarios", "media_files"):
        id = {"employees": 25, "tags": 7, "scenarios": 2, "media_files": 2701}[method]
        refused(home, f"delete.{method}", {"id": id}, token=STRANGER, **not_found("id", id))
    assert home.data("get.tags", {}, STRANGER)["result"]["data"] == []


# Employees.


def test_an_employee_as_a_whole(home: House) -> None:
    employee = made(
        home,
        "create.employees",
        last_name="Петрова",
        first_name="Ольга",
        patronymic="Ильинична",
        email="olga@example.com",
        call_recording="in",
        coach={"coach_id": 25},
        phone_numbers=[
            {"phone_number": "79261110001", "dial_time": 20, "channels_count": 2},
            {"phone_number": "2610", "status": "inactive"},
        ],
        extension={"extension_phone_number": "610"},
    )
    assert employee > 1 << 31
    shown = one(home, "get.employees", employee)
    phones = [phone.pop("phone_id") for phone in shown["phone_numbers"]]
    assert all(type(phone) is int for phone in phones)
    both = {
        f"{way}_{where}_allowed_call_directions": ["in", "out"]
        for way in ("in", "out")
        for where in ("external", "internal")
    }
    assert shown == {
        "id": employee,
        "login": None,
        "last_name": "Петрова",
        "first_name": "Ольга",
        "patronymic": "Ильинична",
        "full_name": "Петрова Ольга Ильинична",
        "status": "available",
        "status_id": 1,
        "calls_available": True,
        "email": "olga@example.com",
        "call_recording": "in",
        "schedule_id": None,
        "schedule_name": None,
        "coach": {
            "coach_id": 25,
            "coach_full_name": "Анна Орлова",
            "coach_always_enabled": False,
        },
        "groups": [],
        "phone_numbers": [
            {
                "phone_number": "79261110001",
                "channels_count": 2,
                "dial_time": 20,
                "status": "active",
            },
            {
                "phone_number": "2610",
                "channels_count": 1,
                "dial_time": 60,
                "status": "inactive",
            },
        ],
        "extension": {
            "extension_phone_number": "610",
            "extension_voice_mail_enabled": False,
            "extension_queue_enabled": False,
        },
        "operator": {},
        "allowed_in_call_types": ["internal", "external"],
        "allowed_out_call_types": ["internal", "external"],
        **both,
    }
    # What was read may be sent back as it is.
    shown["phone_numbers"][0]["phone_id"], shown["phone_numbers"][1]["phone_id"] = phones
    assert done(home, "update.employees", **shown) == {}
    assert one(home, "get.employees", employee) == shown
    assert done(home, "delete.employees", id=employee) == {}
    assert one(home, "get.employees", employee) is None


def test_an_update_changes_what_is_sent(home: House) -> None:
    employee = made(
        home,
        "create.employees",
        last_name="Седов",
        first_name="Олег",
        coach={"coach_id": 25},
        phone_numbers=[{"phone_number": "79261110002"}, {"phone_number": "79261110003"}],
    )
    fields = ("full_name", "patronymic", "coach", "phone_numbers", "extension", "groups")
    before = one(home, "get.employees", employee, *fields)
    done(home, "update.employees", id=employee, patronymic="Ильич")
    after = one(home, "get.employees", employee, *fields)
    assert after == {**before, "full_name": "Седов Олег Ильич", "patronymic": "Ильич"}
    # What nobody can be without is not taken away by null.
    nulls = dict.fromkeys(("last_name", "call_recording", "phone_numbers", "groups", "status"))
    done(home, "update.employees", id=employee, **nulls)
    assert one(home, "get.employees", employee, *fields) == after

    done(home, "update.employees", id=employee, patronymic=None, coach=None)
    done(home, "update.employees", id=employee, groups=[{"group_id": 1}])
    done(home, "update.employees", id=employee, extension={"extension_phone_number": "611"})
    first, second = before["phone_numbers"]
    # Arrays are replaced as a whole: another order, one number less, one renamed.
    renamed = {"phone_id": first["phone_id"], "phone_number": "79261110004"}
    done(home, "update.employees", id=employee, phone_numbers=[second, renamed])
    after = one(home, "get.employees", employee, *fields)
    assert after == {
        "full_name": "Седов Олег",
        "patronymic": None,
        "coach": {},
        "groups": [{"group_id": 1, "group_name": "sales"}],
        "extension": {
            "extension_phone_number": "611",
            "extension_voice_mail_enabled": False,
            "extension_queue_enabled": False,
        },
        "phone_numbers": [second, {**first, "phone_number": "79261110004", "dial_time": 60}],
    }
    done(
        home,
        "update.employees",
        id=employee,
        groups=[],
        extension=None,
        phone_numbers=[],
        calls_available=False,
    )
    cleared = ("status", "calls_available", "groups", "extension", "phone_numbers")
    assert one(home, "get.employees", employee, *cleared) == {
        "status": "not_at_work",
        "calls_available": False,
        "groups": [],
        "extension": {},
        "phone_numbers": [],
    }


def test_what_an_employee_does_not_have_is_empty_and_may_be_sent_back(home: House) -> None:
    employee = made(home, "create.employees", last_name="Седов")
    # Clients look into objects and loop over arrays without asking whether there is anything.
    shown = one(home, "get.employees", employee, "coach", "extension", "operator", "phone_numbers")
    assert shown == {"coach": {}, "extension": {}, "operator": {}, "phone_numbers": []}
    assert done(home, "update.employees", id=employee, **shown) == {}
    numbers = home.data(
        "get.virtual_numbers", {"fields": ["campaigns", "redirection_phone_number"]}
    )
    assert {"campaigns": [], "redirection_phone_number": None} in numbers["result"]["data"]


def test_a_last_name_is_enough(home: House) -> None:
    parts = ("last_name", "first_name", "patronymic", "full_name")
    employee = made(home, "create.employees", last_name="Седов")
    assert one(home, "get.employees", employee, *parts) == {
        "last_name": "Седов",
        "first_name": None,
        "patronymic": None,
        "full_name": "Седов",
    }
    done(home, "update.employees", id=employee, patronymic="Ильич")
    done(home, "update.employees", id=employee, first_name="Олег")
    assert one(home, "get.employees", employee, *parts) == {
        "last_name": "Седов",
        "first_name": "Олег",
        "patronymic": "Ильич",
        "full_name": "Седов Олег Ильич",
    }
    done(home, "update.employees", id=employee, first_name=None)
    assert one(home, "get.employees", employee, "full_name") == {"full_name": "Седов Ильич"}


def test_groups_are_named_by_their_ids_as_well(home: House) -> None:
    employee = made(home, "create.employees", **NAMES, groups=[1])
    shown = one(home, "get.employees", employee, "groups")
    assert shown == {"groups": [{"group_id": 1, "group_name": "sales"}]}
    done(home, "update.employees", id=employee, groups=[])


def test_types_of_calls_in_the_older_words(home: House) -> None:
    types = {"allowed_in_call_types": ["internal", "external"]}
    employee = made(home, "create.employees", **NAMES, **types)
    assert one(home, "get.employees", employee, *types) == types


def test_a_name_that_is_not_known_in_parts(home: House) -> None:
    parts = ("last_name", "first_name", "patronymic", "full_name")
    employee = made(home, "create.employees", full_name="Склад")
    nothing = {"last_name": None, "first_name": None, "patronymic": None}
    assert one(home, "get.employees", employee, *parts) == {**nothing, "full_name": "Склад"}
    refused(
        home,
        "update.employees",
        {"id": employee, "first_name": "Олег"},
        (-32602, "The required parameter has been missed"),
        mnemonic="required_parameter_missed",
        field="last_name",
    )
    done(home, "update.employees", id=employee, first_name="Олег", last_name="Седов")
    assert one(home, "get.employees", employee, "full_name") == {"full_name": "Седов Олег"}
    done(home, "update.employees", id=employee, full_name="Склад")
    assert one(home, "get.employees", employee, *parts) == {**nothing, "full_name": "Склад"}


def test_a_new_employee_is_rung_at_once(home: House) -> None:
    phones = [{"phone_number": "79261110009"}]
    employee = made(home, "create.employees", **NAMES, phone_numbers=phones)
    call = {
        "first_call": "employee",
        "employee": {"id": employee},
        "contact": "79260000000",
        "virtual_phone_number": "74993720692",
        "switch_at_once": True,
    }
    session = home.succeeds("start.employee_call", call)["call_session_id"]
    rung = home.wait_for(session, LegStarted, called_number="79261110009")
    assert isinstance(rung, LegStarted)
    assert rung.employee_id == employee
    home.succeeds("release.call", {"call_session_id": session})


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        (
            {"first_name": "Олег"},
            {
                "said": (-32602, "The required parameter has been missed"),
                "mnemonic": "required_parameter_missed",
                "field": "last_name",
            },
        ),
        ({**NAMES, "coach": {"coach_id": 2}}, not_found("coach.coach_id", 2)),
        ({**NAMES, "groups": [{"group_id": 404}]}, not_found("groups.0.group_id", 404)),
        (
            {**NAMES, "phone_numbers": [{"phone_number": "79260000001"}]},
            duplicate("phone_numbers.0.phone_number", "79260000001"),
        ),
        (
            {
                **NAMES,
                "phone_numbers": [{"phone_number": "333"}, {"phone_number": "333"}],
            },
            duplicate("phone_numbers.0.phone_number", "333"),
        ),
        (
            {**NAMES, "extension": {"extension_phone_number": "2901"}},
            duplicate("extension.extension_phone_number", "2901"),
        ),
        (
            {**NAMES, "phone_numbers": [{"phone_id": 1, "phone_number": "334"}]},
            not_found("phone_numbers.0.phone_id", 1),
        ),
        (
            {**NAMES, "phone_numbers": [{"phone_number": "74955140578...2345"}]},
            {
                "said": INVALID,
                "mnemonic": "invalid_parameter_value",
                "field": "phone_numbers.0.phone_number",
                "value": "74955140578...2345",
            },
        ),
        (
            {**NAMES, "phone_numbers": [{"phone_number": "335", "dial_time": 101}]},
            {
                "said": INVALID,
                "mnemonic": "invalid_parameter_value",
                "field": "phone_numbers.0.dial_time",
                "value": "101",
            },
        ),
        (
            {**NAMES, "in_external_allowed_call_directions": ["in"]},
            {
                "said": INVALID,
                "mnemonic": "invalid_parameter_value",
                "field": "in_external_allowed_call_directions",
                "value": '["in"]',
            },
        ),
        (
            {**NAMES, "status": "available", "calls_available": False},
            {
                "said": (-32602, "The combination of parameters is not permitted"),
                "mnemonic": "invalid_parameters_combination",
                "field": "status",
                "value": "available",
            },
        ),
        (
            {"last_name": 1, "first_name": "x"},
            {"said": TYPE, "mnemonic": "data_type_error", "field": "last_name", "value": "1"},
        ),
    ],
)
def test_employees_that_cannot_be_created(
    home: House, params: dict[str, object], answer: dict[str, Any]
) -> None:
    before = home.data("get.employees", {"fields": ["id"]})["result"]["metadata"]["total_items"]
    refused(home, "create.employees", params, **answer)
    after = home.data("get.employees", {"fields": ["id"]})["result"]["metadata"]["total_items"]
    assert after == before


@pytest.mark.parametrize(
    ("employee", "why"),
    [(29, "coach of 28"), (27, "in the group sales"), (25, "rung by scenario 2")],
)
def test_an_employee_who_is_needed_stays(home: House, employee: int, why: str) -> None:
    refused(home, "delete.employees", {"id": employee}, **needed("id", employee))
    assert one(home, "get.employees", employee), why


def test_a_sip_line_does_not_go_by_being_left_out(home: House) -> None:
    employee = made(home, "create.employees", **NAMES)
    line = done(home, "create.sip_lines", employee_id=employee)
    refused(
        home,
        "update.employees",
        {"id": employee, "phone_numbers": []},
        DEPENDENCY,
        mnemonic="dependency_error",
        field="phone_numbers",
    )
    # Named by its number it is rung in another place, and keeps its password.
    phones = [{"phone_number": "3399"}, {"phone_number": line["phone_number"]}]
    done(home, "update.employees", id=employee, phone_numbers=phones)
    assert one(home, "get.sip_lines", line["id"], "employee_id") == {"employee_id": employee}


def test_nobody_coaches_themselves(home: House) -> None:
    refused(
        home,
        "update.employees",
        {"id": 26, "coach": {"coach_id": 26}},
        **unusable("nobody coaches themselves", "coach.coach_id", 26),
    )


# SIP lines.


def test_a_sip_line_as_a_whole(home: House) -> None:
    employee = made(home, "create.employees", **NAMES)
    asked = {"employee_id": employee, "dial_time": 25, "channels_count": 3}
    line = done(home, "create.sip_lines", **asked)
    assert set(line) == {"id", "phone_number", "password", "server"}
    assert line["phone_number"].startswith("0")
    assert len(line["password"]) == 20
    assert line["server"] == "127.0.0.1"
    shown = one(home, "get.sip_lines", line["id"])
    # The engine has taken the new phone; with simulated ones that is to say it has registered.
    assert shown.pop("physical_state") == "Зарегистрирован"
    assert [place["ip"] for place in shown.pop("ip_addresses")] == ["127.0.0.1"]
    assert shown == {
        "id": line["id"],
        "phone_number": line["phone_number"],
        "employee_id": employee,
        "employee_full_name": "Седов Олег",
        "type": "in_out",
        "channels_count": 3,
        "virtual_phone_number": None,
        "dial_time": 25,
        "status": "active",
        "billing_state": "active",
        "srtp": False,
    }
    done(home, "update.sip_lines", id=line["id"], employee_id=26, status="inactive", srtp=True)
    done(home, "update.sip_lines", id=line["id"], channels_count=4)
    changed = ("channels_count", "employee_id", "status", "srtp", "dial_time")
    assert one(home, "get.sip_lines", line["id"], *changed, "physical_state") == {
        "channels_count": 4,
        "employee_id": 26,
        "status": "inactive",
        "srtp": True,
        "dial_time": 25,
        "physical_state": "Не зарегистрирован",
    }
    number = {"id": line["id"], "virtual_phone_number": "74993720692"}
    assert done(home, "update.sip_lines", **number) == {}
    assert one(home, "get.sip_lines", line["id"], "virtual_phone_number") == {
        "virtual_phone_number": "74993720692"
    }
    strange = {**number, "virtual_phone_number": "74950000000"}
    missing = not_found("virtual_phone_number", "74950000000")
    refused(home, "update.sip_lines", strange, **missing)
    done(home, "update.sip_lines", id=line["id"], virtual_phone_number=None)
    # The words of the published API for the same.
    done(home, "update.sip_lines", id=line["id"], billing_state="active")
    states = ("status", "billing_state")
    shown = one(home, "get.sip_lines", line["id"], *states)
    assert shown == {"status": "active", "billing_state": "active"}
    done(home, "update.sip_lines", id=line["id"], billing_state="manual_lock")
    shown = one(home, "get.sip_lines", line["id"], *states)
    assert shown == {"status": "inactive", "billing_state": "manual_lock"}
    another = done(home, "update.sip_line_password", id=line["id"])
    assert another["password"] != line["password"]
    assert {**another, "password": line["password"]} == line
    chosen = done(home, "update.sip_line_password", id=line["id"], password="geheim-geheim")
    assert chosen["password"] == "geheim-geheim"
    assert done(home, "delete.sip_lines", id=line["id"]) == {}
    assert one(home, "get.sip_lines", line["id"]) is None


def test_a_phone_that_has_registered_is_seen(home: House) -> None:
    shown = one(home, "get.sip_lines", 4, "phone_number", "physical_state", "ip_addresses")
    assert (shown["phone_number"], shown["physical_state"]) == ("2502", "Зарегистрирован")
    assert [place["ip"] for place in shown["ip_addresses"]] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({"employee_id": 2}, not_found("employee_id", 2)),
        ({"employee_id": 25, "phone_number": "2502"}, duplicate("phone_number", "2502")),
        ({"employee_id": 25, "phone_number": "2901"}, duplicate("phone_number", "2901")),
        (
            {"employee_id": 25, "password": "короткий"},
            {"said": INVALID, "mnemonic": "invalid_parameter_value", "field": "password"},
        ),
        (
            {"employee_id": 25, "status": "active", "billing_state": "manual_lock"},
            {
                "said": COMBINATION,
                "mnemonic": "invalid_parameters_combination",
                "field": "billing_state",
                "value": "manual_lock",
            },
        ),
    ],
)
def test_sip_lines_that_cannot_be_created(
    home: House, params: dict[str, object], answer: dict[str, Any]
) -> None:
    refused(home, "create.sip_lines", params, **answer)


def test_no_sip_line_takes_the_number_that_is_a_trunks_user(tmp_path: Path) -> None:
    trunk = 'name = "carrier"\n'
    with house(tmp_path, {}) as home:
        home.apply(DIRECTORY.replace(trunk, trunk + 'user = "7701"\npassword = "geheim"\n'))
        params = {"employee_id": 25, "phone_number": "7701"}
        refused(home, "create.sip_lines", params, **duplicate("phone_number", "7701"))
        home.apply(DIRECTORY.replace(trunk, trunk + 'user = "7702"\npassword = "geheim"\n'))
        done(home, "create.sip_lines", **params)


def test_an_employee_has_ten_phones_at_most(home: House) -> None:
    phones = [{"phone_number": f"44{n}"} for n in range(10)]
    employee = made(home, "create.employees", **NAMES, phone_numbers=phones)
    refused(
        home,
        "create.sip_lines",
        {"employee_id": employee},
        **unusable("the employee has 10 phones", "employee_id", employee),
    )
    refused(
        home,
        "update.employees",
        {"id": employee, "extension": {"extension_phone_number": "4411"}},
        INVALID,
        mnemonic="invalid_parameter_value",
        field="phone_numbers",
    )


# Tags and the blacklist.


def test_a_tag_as_a_whole(home: House) -> None:
    tag = made(home, "create.tags", name="Отказ")
    assert one(home, "get.tags", tag) == {"id": tag, "name": "Отказ", "is_system": False}
    refused(home, "create.tags", {"name": "Отказ"}, **duplicate("name", "Отказ"))
    refused(home, "update.tags", {"id": tag, "name": "Лид"}, **duplicate("name", "Лид"))
    done(home, "update.tags", id=tag, name="Отказ")
    done(home, "update.tags", id=tag, name="Отложен")
    assert one(home, "get.tags", tag, "name") == {"name": "Отложен"}
    done(home, "delete.tags", id=tag)
    assert one(home, "get.tags", tag) is None


def test_a_tag_that_a_talk_option_puts_stays(home: House) -> None:
    refused(home, "delete.tags", {"id": 7}, **needed("id", 7))


def test_the_blacklist(home: House) -> None:
    number = "79263334455"
    added = done(
        home, "create.phone_number_to_blacklist", phone_number=number, add_comment="просил"
    )
    assert added == {"id": added["id"], "phone_number": number}
    shown = one(home, "get.blacklist_phone_numbers", added["id"])
    moment = shown.pop("add_date_time")
    assert len(moment) == len("2016-10-19 12:26:48")
    assert shown == {
        "id": added["id"],
        "phone_number": number,
        "add_user_name": "crm",
        "add_comment": "просил",
    }
    refused(
        home,
        "create.phone_number_to_blacklist",
        {"phone_number": number},
        **duplicate("phone_number", number),
    )
    call = {
        "employee": {"id": 25},
        "contact": number,
        "virtual_phone_number": "74993720692",
        "first_call": "contact",
        "switch_at_once": True,
    }
    error = home.call("start.employee_call", call)["error"]
    assert error["data"]["mnemonic"] == "contact_in_blacklist"
    done(home, "delete.phone_number_from_blacklist", id=added["id"])
    assert one(home, "get.blacklist_phone_numbers", added["id"]) is None


# Scenarios.

OPERATIONS = [
    {"do": "play", "message": "Здравствуйте"},
    {"do": "menu", "message": 2561, "keys": {"1": "people"}, "otherwise": "people"},
]
PEOPLE = {"people": [{"do": "ring", "employees": [25], "group": "sales"}]}


def test_a_scenario_as_a_whole(home: House) -> None:
    scenario = made(
        home,
        "create.scenarios",
        name="Ночной",
        operations=OPERATIONS,
        branches=PEOPLE,
        virtual_phone_numbers=["74993720693"],
    )
    shown = one(home, "get.scenarios", scenario)
    assert (shown["name"], shown["virtual_phone_numbers"]) == ("Ночной", ["74993720693"])
    assert [operation["do"] for operation in shown["operations"]] == ["play", "menu"]
    assert list(shown["branches"]) == ["people"]
    refused(home, "delete.scenarios", {"id": scenario}, **needed("id", scenario))

    # What was read may be sent back as it is.
    done(home, "update.scenarios", **shown)
    assert one(home, "get.scenarios", scenario) == shown
    done(home, "update.scenarios", id=scenario, operations=[{"do": "hangup"}], branches={})
    shown = one(home, "get.scenarios", scenario)
    assert (shown["operations"], shown["branches"]) == ([{"do": "hangup"}], {})
    done(home, "update.scenarios", id=scenario, virtual_phone_numbers=[])
    done(home, "delete.scenarios", id=scenario)
    assert one(home, "get.scenarios", scenario) is None


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({"name": "Straight"}, duplicate("name", "Straight")),
        (
            {"virtual_phone_numbers": ["74993720693", "74950000000"]},
            not_found("virtual_phone_numbers.1", "74950000000"),
        ),
        (
            {"operations": []},
            {
                "said": INVALID,
                "mnemonic": "invalid_parameter_value",
                "field": "operations",
                "value": "[]",
            },
        ),
        (
            {"operations": [{"do": "fly"}]},
            {
                "said": INVALID,
                "mnemonic": "invalid_parameter_value",
                "field": "operations.0",
                "value": '{"do": "fly"}',
            },
        ),
        (
            {"operations": [{"do": "play"}]},
            {
                "said": (-32602, "The required parameter has been missed"),
                "mnemonic": "required_parameter_missed",
                "field": "operations.0.message",
            },
        ),
    ],
)
def test_scenarios_that_cannot_be_created(
    home: House, params: dict[str, object], answer: dict[str, Any]
) -> None:
    good = {"name": "Дневной", "operations": [{"do": "hangup"}]}
    refused(home, "create.scenarios", {**good, **params}, **answer)


@pytest.mark.parametrize(
    ("operations", "branches", "answer"),
    [
        (
            [{"do": "ring", "employees": [25, 2]}],
            {},
            unusable("there is no employee 2 in this account", "operations.0.employees.1"),
        ),
        (
            [{"do": "ring", "group": "night"}],
            {},
            unusable(
                "there is no group 'night' in this account; there are: sales", "operations.0.group"
            ),
        ),
        (
            OPERATIONS,
            {},
            unusable(
                "there is no branch 'people' in this scenario; there are: none",
                "operations.1.keys.1",
            ),
        ),
        (
            OPERATIONS,
            {**PEOPLE, "nowhere": [{"do": "hangup"}]},
            unusable("no operation leads to this branch", "branches.nowhere"),
        ),
        (
            [{"do": "play", "message": 404}],
            {},
            unusable("there is no media file 404", "operations.0.message", 404),
        ),
        (
            [{"do": "play", "message": "—"}],
            {},
            unusable(
                "there is nothing to say in this text: no letter, no digit", "operations.0.message"
            ),
        ),
    ],
)
def test_a_scenario_is_checked_as_in_the_directory_file(
    home: House, operations: list[object], branches: dict[str, object], answer: dict[str, Any]
) -> None:
    params: dict[str, object] = {
        "name": "Дневной",
        "operations": operations,
        "branches": branches,
    }
    refused(home, "create.scenarios", params, **answer)


# The directory file beside the API.


def test_what_the_api_has_made_outlives_the_directory_file(tmp_path: Path) -> None:
    with house(tmp_path, {}) as home:
        tag = made(home, "create.tags", name="Своя")
        employee = made(home, "create.employees", **NAMES, coach={"coach_id": 25})
        home.apply(DIRECTORY)
        assert one(home, "get.tags", tag, "name") == {"name": "Своя"}
        coach = one(home, "get.employees", employee, "coach")["coach"]
        assert coach["coach_full_name"] == "Анна Орлова"
