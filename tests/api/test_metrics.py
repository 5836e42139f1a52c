"""``GET /metrics`` of a whole service, read as Prometheus reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from callwright.calls.events import TalkStarted
from callwright.engines.simulated.far_end import HangsUp, answers, busy
from tests.api.house import TOKEN, House, house
from tests.api.listener import by_lines, until
from tests.api.test_scenario_calls import session_from

CONTACT, BUSY, STAYS, OPERATOR = "79260000000", "79261110001", "79261110002", "79260000028"
LEAVES = "79261110099"

Labels = frozenset[tuple[str, str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {
        CONTACT: answers(after=0.05, then=[(0.1, HangsUp())]),
        BUSY: busy(),
        STAYS: answers(after=0.05),
        LEAVES: answers(after=0.0, then=[(0.1, HangsUp())]),
        OPERATOR: answers(after=0.05),
    }
    with house(tmp_path_factory.mktemp("house"), far_ends) as built:
        yield built


def start(home: House, contact: str) -> int:
    return home.start_simple_call(contact, OPERATOR)


def metrics(home: House, **headers: str) -> dict[str, dict[Labels, float]]:
    """Every sample by its name and labels, as Prometheus' own parser understands the page."""
    response = home.client.get(f"{home.url}/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(response.text):
        assert family.documentation, family.name
        for sample in family.samples:
            labels = frozenset(sample.labels.items())
            assert labels not in found.setdefault(sample.name, {}), sample
            found[sample.name][labels] = sample.value
    return found


def labels(**them: str) -> Labels:
    return frozenset(them.items())


NONE = labels()


def test_calls_are_counted(home: House) -> None:
    with by_lines(home.url) as read:
        before = metrics(home)
        until(read, "session.finished", start(home, CONTACT))
        until(read, "session.finished", start(home, BUSY))
    after = metrics(home)

    def more(name: str, **them: str) -> float:
        return after[name][labels(**them)] - before.get(name, {}).get(labels(**them), 0.0)

    begun = {"method": "start.simple_call", "direction": "in"}
    assert more("callwright_sessions_started_total", **begun) == 2
    for reason, fault in (("subscriber_disconnects", "nobody"), ("subscriber_busy", "contact")):
        assert more("callwright_sessions_finished_total", reason=reason, fault=fault) == 1
    assert more("callwright_legs_ended_total", role="contact", cause="hung_up") == 1
    assert more("callwright_legs_ended_total", role="contact", cause="busy") == 1
    assert more("callwright_legs_ended_total", role="employee", cause="released") == 2
    assert more("callwright_set_up_seconds_count") == 2
    assert more("callwright_cut_through_seconds_count") == 1
    outcome = {"method": "start.simple_call", "outcome": "ok"}
    assert more("callwright_requests_total", **outcome) == 2
    assert more("callwright_request_seconds_count", method="start.simple_call") == 2


def test_what_is_live_is_shown(home: House) -> None:
    session = start(home, STAYS)
    home.wait_for(session, TalkStarted)
    live = metrics(home)
    assert live["callwright_sessions"][NONE] == 1
    assert live["callwright_legs"][labels(state="talking")] == 2
    assert live["callwright_legs"][labels(state="held")] == 0
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
    assert metrics(home)["callwright_legs"][labels(state="talking")] == 0


def test_a_lost_call_is_counted(home: House) -> None:
    with by_lines(home.url) as read:
        until(read, "call.lost", session_from(home, LEAVES))
    assert metrics(home)["callwright_calls_lost_total"][NONE] >= 1


def test_errors_are_counted_by_their_mnemonic_and_never_by_what_was_sent(home: House) -> None:
    home.call("no.such.method.79261112233", {})
    home.call("start.simple_call", {"contact": "79261112233", "surprise": 1})
    home.call("list.calls", {}, token="secret-token")
    shown = metrics(home)["callwright_requests_total"]
    assert shown[labels(method="-", outcome="method_not_found")] == 1
    assert shown[labels(method="start.simple_call", outcome="unexpected_parameters")] == 1
    assert shown[labels(method="list.calls", outcome="access_token_invalid")] == 1
    page = home.client.get(f"{home.url}/metrics").text
    for word in ("79261112233", "secret-token", TOKEN, "surprise", OPERATOR, "74993720692"):
        assert word not in page


def test_the_service_itself_is_measured(home: House) -> None:
    with by_lines(home.url) as read:
        read()
        shown = metrics(home)
        assert shown["callwright_event_streams"][NONE] == 1
    assert shown["callwright_journal_queue"][NONE] >= 0
    assert shown["callwright_journal_left_out_total"][NONE] == 0
    assert shown["callwright_webhooks"][labels(state="up")] == 0
    assert shown["callwright_webhook_queue"][NONE] == 0
    assert shown["process_resident_memory_bytes"][NONE] > 0
    [(version, one)] = shown["callwright_info"].items()
    assert one == 1
    assert list(dict(version)) == ["version"]
    assert NONE in shown["callwright_loop_lag_seconds_count"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_whoever_comes_through_an_unknown_proxy_is_not_local(home: House, header: str) -> None:
    response = home.client.get(f"{home.url}/metrics", headers={header: "127.0.0.1"})
    assert response.status_code == 403
    assert "callwright" not in response.text


def test_only_named_networks_may_look(tmp_path: Path) -> None:
    http = {"port": 0, "trusted_proxies": ["127.0.0.1"]}
    metered = {"networks": ["192.0.2.0/24", "2001:db8::/32"]}
    with house(tmp_path, {}, http=http, metrics=metered) as home:
        assert home.client.get(f"{home.url}/metrics").status_code == 403
        for address, status in (
            ("192.0.2.7", 200),
            ("2001:db8::1", 200),
            ("203.0.113.1", 403),
            ("nonsense", 403),
        ):
            response = home.client.get(f"{home.url}/metrics", headers={"X-Forwarded-For": address})
            assert response.status_code == status, address


def test_metrics_can_be_off(tmp_path: Path) -> None:
    with house(tmp_path, {}, metrics={"networks": []}) as home:
        response = home.client.get(f"{home.url}/metrics")
        assert response.status_code == 404
        home.succeeds("list.calls", {})
