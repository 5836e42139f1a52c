"""get.notifications: the log of webhooks, in the shape of the published report."""

from typing import Annotated, ClassVar

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Always, AsText, MadeOf, Moment, Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.new_report import NewReportRequest, Word, word
from callwright.methods.method import described


class GetNotifications(NewReportRequest):
    window_by: ClassVar[str] = "notification_send_date_time"


@described
class PublishedNotification(TypedDict):
    notification_id: Annotated[str, Stored("webhook_id")]
    "Of the webhook."
    notification_name: Annotated[str, Stored("webhook_name")]
    "Of the webhook."
    notification_delay: Annotated[int, Always(0)]
    "Always 0: events are sent at once."
    notification_message: Annotated[str, Stored("content")]
    "What was sent: the body, or the query of a GET."
    notification_send_to: Annotated[str, Stored("url")]
    "The URL."
    notification_sms_count: Annotated[int, Always(0)]
    event_type: Annotated[Word, MadeOf("event_type", word), AsText()]
    "Both say the type, such as `talk.started`."
    communication_id: Annotated[str, Stored("session_id")]
    communication_type: Annotated[Word, Always(word("call"))]
    notification_status: Annotated[Word, MadeOf("outcome", word), AsText()]
    "`sent`, `failed` (and tried again) or `given_up`."
    notification_channel: Annotated[Word, Always(word("http_request"))]
    notification_error_type: Annotated[Word, MadeOf("error_type", word), AsText()]
    "Empty: it was taken."
    notification_error_message: Annotated[str | None, Stored("error_message")]
    notification_send_date_time: Annotated[Moment, Stored("started_at")]
    notification_start_date_time: Annotated[Moment, Stored("event_time")]
    "When the event happened."


GET_NOTIFICATIONS = list_declaration(
    "get.notifications",
    PublishedNotification,
    table="webhook_log",
    params=GetNotifications,
    summary="List what webhooks were sent as the published report does; see get.webhook_log.",
)
