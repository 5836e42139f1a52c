"""get.notifications: the log of webhooks, in the words of the published service."""

from typing import Literal

from typing_extensions import TypedDict

from callwright.methods.data.asking import Asking
from callwright.methods.data.listing import Listing, Moment
from callwright.methods.data.lists import list_declaration
from callwright.methods.method import described


class GetNotifications(Asking):
    pass


class NotificationEvent(TypedDict):
    value: str
    value_id: str


@described
class LoggedNotification(TypedDict):
    id: int
    "Of the attempt: what `callwright webhook resend` takes."
    notification_id: int
    "Of the webhook."
    notification_name: str
    "Of the webhook."
    notification_delay: int
    "Always 0: events are sent at once."
    notification_message: str
    "What was sent: the body, or the query of a GET."
    notification_send_to: str
    "The URL."
    event_type: NotificationEvent
    "Both say the type, such as `talk.started`."
    event_mnemonic: str
    "The type once more, to filter and sort by."
    communication_id: int
    "Id of the session."
    communication_type: Literal["call"]
    notification_status: Literal["sent", "failed", "given_up"]
    "`failed` is tried again, `given_up` is not."
    notification_channel: Literal["http_request"]
    notification_error_type: str | None
    "`http_status`, `timeout`, `unreachable`, `private_network`, `protocol` or `given_up`."
    notification_error_message: str | None
    start_time: Moment
    "When the event happened."
    send_time: Moment
    "When it was sent."
    delivery_id: str
    "The header `webhook-id`: the same for every attempt."
    event_id: str
    attempt: int
    "From 1; 0: sent by hand, or given up without a request."
    http_method: Literal["POST", "GET"]
    http_status: int | None
    "Null: there was no answer."
    answer: str | None
    "The beginning of what was answered."
    duration: float
    "Seconds."


NOTIFICATIONS = Listing.of(LoggedNotification)

GET_NOTIFICATIONS = list_declaration(
    "get.notifications",
    NOTIFICATIONS,
    params=GetNotifications,
    summary="List the latest attempts to tell webhooks something.",
)
