"""Parameters: what templates of webhooks may name, and where the values come from.

A parameter is a fact of the event, under the name it has in docs/events.md, or one of those here.
Names are those of the published service where the fact is the same.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from callwright.calls.plan import SOURCES
from callwright.directory.webhook import Verb
from callwright.public_events.catalogue import CATALOGUE
from callwright.public_events.notice import Notice, iso
from callwright.public_events.template import Template, read_template

if TYPE_CHECKING:
    from callwright.public_events.payloads import Payload


@dataclass(frozen=True, slots=True)
class Sending:
    """One event on its way to one webhook."""

    notice: Notice
    webhook_name: str
    delivery_id: str
    timezone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Parameter:
    meaning: str
    "For docs/webhooks.md."
    value: Callable[[Sending], JsonValue]


OWN: Mapping[str, Parameter] = {
    "delivery_id": Parameter(
        "Id of the delivery, as in the header `webhook-id`: the same however often it is sent.",
        lambda sending: sending.delivery_id,
    ),
    "event_id": Parameter(
        "Id of the event, unique among all.", lambda sending: sending.notice.event_id
    ),
    "sequence": Parameter(
        "Place among the events of the session.", lambda sending: sending.notice.sequence
    ),
    "notification_mnemonic": Parameter(
        "Type of the event: `talk.started`.", lambda sending: sending.notice.type
    ),
    "notification_name": Parameter(
        "What the webhook is called.", lambda sending: sending.webhook_name
    ),
    "notification_time": Parameter(
        "When it happened, in the account's time zone: `2019-12-16 14:40:47.234`.",
        lambda sending: (
            sending.notice.time.astimezone(sending.timezone)
            .replace(tzinfo=None)
            .isoformat(" ", timespec="milliseconds")
        ),
    ),
    "notification_timestamp": Parameter(
        "When it happened, in whole seconds since 1970.",
        lambda sending: int(sending.notice.time.timestamp()),
    ),
    "app_id": Parameter("Number of the account.", lambda sending: sending.notice.account),
    "call_session_id": Parameter("Id of the session.", lambda sending: sending.notice.session),
    "communication_id": Parameter(
        "The same: every session is a communication of its own.",
        lambda sending: sending.notice.session,
    ),
    "communication_type": Parameter("Always `call`.", lambda _: "call"),
    "external_id": Parameter(
        "What the client gave the session at its start.",
        lambda sending: sending.notice.external_id,
    ),
    "call_source": Parameter(
        "`va` for a call that came in, `sip` for an employee's own, `callapi` for a request's.",
        lambda sending: _source(sending),
    ),
    "finish_time": Parameter(
        "Of `session.finished`: when, in the form of `start_time`.",
        lambda sending: (
            iso(sending.notice.time) if sending.notice.type == "session.finished" else None
        ),
    ),
    "data": Parameter(
        "All facts of the event, as an object.", lambda sending: dict(sending.notice.data)
    ),
}


def _source(sending: Sending) -> str:
    """Where a session comes from; the reports tell requests apart, notifications do not."""
    source = SOURCES.get(str(sending.notice.data.get("method")), "callapi")
    return "callapi" if source.startswith("callapi") else source


def _facts() -> dict[str, list[type["Payload"]]]:
    """The facts of events by name, and the types that have each."""
    facts: dict[str, list[type[Payload]]] = {}
    for payload in CATALOGUE:
        for field in dataclasses.fields(payload):
            facts.setdefault(field.name, []).append(payload)
    return facts


FACTS: Mapping[str, list[type["Payload"]]] = _facts()

WITHOUT_VALUE = (
    "attributes",
    "auto_call_campaign_name",
    "call_status",
    "campaign_id",
    "campaign_name",
    "channel",
    "channel_code",
    "channel_new",
    "communication_number",
    "communication_page_url",
    "cpn_country_id",
    "cpn_country_name",
    "cpn_region_id",
    "cpn_region_name",
    "ef_id",
    "entrance_page",
    "eq_utm_campaign",
    "eq_utm_content",
    "eq_utm_expid",
    "eq_utm_medium",
    "eq_utm_referrer",
    "eq_utm_source",
    "eq_utm_term",
    "ext_id",
    "extension_phone_number",
    "full_record_file_link",
    "gclid",
    "is_internal",
    "last_answered_employee_rating",
    "lost_call_processing_duration",
    "noanswered_employee_full_names",
    "openstat_ad",
    "openstat_campaign",
    "openstat_service",
    "openstat_source",
    "operator_rating",
    "person_id",
    "postprocess_duration",
    "properties",
    "referrer",
    "referrer_domain",
    "scenario_id",
    "scenario_name",
    "scenario_operations",
    "search_engine",
    "search_query",
    "segments",
    "site_domain_name",
    "site_id",
    "source_id",
    "source_name",
    "source_new",
    "tp_project",
    "ua_client_id",
    "utm_campaign",
    "utm_content",
    "utm_medium",
    "utm_referrer",
    "utm_source",
    "utm_term",
    "visit_other_campaign",
    "visitor_city",
    "visitor_country",
    "visitor_custom_properties",
    "visitor_device",
    "visitor_first_campaign_id",
    "visitor_first_campaign_name",
    "visitor_id",
    "visitor_region",
    "visitor_session_id",
    "visitor_type",
    "visits_count",
    "yclid",
    "ym_client_id",
    "ymclid",
)
"""Parameters of the published API that nothing is known of here, what its reports know of visitors
included: always null, so that a template made for it is taken as it is."""

PARAMETERS = frozenset({*OWN, *FACTS, *WITHOUT_VALUE})
"Every name a template may hold."


def values_of(sending: Sending) -> dict[str, JsonValue]:
    """What the parameters are for an event; those it does not have are left out."""
    own = {name: parameter.value(sending) for name, parameter in OWN.items()}
    return {**sending.notice.data, **own}


def read_template_of(text: str, verb: Verb) -> Template:
    """Read a webhook's template. Raises `callwright.public_events.template.TemplateFault`."""
    return read_template(text, PARAMETERS, query=verb is Verb.GET)
