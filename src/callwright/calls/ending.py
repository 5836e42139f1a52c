"""Endings: the one verdict of a session, and the words a leg's end is reported in.

Source: choreography 7. The words are those the published API has for sessions and for legs;
``api_release`` is ours, and is said of both.
"""

from dataclasses import dataclass

from callwright.calls.plan import Role
from callwright.engines.port import Cause

TRANSFERRED = "transfer_disconnects"
"How the end of an operator's leg is called who has handed the contact over."

# What it is called when a party is not reached or leaves, and whose fault that is.
REASONS: dict[Role, dict[Cause, tuple[str, str]]] = {
    Role.CONTACT: {
        Cause.HUNG_UP: ("subscriber_disconnects", "nobody"),
        Cause.BUSY: ("subscriber_busy", "contact"),
        Cause.NO_ANSWER: ("subscriber_not_responsible", "contact"),
        Cause.REJECTED: ("no_success_subscriber_call", "contact"),
        Cause.WRONG_NUMBER: ("subscriber_number_problems", "contact"),
        Cause.UNREACHABLE: ("no_success_subscriber_call", "network"),
        Cause.MEDIA_LOST: ("subscriber_disconnects", "network"),
        Cause.NOT_CONFIRMED: ("no_success_subscriber_call", "contact"),
        # The published API has a word for operators only.
        Cause.CHANNELS_BUSY: ("subscriber_busy", "contact"),
        Cause.RELEASED: ("subscriber_disconnects", "nobody"),
        Cause.NO_RESOURCES: ("no_resources", "service"),
        Cause.LOOP: ("no_success_subscriber_call", "network"),
        Cause.ENGINE_LOST: ("internal_error", "service"),
    },
    Role.EMPLOYEE: {
        Cause.HUNG_UP: ("operator_disconnects", "nobody"),
        Cause.BUSY: ("operator_busy", "employee"),
        Cause.NO_ANSWER: ("operator_not_responsible", "employee"),
        Cause.REJECTED: ("no_success_operator_call", "employee"),
        Cause.WRONG_NUMBER: ("operator_number_problems", "employee"),
        Cause.UNREACHABLE: ("no_success_operator_call", "network"),
        Cause.MEDIA_LOST: ("operator_disconnects", "network"),
        Cause.NOT_CONFIRMED: ("no_operator_confirmation", "employee"),
        Cause.CHANNELS_BUSY: ("operator_channels_busy", "employee"),
        Cause.RELEASED: ("operator_disconnects", "nobody"),
        Cause.NO_RESOURCES: ("no_resources", "service"),
        Cause.LOOP: ("no_success_operator_call", "network"),
        Cause.ENGINE_LOST: ("internal_error", "service"),
    },
}
# A third party and a coach are operators, too; but a third party's leaving is a transfer's end.
REASONS[Role.THIRD] = {
    cause: (reason, "third" if fault == "employee" else fault)
    for cause, (reason, fault) in REASONS[Role.EMPLOYEE].items()
} | {Cause.HUNG_UP: (TRANSFERRED, "nobody")}
REASONS[Role.COACH] = REASONS[Role.EMPLOYEE]

# The published API has fewer words for legs than for sessions. A leg's decline is busy, since
# phones say one for the other (486, 603); who is not there, or does not confirm, does not respond,
# as in RFC 3398 section 8.2.6.1: 480 is cause 18 of Q.850, "no user responding". What the far end
# has really said stands beside the word.
LEG_WORDS: dict[tuple[Role, Cause], str] = {
    (Role.CONTACT, Cause.REJECTED): "subscriber_busy",
    (Role.CONTACT, Cause.UNREACHABLE): "subscriber_not_responsible",
    (Role.CONTACT, Cause.LOOP): "subscriber_not_responsible",
    (Role.CONTACT, Cause.NOT_CONFIRMED): "subscriber_not_responsible",
} | {
    (role, cause): word
    for role in (Role.EMPLOYEE, Role.THIRD, Role.COACH)
    for cause, word in (
        (Cause.REJECTED, "operator_busy"),
        (Cause.UNREACHABLE, "operator_not_responsible"),
        (Cause.LOOP, "operator_not_responsible"),
        (Cause.NOT_CONFIRMED, "operator_not_responsible"),
    )
}
# What a leg is said to have ended for that we hang up because its session is over.
RELEASED_WORDS = {
    "disconnect_before_call_processing": "subscriber_disconnects",
    "no_active_scenario": "scenario_not_found",
    "no_operator_confirmation": "operator_not_responsible",
    "no_success_operator_call": "operator_not_responsible",
    "no_success_subscriber_call": "subscriber_not_responsible",
    "numa_in_black_list": "in_call_not_allowed",
    "numb_is_inactive": "in_call_not_allowed",
    "success_finish": "scenario_disconnects",
}

ANOTHER_ANSWERED = "another_operator_answer"
"How the end of a leg is called that rang together with others, one of which has won."


@dataclass(frozen=True, slots=True)
class Ending:
    finish_reason: str
    ended_by: str
    fault: str = "nobody"
    detail: str = ""
    of_legs: str = ""
    "What is said of legs that are hung up for it, where more is known than its finish reason says."
    nobody_missed: bool = False
    "A call that came in and ends so is not lost: nobody wanted to talk with the caller."


RELEASED = Ending("api_release", "client")
TALKED_TOO_LONG = Ending("timeout", "service", detail="the longest talk time was reached")
TOO_MANY_CALLS = Ending(
    "no_resources", "service", "service", "the account has as many parallel calls as it may have"
)
LOOPED = Ending(
    "no_success_subscriber_call",
    "service",
    "network",
    "a call of ours has come back to us",
    nobody_missed=True,
)
INFORMED = Ending("success_finish", "service")
NOT_INFORMED = Ending(
    "internal_error", "service", "service", "the message could not be played; see the timeline"
)
HANDED_OVER = Ending(
    TRANSFERRED, "employee", detail="employee: joined with whom it talked in another call"
)
SHUT_DOWN = Ending("internal_error", "service", "service", "the service was stopped")
RESTARTED = Ending("internal_error", "service", "service", "the service was restarted")
BROKEN = Ending("internal_error", "service", "service", "a fault of the service; see its log")


def ending_when_left(role: Role, cause: Cause) -> Ending:
    """The verdict of a session that a party's leaving, or not being reached, has ended."""
    if cause is Cause.RELEASED:  # nobody but a client has us hang up a leg that is needed
        return RELEASED
    reason, fault = REASONS[role][cause]
    ended_by = "service" if fault == "service" else role.value
    of_legs = LEG_WORDS.get((role, cause), "")
    return Ending(reason, ended_by, fault, f"{role.value}: {cause.value}", of_legs)


def leg_finish_reason(role: Role, cause: Cause, ending: Ending | None) -> str:
    """How one leg's end is called: by its own cause, or, if we hung it up, by the session's."""
    if cause is Cause.RELEASED and ending:
        return released_leg(ending)
    return LEG_WORDS.get((role, cause)) or REASONS[role][cause][0]


def released_leg(ending: Ending) -> str:
    """How the end of a leg is called that we hang up, or refuse, for the session's ending."""
    return ending.of_legs or RELEASED_WORDS.get(ending.finish_reason, ending.finish_reason)
