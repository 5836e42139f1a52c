"""Sites, campaigns, chats, goals, visitors: lists that are always empty, in the published shape.

There is no web tracking here. Connectors of deployed clients ask for these lists first of all and
set themselves up by what they may ask for, so parameters are checked as of any other list.
"""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from callwright.methods import errors
from callwright.methods.data.list_method import ListDeclaration, list_declaration
from callwright.methods.data.list_request import (
    ListRequest,
    LooseBoolean,
    LooseNumber,
    NullForEmpty,
    ReportRequest,
)
from callwright.methods.data.marketing_fields import (
    ADVERTISING,
    CHANNELS,
    EQUAL_UTM,
    PLACE,
    shape_of,
)
from callwright.methods.method import Id


class GetOfflineMessagesReport(ReportRequest):
    include_tech_offline_messages: Annotated[bool, LooseBoolean] = False
    "Taken, and of no consequence."


class GetChatMessagesReport(ReportRequest):
    chat_id: Annotated[Id | None, LooseNumber] = None
    "The chat. It or `chat_ids` is required."
    chat_ids: Annotated[Annotated[tuple[Id, ...], Field(max_length=1000)] | None, NullForEmpty] = (
        None
    )
    "The same of several."

    @model_validator(mode="after")
    def _of_a_chat(self) -> Self:
        if self.chat_id is None and self.chat_ids is None:
            raise errors.RequiredParameterMissed(field="chat_id")
        return self


def _always_empty(
    name: str, row: str, declared: str, params: type[ListRequest] = ReportRequest
) -> ListDeclaration[Any]:
    about = name.removeprefix("get.").removesuffix("_report").replace("_", " ")
    return list_declaration(
        name,
        shape_of(row, declared),
        table=None,
        params=params,
        summary=f"Always an empty list: there are no {about} here.",
    )


GET_SITES = _always_empty(
    "get.sites",
    "Site",
    """
    integer filter default: id target_call_min_duration cookie_lifetime campaign_lifetime
    integer filter default: second_communication_period
    integer filter sort default: child_customer_id parent_id
    integer default: industry_id
    text filter default: domain_name name default_phone_number
    text default: app_key site_key state industry_name
    moment filter default: creation_date
    boolean filter default: track_subdomains sales_enabled services_enabled is_support_web_directory
    boolean default: is_editable replacement_dynamical_block_enabled
    object default: default_scenario widget_link show_visitor_id
    array filter default: site_blocks
    array default: connected_integrations
    text filter: scenario_name
    text: text url element_id_value message length_visitor_id site_block_name
    integer: scenario_id site_block_id
    boolean: enabled
    """,
    ListRequest,
)
GET_CAMPAIGNS = _always_empty(
    "get.campaigns",
    "Campaign",
    """
    integer filter default: id
    integer filter sort default: site_id
    number filter sort default: costs
    number default: cost_ratio
    text filter sort default: name engine type
    text filter default: status site_domain_name
    text filter default: static_utm_source static_utm_medium static_utm_campaign
    text filter default: static_utm_term static_utm_content static_utm_referrer static_utm_expid
    text default: description cost_ratio_operator
    moment filter sort default: creation_time
    boolean default: dynamic_call_tracking_enabled
    object filter default: dynamic_call_tracking
    object default: campaign_conditions
    array filter default: site_blocks
    text: site_block_name phone_number_type phone_number redirection_phone_number reservation_time
    text: campaign_parameter value operator
    integer: site_block_id phone_number_id redirection_phone_number_id
    integer: count_virtual_numbers count_visits coverage_visitors
    array: group_conditions conditions
    """,
    ListRequest,
)
GET_AUTO_CALL_CAMPAIGNS = _always_empty(
    "get.auto_call_campaigns",
    "AutoCallCampaign",
    """
    integer filter default: id
    text filter sort default: name
    text filter default: status
    moment default: add_time begin_date end_date
    array default: phone_numbers
    text filter: phone_number
    """,
    ListRequest,
)
GET_CHATS_REPORT = _always_empty(
    "get.chats_report",
    "Chat",
    f"""
    integer filter default: id communication_id visitor_phone_number
    integer filter sort default: answer_time employee_id site_id campaign_id visitor_id
    integer default: employee_raiting
    text filter sort default: status initiator duration
    text filter default: release_cause
    text default: chat_ad_url
    moment sort default: date_time
    boolean default: is_group_chat is_transfer
    array default: visitor_ids
    integer filter sort: communication_number person_id visitor_session_id source_id
    integer filter: chat_channel_id visits_count visitor_first_campaign_id
    integer: messages_count employee_messages_count
    number filter sort: sale_cost
    text filter sort: chat_channel_type visitor_type chat_user_id chat_username {CHANNELS} ext_id
    text filter: channel employee_full_name site_domain_name campaign_name visitor_profile_url
    text filter: visitor_first_campaign_name {PLACE} {ADVERTISING} {EQUAL_UTM}
    text: communication_type communication_page_url chat_channel_name ua_client_id ym_client_id
    text: ymclid visitor_device source utm_referrer
    moment filter sort: sale_date
    boolean: visit_other_campaign
    array filter: tags visitor_custom_properties segments attributes
    """,
)
GET_CHAT_MESSAGES_REPORT = _always_empty(
    "get.chat_messages_report",
    "ChatMessage",
    """
    integer filter default: id chat_id channel_id
    integer filter sort default: employee_id
    integer default: visitor_id
    text filter sort default: channel_type
    text default: text source employee_full_name
    moment sort default: date_time
    boolean default: is_group_chat
    object default: resource
    """,
    GetChatMessagesReport,
)
GET_OFFLINE_MESSAGES_REPORT = _always_empty(
    "get.offline_messages_report",
    "OfflineMessage",
    f"""
    integer filter default: id communication_id visitor_phone_number visitor_session_id
    integer filter sort default: employee_id site_id campaign_id visitor_id
    text filter sort default: status form_type
    text filter default: visitor_email visitor_name
    text default: text properties
    boolean default: is_agree_to_process_personal_data is_agree_to_mailing
    integer filter sort: communication_number group_id person_id source_id
    integer filter: visits_count visitor_first_campaign_id
    number filter sort: sale_cost
    text filter sort: visitor_type visitor_device form_name group_name employee_full_name
    text filter sort: {CHANNELS} ext_id
    text filter: channel ymclid site_domain_name campaign_name visitor_first_campaign_name
    text filter: {PLACE} {ADVERTISING} {EQUAL_UTM}
    text: communication_type communication_page_url ua_client_id ym_client_id
    text: employee_answer_message employee_comment source utm_referrer
    moment filter sort: sale_date
    moment: date_time process_time
    boolean: visit_other_campaign
    array filter: tags visitor_custom_properties segments attributes
    """,
    GetOfflineMessagesReport,
)
GET_GOALS_REPORT = _always_empty(
    "get.goals_report",
    "Goal",
    f"""
    integer filter default: communication_id
    integer filter sort default: site_id campaign_id
    text filter default: type source communication_type ext_id
    integer filter sort: communication_number visitor_id
    integer filter: id person_id visitor_session_id visits_count visitor_first_campaign_id
    number filter sort: sale_cost
    text filter sort: name site_domain_name campaign_name visitor_type visitor_device
    text filter: channel ymclid visitor_first_campaign_name {PLACE} {ADVERTISING} {EQUAL_UTM}
    text: communication_page_url ua_client_id ym_client_id utm_referrer
    moment filter sort: sale_date
    moment: date_time
    boolean: visit_other_campaign
    array filter: tags visitor_custom_properties segments attributes
    """,
)
GET_VISITOR_SESSIONS_REPORT = _always_empty(
    "get.visitor_sessions_report",
    "VisitorSession",
    f"""
    integer filter sort default: campaign_id site_id visitor_id
    integer filter default: person_id
    text filter sort default: visitor_device
    text filter default: ext_id
    integer filter sort: source_id
    integer: id duration hits_count communication_id segment_id
    text filter sort: campaign_name site_domain_name visitor_type visitor_language visitor_screen
    text filter sort: visitor_browser_name visitor_browser_version visitor_os_name
    text filter sort: {PLACE} {CHANNELS}
    text filter: cm_id utm_source utm_medium utm_term utm_content utm_campaign
    text filter: openstat_ad openstat_campaign openstat_service openstat_source
    text: ua_client_id ym_client_id gclid yclid ef_id ymclid referrer_domain referrer
    text: search_engine search_query entrance_page exit_page channel engine communication_type
    text: visitor_ip_address visitor_os_version visitor_provider
    text: hit_time hit_duration hit_url segment_name
    moment: date_time communication_date_time
    object filter: integrated_campaign_data
    array filter: visitor_custom_properties segments communications
    array: hits
    """,
)
DECLARATIONS: tuple[ListDeclaration[Any], ...] = (
    GET_SITES,
    GET_CAMPAIGNS,
    GET_AUTO_CALL_CAMPAIGNS,
    GET_CHATS_REPORT,
    GET_CHAT_MESSAGES_REPORT,
    GET_OFFLINE_MESSAGES_REPORT,
    GET_GOALS_REPORT,
    GET_VISITOR_SESSIONS_REPORT,
)
