"""The log's story of a call: one line per fact, ids first, no full numbers."""

import logging

from callwright.calls import events
from callwright.calls.events import SessionEvent
from callwright.engines.port import LegId

log = logging.getLogger("callwright.calls")


def masked(number: str) -> str:
    """Show a phone number by its last four digits."""
    return f"…{number[-4:]}" if len(number) > 4 else number


def narrate(event: SessionEvent) -> None:
    """Write one event to the log; a listener for `callwright.calls.manager.CallManager`."""
    match event:
        case events.SessionStarted(caption=caption):
            line = f"started by {caption.method} for account {caption.account}"
        case events.LegStarted(leg=leg, role=role, offered=True):
            line = f"leg {leg}: the {role}'s {masked(event.calling_number)} calls in"
        case events.LegStarted(leg=leg, role=role):
            shown = masked(event.calling_number)
            line = f"leg {leg}: the {role}'s {masked(event.called_number)} is rung, shown {shown}"
        case events.LegRang(leg=leg):
            line = f"leg {leg}: rings"
        case events.EarlyMediaHeard(leg=leg):
            line = f"leg {leg}: sends early media"
        case events.LegAnswered(leg=leg):
            line = f"leg {leg}: answered"
        case events.LegEnded(leg=leg):
            line = f"leg {leg}: ended, {event.cause} ({event.raw or event.finish_reason})"
        case events.MessageStarted(leg=leg, label=label):
            line = f"leg {leg}: hears {label}"
        case events.MessageFinished(leg=leg, label=label, whole=whole):
            line = f"leg {leg}: has heard {label}" + ("" if whole else ", cut short")
        case events.MessageFailed(leg=leg, label=label):
            line = f"leg {leg}: does not hear {label}: {event.reason}"
        case events.MusicStarted(leg=leg):
            line = f"leg {leg}: hears music"
        case events.MusicStopped(leg=leg):
            line = f"leg {leg}: music ends"
        case events.EarlyMediaJoined(leg=leg, heard=heard):
            line = f"leg {leg}: hears the early media of leg {heard}"
        case events.TalkStarted(legs=legs):
            line = f"{_both(legs)} talk"
        case events.TalkFinished(legs=legs, duration=duration):
            line = f"{_both(legs)} have talked for {duration:.1f} s"
        case events.StateEntered(state=state):
            line = f"state {state}"
        case events.HoldStarted(leg=leg):
            line = f"leg {leg}: is held"
        case events.HoldFinished(leg=leg, duration=duration):
            line = f"leg {leg}: was held for {duration:.1f} s"
        case events.TransferFinished(leg=leg, to=to):
            line = f"leg {leg}: has handed over to leg {to}"
        case events.CoachJoined(leg=leg, coached=coached, mode=mode):
            line = f"leg {leg}: coaches leg {coached} ({mode})"
        case events.CoachModeChanged(leg=leg, mode=mode):
            line = f"leg {leg}: coaches now by {mode}"
        case events.LegMuted(leg=leg, muted=muted):
            line = f"leg {leg}: {'is muted' if muted else 'is heard again'}"
        case events.RecordingStarted(file_name=name):
            line = f"recording {name} begins"
        case events.RecordingReady(file_name=name, duration=duration):
            line = f"recording {name} is ready, {duration:.1f} s"
        case events.RecordingFailed(file_name=name):
            line = f"recording {name} failed: {event.reason}"
        case events.TagSet(tag=tag):
            line = f"tag {tag} set"
        case events.TagRemoved(tag=tag):
            line = f"tag {tag} taken off"
        case events.OptionRun():
            line = "a talk option is used"
        case events.OptionFailed(reason=reason):
            line = f"a talk option fails: {reason}"
        case events.ContactSaved(number=number):
            line = f"the contact's number {masked(number)} is to be kept"
        case events.ContactBlocked(number=number):
            line = f"the contact's number {masked(number)} is blacklisted"
        case events.OperationStarted(operation=operation, branch=branch):
            line = f"operation {event.number}{f' of {branch}' if branch else ''}: {operation}"
        case events.QueueEntered(leg=leg, queue=queue, position=position):
            line = f"leg {leg}: " + (
                f"is number {position} in queue {queue}" if position else f"queue {queue} is full"
            )
        case events.QueueLeft(leg=leg, queue=queue, waited=waited):
            how = "is taken from" if event.reached else "leaves"
            line = f"leg {leg}: {how} queue {queue} after {waited:.1f} s"
        case events.RouteAnswered(codes=codes, phones=phones):
            line = f"the customer's URL answers {', '.join(codes) or f'{phones} phones'}"
        case events.RouteFailed(reason=reason):
            line = f"the customer's URL gives no answer: {reason}"
        case events.KeySent() | events.KeyReceived():
            return  # Keys may be a PIN or a card's number.
        case events.CallLost(wait_duration=waited):
            line = f"lost: nobody has talked with the contact, who waited for {waited:.1f} s"
        case events.SessionFinished():
            line = f"finished: {event.finish_reason}, by the {event.ended_by}" + (
                f" ({event.detail})" if event.detail else ""
            )
    facts = {
        "session": event.session,
        "leg": getattr(event, "leg", None),
        "event": type(event).__name__,
        "offset": event.offset,
    }
    log.info("%d +%.2f s: %s", event.session, event.offset, line, extra=facts)


def _both(legs: tuple[LegId, LegId]) -> str:
    return f"legs {legs[0]} and {legs[1]}"
