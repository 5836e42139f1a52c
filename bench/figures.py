"""Figures: what a benchmark has to tell, one row of the table each."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    reached: str
    target: str = ""
    is_met: bool = True


def milliseconds(what: str, reached: float, target: float | None = None) -> Figure:
    """``reached`` and ``target`` in seconds; the target is met below it."""
    return _figure(what, 1000 * reached, target and 1000 * target, "ms", 2)


def share(what: str, reached: float, target: float | None = None) -> Figure:
    """Shares of a core, 1 being all of it; told in per cent."""
    return _figure(what, 100 * reached, target and 100 * target, "%", 3)


def kilobytes(what: str, reached: float, target: float | None = None) -> Figure:
    """In bytes; told in thousands of them."""
    return _figure(what, reached / 1000, target and target / 1000, "kB", 0)


def none(what: str, reached: int) -> Figure:
    """A count that is to be nought."""
    return Figure(what, str(reached), "0", reached == 0)


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which ``part`` of ``values`` lie; raises ValueError if there are none."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def lateness(arrivals: Sequence[float]) -> list[float]:
    """How late each packet of a stretch came, in seconds, after the most punctual one's beat."""
    offsets = [at - 0.020 * index for index, at in enumerate(arrivals)]
    beat = min(offsets, default=0.0)
    return [offset - beat for offset in offsets]


def _figure(what: str, reached: float, target: float | None, unit: str, digits: int) -> Figure:
    if target is None:
        return Figure(what, f"{reached:.{digits}f} {unit}")
    wanted = f"< {target:g} {unit}"
    return Figure(what, f"{reached:.{digits}f} {unit}", wanted, reached < target)
