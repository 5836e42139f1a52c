"""Session events that only a scenario brings: operations, queues, a customer's answers."""

from dataclasses import dataclass

from callwright.calls.event import Event
from callwright.engines.port import LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStarted(Event):
    """The contact has come to an operation of its scenario."""

    operation: str
    "``play``, ``menu``, ``ring``, ``queue``, ``ask``, ``voicemail`` or ``hangup``."
    branch: str
    "Label of the list it stands in; empty for the scenario's own operations."
    number: int
    "Its place in the list, from 1."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntered(Event):
    leg: LegId
    queue: str
    position: int
    "From 1; 0: the queue is full, and the contact does not wait."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeft(Event):
    leg: LegId
    queue: str
    waited: float
    "Seconds."
    reached: bool
    "Whether somebody has taken the call."


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAnswered(Event):
    """A customer's URL has said where the call goes."""

    codes: tuple[str, ...]
    phones: int
    "How many it gave."


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFailed(Event):
    """A customer's URL has not said where the call goes; it takes the fallback branch."""

    reason: str
