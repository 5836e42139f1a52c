"""The log's story of a call: one line per fact, ids first, no full numbers."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from callwright.calls import events
from callwright.calls.events import SessionEvent

log = logging.getLogger("callwright.calls")


def masked(number: str) -> str:
    """Show a phone number by its last four digits."""
    return f"…{number[-4:]}" if len(number) > 4 else number


def narrate(event: SessionEvent) -> None:
    """Write one event to the log; a listener for `callwright.calls.manager.CallManager`."""
    if not log.isEnabledFor(logging.INFO):
        return
    line = line_of(event)
    if line is None:
        return
    facts = {
        "session": event.session,
        "leg": getattr(event, "leg", None),
        "event": type(event).__name__,
        "offset": event.offset,
    }
    log.info("%d +%.2f s: %s", event.session, event.offset, line, extra=facts)


def line_of(event: SessionEvent) -> str | None:
    """What the log says of an event; None: nothing."""
    line = LINES[type(event)]
    return line.format(event) if isinstance(line, str) else line and line(event)


def _leg_started(event: events.LegStarted) -> str:
    shown = masked(event.calling_number)
    if event.offered:
        return f"leg {event.leg}: the {event.role}'s {shown} calls in"
    called = masked(event.called_number)
    return f"leg {event.leg}: the {event.role}'s {called} is rung, shown {shown}"


def _leg_ended(event: events.LegEnded) -> str:
    return f"leg {event.leg}: ended, {event.cause} ({event.raw or event.finish_reason})"


def _message_finished(event: events.MessageFinished) -> str:
    return f"leg {event.leg}: has heard {event.label}" + ("" if event.whole else ", cut short")


def _recording_ready(event: events.RecordingReady) -> str:
    but = f"; there is no more of it: {event.fault}" if event.fault else ""
    return f"recording {event.file_name} is ready, {event.duration:.1f} s{but}"


def _leg_muted(event: events.LegMuted) -> str:
    return f"leg {event.leg}: {'is muted' if event.muted else 'is heard again'}"


def _contact_saved(event: events.ContactSaved) -> str:
    return f"the contact's number {masked(event.number)} is to be kept"


def _contact_blocked(event: events.ContactBlocked) -> str:
    return f"the contact's number {masked(event.number)} is blacklisted"


def _operation_started(event: events.OperationStarted) -> str:
    branch = f" of {event.branch}" if event.branch else ""
    return f"operation {event.number}{branch}: {event.operation}"


def _queue_entered(event: events.QueueEntered) -> str:
    if not event.position:
        return f"leg {event.leg}: queue {event.queue} is full"
    return f"leg {event.leg}: is number {event.position} in queue {event.queue}"


def _queue_left(event: events.QueueLeft) -> str:
    how = "is taken from" if event.reached else "leaves"
    return f"leg {event.leg}: {how} queue {event.queue} after {event.waited:.1f} s"


def _route_answered(event: events.RouteAnswered) -> str:
    return f"the customer's URL answers {', '.join(event.codes) or f'{event.phones} phones'}"


def _session_finished(event: events.SessionFinished) -> str:
    detail = f" ({event.detail})" if event.detail else ""
    return f"finished: {event.finish_reason}, by the {event.ended_by}{detail}"


LINES: Mapping[type[SessionEvent], str | Callable[[Any], str] | None] = {
    events.SessionStarted: "started by {0.caption.method} for account {0.caption.account}",
    events.LegStarted: _leg_started,
    events.LegRang: "leg {0.leg}: rings",
    events.EarlyMediaHeard: "leg {0.leg}: sends early media",
    events.LegAnswered: "leg {0.leg}: answered",
    events.LegEnded: _leg_ended,
    events.MessageStarted: "leg {0.leg}: hears {0.label}",
    events.MessageFinished: _message_finished,
    events.MessageFailed: "leg {0.leg}: does not hear {0.label}: {0.reason}",
    events.MusicStarted: "leg {0.leg}: hears music",
    events.MusicStopped: "leg {0.leg}: music ends",
    events.KeySent: None,  # Keys may be a PIN or a card's number.
    events.KeysFailed: "leg {0.leg}: keys cannot be sent: {0.reason}",
    events.KeyReceived: None,
    events.EarlyMediaJoined: "leg {0.leg}: hears the early media of leg {0.heard}",
    events.StateEntered: "state {0.state}",
    events.TalkStarted: "legs {0.legs[0]} and {0.legs[1]} talk",
    events.TalkFinished: "legs {0.legs[0]} and {0.legs[1]} have talked for {0.duration:.1f} s",
    events.HoldStarted: "leg {0.leg}: is held",
    events.HoldFinished: "leg {0.leg}: was held for {0.duration:.1f} s",
    events.TransferFinished: "leg {0.leg}: has handed over to leg {0.to}",
    events.CoachJoined: "leg {0.leg}: coaches leg {0.coached} ({0.mode})",
    events.CoachModeChanged: "leg {0.leg}: coaches now by {0.mode}",
    events.LegMuted: _leg_muted,
    events.RecordingStarted: "recording {0.file_name} begins",
    events.RecordingReady: _recording_ready,
    events.RecordingFailed: "recording {0.file_name} failed: {0.reason}",
    events.TagSet: "tag {0.tag} set",
    events.TagRemoved: "tag {0.tag} taken off",
    events.OptionRun: "a talk option is used",
    events.OptionFailed: "a talk option fails: {0.reason}",
    events.ContactSaved: _contact_saved,
    events.ContactBlocked: _contact_blocked,
    events.OperationStarted: _operation_started,
    events.QueueEntered: _queue_entered,
    events.QueueLeft: _queue_left,
    events.RouteAnswered: _route_answered,
    events.RouteFailed: "the customer's URL gives no answer: {0.reason}",
    events.CallLost: (
        "lost: nobody has talked with the contact, who waited for {0.wait_duration:.1f} s"
    ),
    events.SessionFinished: _session_finished,
}
"What is said of each type of event, by its fields; None: nothing."
