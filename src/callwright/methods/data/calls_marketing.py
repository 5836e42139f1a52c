"""Fields of reports about how a caller came by the web: nothing is known of it here."""

from typing import Annotated

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import (
    ON_REQUEST,
    UNKNOWN,
    UnknownArray,
    UnknownBoolean,
    UnknownInteger,
    UnknownText,
)

_Text = Annotated[UnknownText, ON_REQUEST]
_Integer = Annotated[UnknownInteger, ON_REQUEST]
_Array = Annotated[UnknownArray, ON_REQUEST]
_Words = Annotated[list[str], UNKNOWN, ON_REQUEST]


class WayOfCaller(TypedDict):
    """What calls and communications have alike."""

    communication_page_url: _Text
    campaign_name: _Text
    site_domain_name: _Text
    channel: _Text
    channel_new: _Text
    channel_code: _Text
    source_id: _Integer
    source_name: _Text
    source_new: _Text
    attributes: _Words
    visitor_type: _Text
    visits_count: _Integer
    visit_other_campaign: Annotated[UnknownBoolean, ON_REQUEST]
    visitor_first_campaign_id: _Integer
    visitor_first_campaign_name: _Text
    visitor_city: _Text
    visitor_region: _Text
    visitor_country: _Text
    visitor_device: _Text
    visitor_custom_properties: _Array
    segments: _Array
    search_query: _Text
    search_engine: _Text
    referrer: _Text
    referrer_domain: _Text
    entrance_page: _Text
    gclid: _Text
    yclid: _Text
    ymclid: _Text
    ef_id: _Text
    ua_client_id: _Text
    ym_client_id: _Text
    utm_source: _Text
    utm_medium: _Text
    utm_term: _Text
    utm_content: _Text
    utm_campaign: _Text
    utm_referrer: _Text
    openstat_ad: _Text
    openstat_campaign: _Text
    openstat_service: _Text
    openstat_source: _Text
    eq_utm_source: _Text
    eq_utm_medium: _Text
    eq_utm_term: _Text
    eq_utm_content: _Text
    eq_utm_campaign: _Text
    eq_utm_referrer: _Text
    eq_utm_expid: _Text


class MarketingOfCall(WayOfCaller):
    site_id: _Integer
    campaign_id: _Integer
    auto_call_campaign_name: _Text
    person_id: _Integer
    visitor_id: _Integer
    visitor_session_id: _Integer


class MarketingOfCommunication(WayOfCaller):
    """The same as of calls, in the default answer."""

    site_id: UnknownInteger
    campaign_id: UnknownInteger
    person_id: UnknownInteger
    visitor_id: UnknownInteger
    visitor_session_id: UnknownInteger
    utm_expid: _Text
