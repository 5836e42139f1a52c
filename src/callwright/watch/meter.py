"""Prometheus metrics: everything that is counted and timed, on one page."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib.metadata import version

import anyio
from prometheus_client import Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from callwright.calls import events
from callwright.calls.durations import Durations
from callwright.calls.events import SessionEvent
from callwright.calls.plan import Role, SessionId
from callwright.engines.quality import Quality
from callwright.figures import Counted, Figure, Measured
from callwright.storage.history.event_log import Written

# Another sample for each of ours, that nobody asks for. The package is typed but for this function.
disable_created_metrics()  # type: ignore[no-untyped-call]

LAG_MEASURED_EVERY = 1.0
"Seconds."

_SETTING_UP = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_CUT_THROUGH = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
_REQUESTS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LAG = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_LOSS = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_JITTER = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08)
_MOS = (1.5, 2.0, 2.5, 3.0, 3.5, 3.8, 4.0, 4.2, 4.4)


class Meter:
    """Counts what it is told of; parts that have figures of their own stand in ``parts``."""

    def __init__(self) -> None:
        self.parts: list[Measured] = []
        self._registry = registry = CollectorRegistry()
        registry.register(_Parts(self.parts))
        ProcessCollector(registry=registry)
        self._calls: dict[SessionId, Durations] = {}
        "Of live sessions, so far."
        counter = partial(Counter, registry=registry)
        histogram = partial(Histogram, registry=registry)
        self._begun = counter(
            "callwright_sessions_started",
            "Sessions that were put on record.",
            ("method", "direction"),
        )
        self._finished = counter(
            "callwright_sessions_finished",
            "Sessions that are over, by their finish reason and whose fault it is.",
            ("reason", "fault"),
        )
        self._lost = counter(
            "callwright_calls_lost",
            "Calls that came in and that nobody has talked on.",
        )
        self._legs = counter(
            "callwright_legs_ended",
            "Legs that are over, by the part they had and the cause.",
            ("role", "cause"),
        )
        self._set_up = histogram(
            "callwright_set_up_seconds",
            "From the accepted request to the first phone that is told to ring.",
            buckets=_SETTING_UP,
        )
        self._cut_through = histogram(
            "callwright_cut_through_seconds",
            "From the answer of the later of two to their talk, messages between included.",
            buckets=_CUT_THROUGH,
        )
        self._loss = histogram(
            "callwright_leg_loss_ratio",
            "Share of a leg's packets that were lost, of what it was sent (out) or has sent (in).",
            ("way",),
            buckets=_LOSS,
        )
        self._jitter = histogram(
            "callwright_leg_jitter_seconds",
            "Jitter of what a leg has sent (RFC 3550).",
            buckets=_JITTER,
        )
        self._mos = histogram(
            "callwright_leg_mos",
            "Mean opinion score of a leg, as estimated for the worse direction.",
            buckets=_MOS,
        )
        self._requests = counter(
            "callwright_requests",
            "Requests of the APIs; the outcome is ok, replayed or the error's mnemonic.",
            ("method", "outcome"),
        )
        self._request_times = histogram(
            "callwright_request_seconds",
            "How long requests have taken.",
            ("method",),
            buckets=_REQUESTS,
        )
        self._lag = histogram(
            "callwright_loop_lag_seconds",
            "How late the event loop does what is due, looked at once a second.",
            buckets=_LAG,
        )

    async def counted(self) -> bytes:
        """Write the page when every part that has to count has done so."""
        for part in self.parts:
            if isinstance(part, Counted):
                await part.count()
        return self.page()

    def page(self) -> bytes:
        """Write everything down, in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)

    def hear(self, written: Sequence[Written]) -> None:
        """Count what has happened in calls; a reader of the journal."""
        for one in written:
            self._take(one.event)

    def request(self, method: str, outcome: str, seconds: float) -> None:
        """Count a request; both words are from a list, whatever the client has sent."""
        self._requests.labels(method, outcome).inc()
        self._request_times.labels(method).observe(seconds)

    async def watch_lag(self) -> None:
        """Measure once a second, until cancelled, how late the event loop does what is due."""
        while True:
            due = anyio.current_time() + LAG_MEASURED_EVERY
            await anyio.sleep_until(due)
            self._lag.observe(max(0.0, anyio.current_time() - due))

    def _take(self, event: SessionEvent) -> None:
        if isinstance(event, events.SessionStarted):
            self._begun.labels(event.caption.method, event.caption.direction.value).inc()
            self._calls[event.session] = Durations()
            return
        call = self._calls.get(event.session)
        if call is None:
            return
        match event:
            case events.LegStarted() if not call.legs and not event.offered:
                self._set_up.observe(event.offset)
            case events.TalkStarted(legs=legs) if call.talk_began is None:
                if (waited := call.cut_through(legs, event.offset)) is not None:
                    self._cut_through.observe(waited)
            case events.LegEnded(leg=leg):
                role = call.legs[leg].role if leg in call.legs else Role.CONTACT
                self._legs.labels(role.value, event.cause).inc()
                if event.quality:
                    self._measure(event.quality)
            case events.CallLost():
                self._lost.inc()
            case events.SessionFinished():
                self._finished.labels(event.finish_reason, event.fault).inc()
                del self._calls[event.session]
            case _:
                pass
        call.take(event)

    def _measure(self, quality: Quality) -> None:
        due = quality.received + quality.lost
        if due:
            self._loss.labels("in").observe(quality.lost / due)
            self._jitter.observe(quality.jitter)
        if quality.sent:
            self._loss.labels("out").observe(quality.far_lost / quality.sent)
        if quality.mos is not None:
            self._mos.observe(quality.mos)


class _Parts(Collector):
    """The figures of all parts, asked for when the page is written."""

    def __init__(self, parts: Iterable[Measured]) -> None:
        self._parts = parts

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily | InfoMetricFamily]:
        yield InfoMetricFamily(
            "callwright", "The version that runs.", value={"version": version("callwright")}
        )
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for part in self._parts:
            for figure in part.figures():
                family = families.get(figure.name) or _family(figure)
                families[figure.name] = family
                family.add_metric(list(figure.labels.values()), figure.value)
        yield from families.values()


def _family(figure: Figure) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if figure.name.endswith("_total") else GaugeMetricFamily
    return kind(figure.name, figure.help, labels=list(figure.labels))
