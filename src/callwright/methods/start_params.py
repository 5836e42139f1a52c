"""Parameters that the methods which start calls share, in the order of their table.

A method's model takes the parts it has as bases, the **last part of the table first**: pydantic
puts the fields of the last base first, and the order of fields is the order faults are told in.
"""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from callwright.calls.dtmf import DTMF_STRING
from callwright.methods.messages import MessageParams
from callwright.methods.method import Id, Params, PhoneNumber, described

UsageRule = Literal[
    "fixed", "fixed_for_numa", "random", "regional_random", "regional_fixed_for_numa"
]
DialingTimeout = Annotated[float, Field(ge=1, le=120)]
"Seconds."
DtmfString = Annotated[str, Field(pattern=f"^{DTMF_STRING.pattern}$")]
ConfirmationKey = Annotated[str, Field(pattern=r"^([0-9*#]|any)$")]
"The key by which an operator takes the call, or ``any``."


class Switching(Params):
    """When the two are joined. A method adds ``first_call`` before it, with its own words."""

    first_call: str
    "Who is rung first."
    switch_at_once: bool = False
    "Join the two as soon as both have answered, cutting messages; has no power over tts."
    early_switching: bool = False
    "Let the first party hear the contact's early media instead of the waiting music."


class WaitingMusicParams(Params):
    media_file_id: Id | None = None
    "Media file with the waiting music; without it the system file `dialing_music`."


class FromNumber(Params):
    virtual_phone_number: PhoneNumber
    "One of the account's own numbers; what the contact is shown, unless a rule finds another."
    virtual_phone_usage_rule: UsageRule = "fixed"
    "How the number shown is chosen; where no number fits it is `virtual_phone_number`."


class Showing(Params):
    show_virtual_phone_number: bool = True
    "Whether the employee or operator is shown the virtual number; else the contact's."


class ToContact(Params):
    contact: PhoneNumber
    "The contact's number, E.164 without +, or the SIP number of an employee."
    external_id: Annotated[str, Field(max_length=255)] | None = None
    "The client's own id for the call; need not be unique."
    dtmf_string: DtmfString | None = None
    "Keys sent to the contact from its answer on: `0-9 * #`; a `.` waits one second."
    direction: Literal["in", "out"] | None = None
    "How the session is marked; without it the setting `api.default_direction`."
    contact_message: MessageParams | None = None
    "Played to the contact."


class TwoPartyParams(ToContact, Showing, FromNumber, WaitingMusicParams, Switching):
    """What every method has that rings two parties and plays music to the one who waits."""


@described
class CallStarted(TypedDict):
    call_session_id: int
    "The session; its fate is told by events and by list.calls."


ERRORS_OF_ALL = (
    "tts_text_exceeded",
    "media_file_not_found",
    "virtual_phone_number_not_found",
    "own_virtual_phone_number_not_allowed",
    "contact_in_blacklist",
    "direction_not_allowed",
    "character_encoding_not_allowed",
    "invalid_idempotency_key",
    "idempotency_key_conflict",
)
"Mnemonics every method that starts a call may give."
