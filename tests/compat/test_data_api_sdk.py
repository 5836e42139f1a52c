"""comagic-data-api-sdk, a published client of the Data API, unmodified but for its URL.

What it sends and expects is its own; what stands here is only what comes of it.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from comagic import Comagic
from comagic.errors import ComagicException

from callwright.calls.events import TalkStarted
from callwright.engines.simulated.far_end import answers
from callwright.methods.data.registry import DATA_CATALOGUE
from callwright.methods.errors import ERRORS
from tests.api.house import DIRECTORY, TOKEN, House, house
from tests.databases import StoredIn

HERE = {one.name for one in DATA_CATALOGUE}
LOGIN, PASSWORD = "sdk", "пароль для SDK"
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    far_ends = {number: answers(after=0.01) for number in ("79260000000", "79260000001")}
    with house(tmp_path_factory.mktemp("house"), far_ends, stored_in, api=many) as up:
        user = f'[[users]]\nlogin = "{LOGIN}"\npassword_hash = "{_QUICK.hash(PASSWORD)}"\n'
        up.apply(f"{DIRECTORY}\n{user}")
        yield up


Login = Callable[..., Any]


@pytest.fixture
def log_in(home: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Login]:
    """Makes a client of the house. Its constructor writes its URL down and logs in at once."""
    made: list[Any] = []
    url = f"{home.url}/v2.0"
    monkeypatch.setattr(Comagic, "API_URL", property(lambda _: url, lambda *_: None), raising=False)

    def log_in(**credentials: str) -> Any:
        made.append(Comagic(**credentials))
        return made[-1]

    yield log_in
    for client in made:
        client._session.close()


@pytest.fixture
def client(log_in: Login) -> Any:
    return log_in(token=TOKEN)


def mnemonic(ask: Callable[[], object]) -> str:
    """Of the error that the client raises, which it shows in words of its own."""
    with pytest.raises(ComagicException) as raised:
        ask()
    error = raised.value.error_data
    said: str = error["data"]["mnemonic"]
    assert str(raised.value).startswith(f"Code: {error['code']}, message: {error['message']}, ")
    assert said in ERRORS
    return said


def found(rows: Any, id: int) -> Any:
    return next((row for row in rows if row.id == id), None)


def test_it_logs_in_by_password(log_in: Login) -> None:
    client = log_in(login=LOGIN, password=PASSWORD)
    assert len(client.access_token) > 30
    assert client.get_account().name == "House"


def test_a_wrong_password_is_an_error_of_its_own(log_in: Login) -> None:
    # It asks five times before it believes that.
    assert mnemonic(lambda: log_in(login="nobody", password="x")) == "auth_error"


def test_a_bad_token_is_an_error_of_its_own(log_in: Login) -> None:
    assert mnemonic(lambda: log_in(token="x" * 40).get_account()) == "access_token_invalid"


def test_the_account(client: Any) -> None:
    account = client.get_account()
    assert (account.app_id, account.name, account.timezone) == (1, "House", "UTC")


def test_virtual_numbers(client: Any) -> None:
    numbers = list(client.get_virtual_numbers())
    assert [number.virtual_phone_number for number in numbers] == ["74993720692", "74993720693"]
    first = numbers[0]
    assert (first.status, first.category, first.type) == ("active", "usual", "va")
    [scenario] = first.scenarios
    assert (scenario["scenario_id"], scenario["scenario_name"]) == (1, "Reception")
    assert (first.campaigns, first.site_blocks) == ([], [])


def test_pages_filters_and_orders(client: Any) -> None:
    def ids(**asked: Any) -> list[int]:
        return [employee.id for employee in client.get_employees(**asked)]

    asked = {
        "filters": [
            {"field": "id", "operator": "in", "value": [25, 26, 27]},
            {"field": "calls_available", "operator": "=", "value": True},
        ],
        "condition": "and",
    }
    newest_first = [{"field": "id", "order": "desc"}]
    assert ids(filter=asked, sort=newest_first) == [26, 25]
    assert ids(filter=asked, sort=newest_first, limit=1, offset=1) == [25]
    assert [tag.name for tag in client.get_tags(fields=["name"])] == ["Лид"]
    prohibited = [{"field": "phone_numbers"}]
    assert mnemonic(lambda: client.get_employees(sort=prohibited)) == "sort_prohibited"
    where = {"field": "extension", "operator": "=", "value": "1"}
    assert mnemonic(lambda: client.get_employees(filter=where)) == "invalid_parameter_value"
    where = {
        "field": "extension",
        "operator": "jsquery",
        "value": 'extension_phone_number = "2901"',
    }
    assert ids(filter=where) == [29]
    assert mnemonic(lambda: client.get_tags(limit=10_001)) == "invalid_parameter_value"


def test_employees(client: Any) -> None:
    phones = [{"phone_number": "79024256464", "channels_count": 2, "dial_time": 20}]
    id = client.create_employee(last_name="Сидоров", phone_numbers=phones)["id"]
    shown = found(client.get_employees(), id)
    assert (shown.last_name, shown.first_name, shown.full_name) == ("Сидоров", None, "Сидоров")
    assert (shown.status, shown.calls_available) == ("available", True)
    assert shown.allowed_in_call_types == ["internal", "external"]
    assert [phone["phone_number"] for phone in shown.phone_numbers] == ["79024256464"]
    assert shown.extension.get("extension_phone_number") is None

    changed = client.update_employee(
        id=id,
        first_name="Олег",
        email="oleg@example.com",
        call_recording="in",
        status="not_at_work",
        allowed_out_call_types=["external", "internal"],
        extension={"extension_phone_number": "640"},
    )
    assert changed == {}
    shown = found(client.get_employees(), id)
    assert (shown.full_name, shown.email) == ("Сидоров Олег", "oleg@example.com")
    assert (shown.call_recording, shown.status) == ("in", "not_at_work")
    assert shown.extension["extension_phone_number"] == "640"
    again = {"last_name": "Второй", "phone_numbers": phones}
    assert mnemonic(lambda: client.create_employee(**again)) == "duplicate_entity"
    assert mnemonic(lambda: client.update_employee(id=404, last_name="x")) == "entity_not_found"
    assert client.delete_employee(id=id) == {}
    assert found(client.get_employees(), id) is None


def test_sip_lines(client: Any) -> None:
    made = client.create_sip_line(employee_id=26, virtual_phone_number="74993720692")
    assert len(made.password) == 20
    assert made.server == "127.0.0.1"
    shown = found(client.get_sip_lines(), made.id)
    assert (shown.phone_number, shown.employee_id) == (made.phone_number, 26)
    assert (shown.employee_full_name, shown.billing_state) == ("Без телефонов", "active")
    asked = {"id": made.id, "employee_id": 26, "virtual_phone_number": "74993720692"}
    assert shown.virtual_phone_number == "74993720692"
    assert client.update_sip_line(**asked, billing_state="manual_lock", channels_count=23) == {}
    shown = found(client.get_sip_lines(), made.id)
    assert (shown.billing_state, shown.channels_count) == ("manual_lock", 23)
    renewed = client.update_sip_line_password(id=made.id)
    assert renewed["password"] != made.password
    assert client.delete_sip_line(id=made.id) == {}
    assert found(client.get_sip_lines(), made.id) is None


def test_scenarios(client: Any) -> None:
    reception = found(client.get_scenarios(), 1)
    assert (reception.name, reception.virtual_phone_numbers) == ("Reception", ["74993720692"])
    assert (reception.sites, reception.campaigns) == ([], [])


def test_media_files(client: Any, home: House) -> None:
    files = {file.id: file for file in client.get_media_files()}
    assert (files[1].name, files[1].type) == ("dialing_music", "system")
    music = files[2701]
    assert (music.name, music.type, music.normalization) == ("music", "user", True)
    assert (music.duration, len(home.client.get(music.play_link).content)) == (12, music.size)


def test_tags(client: Any) -> None:
    id = client.create_tag(name="SDK")["id"]
    assert mnemonic(lambda: client.create_tag(name="SDK")) == "duplicate_entity"
    assert client.update_tag(id=id, name="SDK 2") == {}
    tag = found(client.get_tags(), id)
    assert (tag.name, tag.is_system) == ("SDK 2", False)
    assert client.delete_tag(id=id) == {}
    assert found(client.get_tags(), id) is None
    assert mnemonic(lambda: client.delete_tag(id=id)) == "entity_not_found"


def test_contacts(client: Any) -> None:
    group = client.create_contact_group(name="SDK", members=[41])["id"]
    company = client.create_contact_organization(name="SDK")["id"]
    id = client.create_contact(
        last_name="Петров",
        phone_numbers=["79024256465"],
        emails=["petrov@example.com"],
        personal_manager_id=28,
        organization_id=company,
        groups=[group],
    )["id"]
    shown = found(client.get_contacts(), id)
    assert (shown.full_name, shown.phone_numbers) == ("Петров", ["79024256465"])
    assert (shown.organization_name, shown.personal_manager_full_name) == ("SDK", "Пётр Громов")
    assert shown.groups == [{"group_id": group, "group_name": "SDK"}]
    members = found(client.get_contact_groups(), group).members
    assert [one["contact_full_name"] for one in members] == ["Седов Олег", "Петров"]
    changed = {"id": id, "last_name": "Петров", "first_name": "Иван", "phone_numbers": []}
    assert client.update_contact(**changed) == {}
    shown = found(client.get_contacts(), id)
    assert (shown.full_name, shown.phone_numbers) == ("Петров Иван", [])
    assert client.update_contact_group(id=group, name="SDK 2", members=[41]) == {}
    assert client.update_contact_organization(id=company, name="SDK 2") == {}
    assert found(client.get_contact_organizations(), company).name == "SDK 2"
    assert mnemonic(lambda: client.delete_contact_organization(id=company)) == "dependency_error"
    assert client.delete_contact(id=id) == {}
    assert client.delete_contact_organization(id=company) == {}
    assert client.delete_contact_group(id=group) == {}
    assert mnemonic(lambda: client.delete_contact(id=id)) == "entity_not_found"


def test_numbers_are_enabled_and_disabled(client: Any) -> None:
    spare = "74993720694"
    # It cannot read what it asks for: its class of these numbers lacks the reading.
    asked = client._create_endpoint_params("get", "available_virtual_numbers")
    [available] = client._send_api_request(asked)
    assert (available["phone_number"], available["category"]) == (spare, "usual")
    assert client.enable_virtual_number(spare) == {}
    assert client._send_api_request(asked) == []
    assert spare in [one.virtual_phone_number for one in client.get_virtual_numbers()]
    assert {"virtual_phone_number": spare} in client.get_sip_line_virtual_numbers()
    assert client.disable_virtual_number(spare) == {}
    assert spare not in [one.virtual_phone_number for one in client.get_virtual_numbers()]
    strange = "74950000000"
    assert mnemonic(lambda: client.enable_virtual_number(strange)) == "entity_not_found"


def test_schedules(client: Any) -> None:
    hours = [{"activity_days": {"type": "days_of_week", "days": [6, 7]}}]
    id = client.create_schedule(name="SDK", schedules=hours)["id"]
    [period] = found(client.get_schedules(), id).schedules
    assert period["activity_days"] == hours[0]["activity_days"]
    assert client.update_schedule(id=id, name="SDK 2", schedules=hours * 2) == {}
    shown = found(client.get_schedules(), id)
    assert (shown.name, len(shown.schedules)) == ("SDK 2", 2)
    assert client.delete_schedule(id=id) == {}


def test_reports(client: Any, home: House) -> None:
    call = {
        "first_call": "employee",
        "virtual_phone_number": "74993720692",
        "contact": "79260000000",
        "employee": {"id": 25, "phone_number": "79260000001"},
    }
    session = home.succeeds("start.employee_call", call)["call_session_id"]
    home.wait_for(session, TalkStarted)
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)

    # By the clock of the account, which is UTC here; the client sends no time zone.
    now = datetime.now(UTC).replace(tzinfo=None)
    hour = {"date_from": now - timedelta(hours=1), "date_till": now + timedelta(hours=1)}
    # It asks for 84 fields, whether there are such things here or not.
    report = found(client.get_calls_report(**hour), session)
    assert (report.direction, report.finish_reason) == ("in", "api_release")
    assert report.source.startswith("callapi")
    assert isinstance(report.start_time, datetime)
    assert report.start_time <= report.finish_time
    assert report.contact_phone_number == "79260000000"
    assert (report.utm_source, report.segments, report.tags) == (None, [], [])
    assert [one["employee_full_name"] for one in report.employees] == ["Анна Орлова"]

    one = found(client.get_communication_report(**hour), session)
    assert (one.communication_type, one.sale_cost, one.utm_source) == ("call", None, None)
    assert one.date_time == report.start_time

    legs = [leg for leg in client.get_call_legs_report(**hour) if leg.call_session_id == session]
    assert [leg.is_operator for leg in legs] == [True, False]
    assert all(isinstance(leg.connect_time, datetime) and leg.is_talked for leg in legs)
    # What it is answered it cannot read: its own model takes no row of whatever kind.
    with pytest.raises(TypeError, match="must derive from BaseException"):
        next(client.get_financial_call_legs_report(**hour))
    where = {"field": "contact_phone_number", "operator": "=", "value": "79990000000"}
    assert list(client.get_calls_report(**hour, filter=where)) == []
    years = {**hour, "date_from": now - timedelta(days=400)}
    assert mnemonic(lambda: client.get_calls_report(**years)) == "date_interval_limit_reached"


def test_groups_of_employees(client: Any) -> None:
    created = client.create_employees_group(
        "Продажи", members=[25, 28], group_phone_number="710", channels_count=2
    )
    client.update_employees_group(created["id"], name="Сбыт", members=[28], channels_count=5)
    group = found(client.get_employees_groups(), created["id"])
    assert (group.name, group.channels_count, group.queue_enabled) == ("Сбыт", 5, False)
    assert [one["employee_id"] for one in group.members] == [28]
    assert [one["employee_phone_number"] for one in group.phone_number] == ["79260000028"]
    client.delete_employees_group(created["id"])
    assert found(client.get_employees_groups(), created["id"]) is None


def test_what_there_is_nothing_of_here_is_empty(client: Any) -> None:
    day = {"date_from": datetime.now() - timedelta(days=1), "date_till": datetime.now()}
    for ask in (
        client.get_sites,
        client.get_campaigns,
        lambda: client.get_chats_report(**day),
        lambda: client.get_offline_messages_report(**day),
        lambda: client.get_goals_report(**day),
        lambda: client.get_visitor_sessions_report(**day),
    ):
        assert list(ask()) == []
    # It sends the chat as `chat`, which is documented nowhere.
    assert mnemonic(lambda: client.get_chat_messages_report(1)) == "unexpected_parameters"


def test_what_this_service_has_not_is_an_unknown_method(client: Any) -> None:
    for ask in (client.get_site_blocks, client.get_customers):
        assert mnemonic(ask) == "method_not_found"


def test_every_list_that_it_asks_for_is_answered(client: Any, home: House) -> None:
    """Each of its ways to ask: what is there is read into its own models."""
    send, asked = client._send_api_request, []

    def sent(params: Any, *more: Any) -> Any:
        asked.append(params["method"])
        return send(params, *more)

    client._send_api_request = sent
    day = {"date_from": datetime.now() - timedelta(days=1), "date_till": datetime.now()}
    # It sends the chat as `chat`, and knows no way to read what legs cost, or numbers that are
    # available; those of SIP lines it leaves unread (see above).
    others = {
        "get_account",
        "get_available_virtual_numbers",
        "get_chat_messages_report",
        "get_financial_call_legs_report",
        "get_sip_line_virtual_numbers",
    }
    rows: list[Any] = []
    unknown = set()
    for name in [name for name in dir(client) if name.startswith("get_") and name not in others]:
        ask = getattr(client, name)
        try:
            rows += ask(**day) if "date_from" in ask.__code__.co_varnames else ask()
        except ComagicException as refused:
            unknown.add((asked[-1], refused.error_data["data"]["mnemonic"]))
    assert unknown == {(method, "method_not_found") for method in {*asked} - HERE}
    assert {type(row).__module__ for row in rows} == {"comagic.models"}
    assert len({*asked} & HERE) >= 15
