from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from prometheus_client.parser import text_string_to_metric_families

from callwright.calls.events import LegEnded, SessionEvent
from callwright.engines.quality import Quality
from callwright.figures import Figure, Measured
from callwright.storage.history.event_log import Written
from callwright.watch.meter import Meter
from tests.storage.stories import later, started


def samples(meter: Meter) -> dict[str, float]:
    """Samples without labels by their name, others by name{values}."""
    families = text_string_to_metric_families(meter.page().decode())
    return {
        sample.name + (f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""): (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


def heard(meter: Meter, events: Iterable[SessionEvent]) -> dict[str, float]:
    meter.hear([Written(n, event) for n, event in enumerate(events, start=1)])
    return samples(meter)


def test_the_times_of_a_call() -> None:
    found = heard(Meter(), [started(1), *later(1)])
    # Rung 0.5 s after the request; the later of two answered at 9.0, they talked at 10.5.
    assert found["callwright_set_up_seconds_sum"] == 0.5
    assert found["callwright_cut_through_seconds_sum"] == 1.5
    assert found["callwright_set_up_seconds_bucket{0.25}"] == 0
    assert found["callwright_set_up_seconds_bucket{0.5}"] == 1


def test_how_legs_have_sounded() -> None:
    ended = later(1)[8]
    assert isinstance(ended, LegEnded)
    # 580 due, of which 5 missing; half of what was sent is missing at the far end.
    bad = replace(ended, quality=Quality(100, 575, 5, 50, 0.02, None, 2.1))
    found = heard(Meter(), [started(1), *later(1)[:8], bad])
    assert found["callwright_leg_loss_ratio_sum{in}"] == 5 / 580
    assert found["callwright_leg_loss_ratio_sum{out}"] == 0.5
    assert found["callwright_leg_jitter_seconds_sum"] == 0.02
    assert found["callwright_leg_mos_bucket{2.5}"] == 1
    assert found["callwright_leg_mos_bucket{2.0}"] == 0


def test_a_leg_that_nobody_heard_does_not_count_as_perfect() -> None:
    ended = later(1)[8]
    assert isinstance(ended, LegEnded)
    silent = replace(ended, quality=Quality())
    found = heard(Meter(), [started(1), *later(1)[:8], silent])
    assert found["callwright_leg_jitter_seconds_count"] == 0
    assert not [name for name in found if name.startswith("callwright_leg_loss_ratio")]


def test_a_session_whose_beginning_was_not_heard_is_passed_over() -> None:
    found = heard(Meter(), later(1))
    assert not [name for name in found if "legs_ended" in name or "finished" in name]


@dataclass
class Part:
    waiting: int

    def figures(self) -> Iterator[Figure]:
        for state in ("new", "again"):
            yield Figure("callwright_part", "What waits.", self.waiting, {"state": state})
        yield Figure("callwright_part_done_total", "What is done.", 7)


def test_parts_show_their_figures_as_they_stand() -> None:
    meter, part = Meter(), Part(3)
    assert isinstance(part, Measured)
    meter.parts += [part]
    assert samples(meter)["callwright_part{again}"] == 3
    part.waiting = 4
    found = samples(meter)
    assert found["callwright_part{new}"] == 4
    assert found["callwright_part_done_total"] == 7
    assert "# TYPE callwright_part_done_total counter" in meter.page().decode()
    assert "# TYPE callwright_part gauge" in meter.page().decode()
