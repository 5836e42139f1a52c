"""get.notifications: the log of webhooks, in the words of the published service."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Listing, Moment
from callwright.methods.data.list_methods import Rows, answer_list, check_rows, list_declaration
from callwright.methods.data.list_query import Asking, moment_of, query_of
from callwright.methods.data.reports import Moment as SentMoment
from callwright.methods.method import Answer, Caller, Method, described
from callwright.query import Comparison, Every, FieldKind, Filter, Operator


class GetNotifications(Asking):
    date_from: SentMoment | None = None
    "`YYYY-MM-DD hh:mm:ss` in the account's time zone: what was sent then or later."
    date_till: SentMoment | None = None
    "What was sent in this second or before."


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


def notifications(rows: Rows) -> Method[GetNotifications]:
    check_rows(NOTIFICATIONS, rows)

    async def serve(caller: Caller, params: GetNotifications) -> Answer:
        zone = caller.account.timezone
        query = query_of(params, NOTIFICATIONS, zone)
        if within := [*_window(params, zone)]:
            own = () if query.filter is None else (query.filter,)
            query = replace(query, filter=Every((*within, *own)))
        return await answer_list(caller.account, query, NOTIFICATIONS, rows)

    return GET_NOTIFICATIONS.served_by(serve)


def _window(params: GetNotifications, zone: ZoneInfo) -> Iterator[Filter]:
    for text, operator in (
        (params.date_from, Operator.AT_LEAST),
        (params.date_till, Operator.AT_MOST),
    ):
        if text is not None:
            yield Comparison("send_time", FieldKind.MOMENT, operator, moment_of(text, zone))
