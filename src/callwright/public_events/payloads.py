"""Event payloads: the types of public events, each with the facts it carries.

A type's docstring and the strings under its fields are docs/events.md. Types and fields are part
of the API: they are added, and never renamed or taken away. Durations are whole seconds, halves
rounded up, numbers E.164 digits without ``+`` or SIP numbers; a name that the published API's
notifications have is theirs, and so is the type.
"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What every event tells of its call."""

    type: ClassVar[str]
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)
    direction: str
    "`in` or `out`, as the session is marked."
    method: str
    """What has begun the session: a method's name, `inbound` for a call that came in, `phone` for
    one that an employee has made from its phone."""
    start_time: str
    "When the session began: ISO 8601, UTC."
    virtual_phone_number: str
    "The account's number that the contact sees, or has called."
    contact_phone_number: str
    "Empty if the contact withholds its number."
    employee_id: int | None
    """The employee the event is about: whose leg it is, else who talks with the contact or has
    talked with it last, else whom the call was asked for. Null for a bare number."""
    employee_full_name: str | None
    employee_phone_number: str | None
    "The phone of that employee or operator; null before one has been rung."


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPayload(Payload):
    leg_id: int
    role: str
    "`contact`, `employee` (or operator), `third` (whom the employee consults) or `coach`."
    calling_phone_number: str
    called_phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStartedPayload(Payload):
    """A session has been put on record; nothing has rung yet."""

    type = "session.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEnteredPayload(Payload):
    """The session has another public state; see [states.md](states.md)."""

    type = "state.entered"
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkStartedPayload(Payload):
    """Two legs hear each other: the contact's and an operator's, or two operators'."""

    type = "talk.started"
    leg_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkFinishedPayload(Payload):
    """Two legs do not hear each other any more: one was held, handed over or has left."""

    type = "talk.finished"
    leg_ids: tuple[int, ...]
    talk_time_duration: int
    "How long this stretch has lasted."


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionUsedPayload(Payload):
    """An employee has used a talk option by its keys."""

    type = "option.used"
    button: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionFailedPayload(Payload):
    """A talk option could not be carried out."""

    type = "option.failed"
    button: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSavedPayload(Payload):
    """The employee asks for the contact's number to be kept."""

    type = "contact.saved"
    phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactBlockedPayload(Payload):
    """The contact's number has come onto the account's blacklist."""

    type = "contact.blocked"
    phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSetPayload(Payload):
    """The session was given a tag."""

    type = "tag.set"
    tag_id: int
    tag_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRemovedPayload(Payload):
    """A tag was taken off the session again."""

    type = "tag.removed"
    tag_id: int
    tag_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStartedPayload(Payload):
    """A talk, or a voicemail, is being recorded."""

    type = "recording.started"
    recording_id: int
    record_id: str
    "As in `call_records` of the reports. It is a secret: whoever has it may fetch the file."
    leg_ids: tuple[int, ...]
    "Left channel, right channel; a single one for a voicemail."
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingReadyPayload(Payload):
    """The file of a recording is complete, or as complete as it will ever be."""

    type = "recording.ready"
    recording_id: int
    record_id: str
    "As in `call_records` of the reports. It is a secret: whoever has it may fetch the file."
    leg_ids: tuple[int, ...]
    file_name: str
    file_duration: int
    file_fault: str | None
    "Why the file has not all of what was said, as where the disk is full; null: it has."
    tag_ids: tuple[int, ...]
    "Tags the session has by now."
    tag_names: tuple[str, ...]
    file_link: str | None = None
    """Where its WAV is fetched, without a token, for a while (`http.links_last`); `&format=mp3` or
    `&format=opus` may be added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFailedPayload(Payload):
    """Nothing could be written of a recording."""

    type = "recording.failed"
    recording_id: int
    record_id: str
    "As in `call_records` of the reports. It is a secret: whoever has it may fetch the file."
    leg_ids: tuple[int, ...]
    file_name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStartedPayload(Payload):
    """The contact has come to an operation of its scenario."""

    type = "operation.started"
    operation: str
    "`play`, `menu`, `ring`, `queue`, `ask`, `voicemail` or `hangup`."
    branch: str
    "Label of the list it stands in; empty for the scenario's own operations."
    number: int
    "Its place in the list, from 1."


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAnsweredPayload(Payload):
    """A customer's URL has said where the call goes."""

    type = "route.answered"
    codes: tuple[str, ...]
    phones: int
    "How many it gave."


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFailedPayload(Payload):
    """A customer's URL has not said where the call goes; it takes the fallback branch."""

    type = "route.failed"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLostPayload(Payload):
    """A call that had come in is over, and nobody has talked with the contact.

    `session.finished` follows. A caller on the blacklist and a call to a number without a scenario
    are refused, and not lost.
    """

    type = "call.lost"
    lost_reason: str
    "The session's finish reason."
    wait_time_duration: int
    employee_ids: tuple[int, ...]
    "Employees that were rung."


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFinishedPayload(Payload):
    """The session is over: its one verdict. Its last event, once."""

    type = "session.finished"
    finish_reason: str
    "The one verdict; see [endings](choreography.md#7-endings)."
    ended_by: str
    "`contact`, `employee`, `third`, `client` or `service`."
    fault: str
    "Whose fault it is: `nobody`, `contact`, `employee`, `third`, `network` or `service`."
    detail: str
    "For people; may be empty."
    wait_time_duration: int
    "Until the first talk began, or until the end if there was none."
    talk_time_duration: int
    total_time_duration: int
    is_lost: bool
    "It was told as `call.lost`."
    is_transfer: bool
    "The contact was handed over."
    last_talked_employee_id: int | None
    employee_ids: tuple[int, ...]
    "Employees that were rung."
    tag_ids: tuple[int, ...]
    tag_names: tuple[str, ...]
