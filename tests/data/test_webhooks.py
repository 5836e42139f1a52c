"""Webhooks over the Data API: set up, told, changed, deleted, and their log."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from callwright.engines.simulated.far_end import HangsUp, answers
from tests.api.answers import refusal, without_metadata
from tests.api.house import DIRECTORY, STRANGER, TOKEN, House, house
from tests.compat.documented import decode
from tests.databases import StoredIn
from tests.notify.receiver import Receiver, receiving

EMPLOYEE, CUSTOMER = "79260000001", "79260000000"
URL = "https://crm.example.com/hook"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    far_ends = {
        EMPLOYEE: answers(after=0.02),
        CUSTOMER: answers(after=0.02, then=[(0.1, HangsUp())]),
    }
    with house(
        tmp_path_factory.mktemp("house"),
        far_ends,
        stored_in,
        api={"points_per_minute": 100_000, "points_per_day": 100_000},
        webhooks={"allow_private": True},
    ) as up:
        yield up


def done(home: House, name_: str, token: str = TOKEN, /, **params: object) -> Any:
    answer = home.data(name_, params, token)
    assert "result" in answer, answer
    return answer["result"]["data"]


def refused(home: House, name_: str, token: str = TOKEN, /, **params: object) -> Any:
    return without_metadata(home.data(name_, params, token))


def shown(home: House, webhook: int, token: str = TOKEN) -> Any:
    rows = [one for one in done(home, "get.webhooks", token) if one["id"] == webhook]
    return rows[0] if rows else None


def a_call(home: House) -> int:
    params = {
        "first_call": "employee",
        "virtual_phone_number": "74993720692",
        "contact": CUSTOMER,
        "external_id": "334otr01",
        "employee": {"id": 25, "phone_number": EMPLOYEE},
    }
    session = int(home.succeeds("start.employee_call", params)["call_session_id"])
    home.until_finished(session)
    return session


def finished(session: int) -> Any:
    return lambda one: any(
        taken.json.get("call_session_id") == session
        and taken.json.get("type") == "session.finished"
        for taken in one.taken
    )


def test_a_webhook_is_told_of_calls_from_the_moment_it_is_made(home: House) -> None:
    with receiving(Receiver(lambda _: 200)) as receiver:
        made = done(home, "create.webhooks", name="crm", url=receiver.url)
        assert set(made) == {"id", "secret"}
        session = a_call(home)
        receiver.wait_for(finished(session))
        assert done(home, "delete.webhooks", id=made["id"]) == {}
        a_call(home)
        # What the next one is told shows that the one before is told nothing more.
        third = done(home, "create.webhooks", name="crm", url=receiver.url)
        receiver.wait_for(finished(a_call(home)))
        done(home, "delete.webhooks", id=third["id"])
    ours = [one.json for one in receiver.taken if one.json["call_session_id"] == session]
    of_first = [
        one for one in receiver.taken if one.headers["webhook-id"].startswith(f"wh{made['id']}-")
    ]
    assert [one.json for one in of_first] == ours
    assert [one["type"] for one in ours][0] == "session.started"
    assert {"leg.answered", "talk.started", "talk.finished"} <= {one["type"] for one in ours}
    assert {one["external_id"] for one in ours} == {"334otr01"}
    for one in of_first:
        Verifier(made["secret"]).verify(one.body, one.headers)


def test_the_log_is_listed_in_the_names_of_the_published_service(home: House) -> None:
    with receiving(Receiver(lambda _: 200)) as receiver:
        made = done(
            home,
            "create.webhooks",
            name="logged",
            url=receiver.url,
            event_types=["session.finished"],
            template='{"id": {{call_session_id}}, "why": {{lost_reason}}}',
        )
        session = a_call(home)
        receiver.wait_for(lambda one: len(one.taken) == 1)
        asked = {"filter": {"field": "communication_id", "operator": "=", "value": session}}

        def logged() -> Any:
            return home.data("get.webhook_log", asked)["result"]

        # The log is written once the answer has come, so after the receiver has answered.
        found = next(told for _ in range(1000) if (told := logged())["data"])
        [row] = found["data"]
        day, now = timedelta(days=1), datetime.now(UTC)
        window = {"date_from": f"{now - day:%Y-%m-%d}", "date_till": f"{now + day:%Y-%m-%d}"}
        filters = [{"field": "notification_name", "operator": "=", "value": "logged"}]
        [published] = done(home, "get.notifications", filters=filters, **window)
        done(home, "delete.webhooks", id=made["id"])
    decode("get.notifications", published)
    assert published["communication_id"] == str(session)
    assert published["notification_status"] == {"value": "sent", "value_id": "sent"}
    assert published["notification_error_type"] == {}
    assert found["metadata"]["total_items"] == 1
    for name in ("id", "start_time", "send_time", "duration", "delivery_id", "event_id"):
        assert row.pop(name)
    assert row == {
        "notification_id": made["id"],
        "notification_name": "logged",
        "notification_delay": 0,
        "notification_message": f'{{"id": {session}, "why": null}}',
        "notification_send_to": receiver.url,
        "event_type": {"value": "session.finished", "value_id": "session.finished"},
        "event_mnemonic": "session.finished",
        "communication_id": session,
        "communication_type": "call",
        "notification_status": "sent",
        "notification_channel": "http_request",
        "notification_error_type": None,
        "notification_error_message": None,
        "attempt": 1,
        "http_method": "POST",
        "http_status": 200,
        "answer": "noted",
    }
    assert done(home, "get.webhook_log", STRANGER) == []
    for window, count in (
        ({"date_from": "2020-01-01 00:00:00", "date_till": "9000-01-01 00:00:00"}, 1),
        ({"date_from": "9000-01-01 00:00:00"}, 0),
        ({"date_till": "2020-01-01 00:00:00"}, 0),
    ):
        assert len(done(home, "get.webhook_log", **asked, **window)) == count


def test_a_webhook_is_changed_in_part(home: House) -> None:
    made = done(
        home,
        "create.webhooks",
        name="old",
        url=URL,
        method="GET",
        template="id={{call_session_id}}",
        event_types=["talk.started", "call.lost", "talk.started"],
        active=False,
    )["id"]
    before = {
        "id": made,
        "name": "old",
        "url": URL,
        "event_types": ["call.lost", "talk.started"],
        "method": "GET",
        "template": "id={{call_session_id}}",
        "active": False,
    }
    assert shown(home, made) == before
    assert done(home, "update.webhooks", id=made, name="new", event_types=[]) == {}
    assert shown(home, made) == {**before, "name": "new", "event_types": []}
    assert done(home, "update.webhooks", id=made, template=None, method="POST", active=True) == {}
    told = {**before, "name": "new", "event_types": [], "method": "POST", "active": True}
    assert shown(home, made) == {**told, "template": None}
    secret = done(home, "update.webhooks", id=made, rotate_secret=True)["secret"]
    assert secret.startswith("whsec_")
    assert secret not in str(done(home, "get.webhooks"))
    done(home, "delete.webhooks", id=made)


def test_what_is_refused(home: House) -> None:
    made = done(home, "create.webhooks", name="ours", url=URL)["id"]
    template = '{"where": {{visitor_planet}}, "site": {{Site_id}}}'
    reason = "there is no parameter {{visitor_planet}}, {{Site_id}}"
    unusable = refusal(
        -32602,
        reason,
        {"mnemonic": "error", "field": "template", "value": template, "params": {"reason": reason}},
    )
    assert refused(home, "create.webhooks", name="x", url=URL, template=template) == unusable
    assert refused(home, "update.webhooks", id=made, template=template) == unusable
    stock = '{"who": {{contact_full_name}}, "where": {{visitor_country}}}'
    assert done(home, "update.webhooks", id=made, template=stock) == {}, "nothing is known of these"
    deep = refused(home, "create.webhooks", name="x", url=URL, template="[" * 5000)["error"]
    assert deep["message"] == "its JSON is nested more than 32 deep"
    assert (deep["data"]["mnemonic"], deep["data"]["field"]) == ("error", "template")
    # A template for a body is none for a query.
    done(home, "update.webhooks", id=made, template="{{data}}")
    assert "pairs" in refused(home, "update.webhooks", id=made, method="GET")["error"]["message"]

    def error(name_: str, token: str = TOKEN, /, **params: object) -> tuple[str, str]:
        data = refused(home, name_, token, **params)["error"]["data"]
        return data["mnemonic"], data["field"]

    bad = "invalid_parameter_value"
    for field, value in (
        ("url", "ftp://crm.example.com/"),
        ("url", "https://user:pass@crm.example.com/"),
        ("url", "https://crm.example.com/#x"),
        ("url", "https://"),
        ("name", ""),
    ):
        params = {"name": "x", "url": URL, field: value}
        assert error("create.webhooks", **params) == (bad, field)
    types = ["talk.started", "talk"]
    assert error("create.webhooks", name="x", url=URL, event_types=types) == (bad, "event_types.1")
    assert error("create.webhooks", name="ours", url=URL) == ("duplicate_entity", "name")
    for method in ("update.webhooks", "delete.webhooks"):
        assert error(method, id=made + 1000) == ("entity_not_found", "id")
        assert error(method, STRANGER, id=made) == ("entity_not_found", "id")
    assert shown(home, made, STRANGER) is None
    done(home, "delete.webhooks", id=made)


def test_an_account_has_so_many_at_most(home: House) -> None:
    made = [done(home, "create.webhooks", name=f"n{n}", url=URL)["id"] for n in range(50)]
    answer = refused(home, "create.webhooks", name="one more", url=URL)
    assert answer["error"]["data"]["mnemonic"] == "error"
    assert "50 webhooks at most" in answer["error"]["message"]
    for webhook in made:
        done(home, "delete.webhooks", id=webhook)


def test_what_the_api_has_made_is_not_the_files(home: House) -> None:
    made = done(home, "create.webhooks", name="by api", url=URL)
    home.apply(DIRECTORY)
    assert shown(home, made["id"])
    table = f'[[webhooks]]\nname = "by api"\nurl = "{URL}"\n'
    # The very same makes it the file's, with the secret it has.
    home.apply(DIRECTORY + table)
    home.apply(DIRECTORY)
    assert shown(home, made["id"]) is None
