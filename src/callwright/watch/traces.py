"""Tracing (OpenTelemetry): each session as a tree of spans, sent over OTLP.

A session is a trace; its legs and its talks are spans below. They are made of events that are on
disk, with the times those bear, so a trace tells what has happened, not how long telling it took.
Importing this module needs ``callwright[otel]``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

from callwright.calls import events
from callwright.calls.events import SessionEvent
from callwright.engines.port import LegId
from callwright.storage.history.event_log import Written

SENT_WITHIN = 5.0
"Seconds the receiver of the traces has for one batch."
SPANS_AT_MOST = 4096
"Spans that wait to be sent; more are dropped."


Facts = Mapping[str, str | int | Sequence[int]]


@dataclass(slots=True)
class _Trace:
    root: Span
    legs: dict[LegId, Span] = field(default_factory=dict)
    talks: dict[tuple[LegId, ...], Span] = field(default_factory=dict)


class Traces:
    """Make spans of what is written; ``hear`` is a reader of the journal."""

    def __init__(self, processor: SpanProcessor) -> None:
        resource = Resource({SERVICE_NAME: "callwright", SERVICE_VERSION: version("callwright")})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("callwright")
        self._live: dict[int, _Trace] = {}
        "By session."

    def hear(self, written: Sequence[Written]) -> None:
        for one in written:
            self._take(one.event)

    def close(self) -> None:
        """Send what waits, for `SENT_WITHIN` seconds or so. Blocks."""
        self._provider.shutdown()

    def _take(self, event: SessionEvent) -> None:
        if isinstance(event, events.SessionStarted):
            caption = event.caption
            facts: Facts = {
                "callwright.session": event.session,
                "callwright.account": caption.account,
                "callwright.method": caption.method,
                "callwright.direction": caption.direction.value,
            }
            root = self._tracer.start_span(
                "session", attributes=facts, start_time=_nanoseconds(event.time)
            )
            self._live[event.session] = _Trace(root)
            return
        trace = self._live.get(event.session)
        if trace is None:
            return
        at = _nanoseconds(event.time)
        match event:
            case events.LegStarted(leg=leg, role=role):
                # No numbers: whoever looks after machines need not know who calls whom.
                of_leg: Facts = {"callwright.leg": leg, "callwright.role": role.value}
                trace.legs[leg] = self._below(trace, "leg", of_leg, at)
            case events.LegRang(leg=leg) | events.LegAnswered(leg=leg) if leg in trace.legs:
                name = "answered" if isinstance(event, events.LegAnswered) else "rang"
                trace.legs[leg].add_event(name, timestamp=at)
            case events.LegEnded(leg=leg) if leg in trace.legs:
                span = trace.legs.pop(leg)
                span.set_attribute("callwright.cause", event.cause)
                span.set_attribute("callwright.finish_reason", event.finish_reason)
                span.end(at)
            case events.TalkStarted(legs=legs):
                trace.talks[legs] = self._below(trace, "talk", {"callwright.legs": [*legs]}, at)
            case events.TalkFinished(legs=legs) if legs in trace.talks:
                trace.talks.pop(legs).end(at)
            case events.SessionFinished():
                self._finish(trace, event, at)
                del self._live[event.session]
            case _:
                pass

    def _finish(self, trace: _Trace, event: events.SessionFinished, at: int) -> None:
        for span in (*trace.legs.values(), *trace.talks.values()):
            span.end(at)
        trace.root.set_attribute("callwright.finish_reason", event.finish_reason)
        trace.root.set_attribute("callwright.ended_by", event.ended_by)
        trace.root.set_attribute("callwright.fault", event.fault)
        if event.fault == "service":
            trace.root.set_status(Status(StatusCode.ERROR, event.detail))
        trace.root.end(at)

    def _below(self, trace: _Trace, name: str, facts: Facts, at: int) -> Span:
        context = set_span_in_context(trace.root)
        return self._tracer.start_span(name, context, attributes=facts, start_time=at)


def traces_to(endpoint: str) -> Traces:
    """Send traces to a receiver of OTLP over HTTP, from a thread of their own."""
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=SENT_WITHIN)
    return Traces(BatchSpanProcessor(exporter, max_queue_size=SPANS_AT_MOST))


def _nanoseconds(time: datetime) -> int:
    return round(time.timestamp() * 1_000_000) * 1000
