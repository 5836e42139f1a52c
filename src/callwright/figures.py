"""Metrics as values: what a part of the service tells of itself to whoever watches it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, as it stands at this moment."""

    name: str
    "``callwright_journal_queue``; of what only ever grows it ends in ``_total``."
    help: str
    "The same for every figure of a name."
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    """The same names for every figure of a name, and few values: a state, a cause. Never a number,
    a name that somebody has given, or an id."""


@runtime_checkable
class Measured(Protocol):
    """A part that has figures to show. It is asked when somebody looks, on the event loop."""

    def figures(self) -> Iterable[Figure]:
        """Tell all figures, those that are nought as well. Takes no time worth speaking of."""


@runtime_checkable
class Counted(Measured, Protocol):
    """A part with figures that it has to look up, which takes a moment."""

    async def count(self) -> None:
        """Look them up; `figures` is asked for next. Raises nothing."""
