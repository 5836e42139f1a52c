"""get.webhook_log: every attempt to tell webhooks something."""

from collections.abc import Iterator
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Always, MadeOf, Moment, Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest, SentMoment, also
from callwright.methods.data.moments import moment_of
from callwright.methods.method import described
from callwright.query import Comparison, FieldKind, Filter, Operator, Query


class GetWebhookLog(ListRequest):
    date_from: SentMoment | None = None
    "`YYYY-MM-DD hh:mm:ss` in the account's time zone: what was sent then or later."
    date_till: SentMoment | None = None
    "What was sent in this second or before."

    def narrowed(self, query: Query, zone: ZoneInfo) -> Query:
        within = [*self._window(zone)]
        return also(query, *within) if within else query

    def _window(self, zone: ZoneInfo) -> Iterator[Filter]:
        for text, operator in (
            (self.date_from, Operator.AT_LEAST),
            (self.date_till, Operator.AT_MOST),
        ):
            if text is not None:
                yield Comparison("send_time", FieldKind.MOMENT, operator, moment_of(text, zone))


class NotificationEvent(TypedDict):
    value: str
    value_id: str


def _event(event_type: str) -> NotificationEvent:
    return {"value": event_type, "value_id": event_type}


@described
class LoggedNotification(TypedDict):
    id: int
    "Of the attempt: what `callwright webhook resend` takes."
    notification_id: Annotated[int, Stored("webhook_id")]
    "Of the webhook."
    notification_name: Annotated[str, Stored("webhook_name")]
    "Of the webhook."
    notification_delay: Annotated[int, Always(0)]
    "Always 0: events are sent at once."
    notification_message: Annotated[str, Stored("content")]
    "What was sent: the body, or the query of a GET."
    notification_send_to: Annotated[str, Stored("url")]
    "The URL."
    event_type: Annotated[NotificationEvent, MadeOf("event_type", _event)]
    "Both say the type, such as `talk.started`."
    event_mnemonic: Annotated[str, Stored("event_type")]
    "The type once more, to filter and sort by."
    communication_id: Annotated[int, Stored("session_id")]
    "Id of the session."
    communication_type: Annotated[Literal["call"], Always("call")]
    notification_status: Annotated[Literal["sent", "failed", "given_up"], Stored("outcome")]
    "`failed` is tried again, `given_up` is not."
    notification_channel: Annotated[Literal["http_request"], Always("http_request")]
    notification_error_type: Annotated[str | None, Stored("error_type")]
    "`http_status`, `timeout`, `unreachable`, `private_network`, `protocol` or `given_up`."
    notification_error_message: Annotated[str | None, Stored("error_message")]
    start_time: Annotated[Moment, Stored("event_time")]
    "When the event happened."
    send_time: Annotated[Moment, Stored("started_at")]
    "When it was sent."
    delivery_id: str
    "The header `webhook-id`: the same for every attempt."
    event_id: str
    attempt: int
    "From 1; 0: sent by hand, or given up without a request."
    http_method: Annotated[Literal["POST", "GET"], Stored("method")]
    http_status: Annotated[int | None, Stored("status")]
    "Null: there was no answer."
    answer: str | None
    "The beginning of what was answered."
    duration: float
    "Seconds."


GET_WEBHOOK_LOG = list_declaration(
    "get.webhook_log",
    LoggedNotification,
    table="webhook_log",
    params=GetWebhookLog,
    summary="List the latest attempts to tell webhooks something.",
)
