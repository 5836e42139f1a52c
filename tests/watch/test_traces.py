import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from callwright.app import serve
from callwright.config import Settings, StartFault
from callwright.storage.history.event_log import Written
from callwright.watch.traces import Traces
from tests.api.house import house
from tests.storage.stories import at, later, started
from tests.waiting import WITHIN


def traced(*stories: Any) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    traces = Traces(SimpleSpanProcessor(exporter))
    for story in stories:
        traces.hear([Written(n, event) for n, event in enumerate(story, start=1)])
    traces.close()
    return list(exporter.get_finished_spans())


def nanoseconds(time: datetime) -> int:
    return round(time.timestamp() * 1_000_000) * 1000


def test_a_session_is_a_trace_of_its_legs_and_talks() -> None:
    spans = traced([started(1), *later(1)])
    by_name = {(span.name, (span.attributes or {}).get("callwright.leg")): span for span in spans}
    root, talk = by_name["session", None], by_name["talk", None]
    assert set(by_name) == {("session", None), ("talk", None), ("leg", 11), ("leg", 12)}
    assert {span.context.trace_id for span in spans} == {root.context.trace_id}
    assert root.parent is None
    for span in spans:
        if span is not root:
            assert span.parent
            assert span.parent.span_id == root.context.span_id
    assert (root.start_time, root.end_time) == (nanoseconds(at(0)), nanoseconds(at(20.7)))
    assert (talk.start_time, talk.end_time) == (nanoseconds(at(10.5)), nanoseconds(at(20.5)))
    leg = by_name["leg", 11]
    assert [event.name for event in leg.events] == ["rang", "answered"]
    assert leg.attributes
    assert leg.attributes["callwright.cause"] == "released"
    assert root.attributes
    assert root.attributes["callwright.finish_reason"] == "subscriber_disconnects"
    assert root.status.status_code is StatusCode.UNSET


def test_spans_have_no_numbers_and_no_names() -> None:
    for span in traced([started(1), *later(1)]):
        shown = span.to_json()
        for word in ("79260000000", "74993720692", "79260000001", "Anna", "334otr01"):
            assert word not in shown


def test_two_sessions_are_two_traces() -> None:
    mixed = [event for pair in zip(later(1), later(2), strict=True) for event in pair]
    spans = traced([started(1), started(2), *mixed])
    assert len(spans) == 8
    assert len({span.context.trace_id for span in spans}) == 2


def test_a_session_whose_beginning_was_not_heard_has_no_trace() -> None:
    assert traced(later(1)) == []


def test_nothing_of_opentelemetry_is_loaded_while_no_traces_are_wanted() -> None:
    program = (
        "import sys, callwright.app, callwright.wiring.watching, callwright.cli\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=WITHIN, check=True
    )
    assert run.stdout.strip() == "[]"


def test_a_service_whose_traces_nobody_takes_works_all_the_same(tmp_path: Path) -> None:
    nobody = {"endpoint": "http://127.0.0.1:9/v1/traces"}
    with house(tmp_path, {}, traces=nobody) as home:
        home.succeeds("list.calls", {})


def test_traces_without_the_extra_are_a_fault_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house(tmp_path, {}):
        pass
    monkeypatch.setitem(sys.modules, "callwright.watch.traces", None)
    settings = Settings.model_validate(
        {
            "data": tmp_path,
            "engine": "simulated",
            "http": {"port": 0},
            "traces": {"endpoint": "http://127.0.0.1:9"},
        }
    )
    with pytest.raises(StartFault, match=r"callwright\[otel\]"):
        serve(settings)
