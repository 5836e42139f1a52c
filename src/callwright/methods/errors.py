"""Errors a client can get: one class for each mnemonic.

Codes, mnemonics and messages are wire constants, misspellings included: clients compare them. Only
`ApiError` reaches clients; whatever else is raised is our fault and becomes `InternalError`.
docs/errors.md is made from this file: the docstring says when an error is raised.
"""

from collections.abc import Mapping

from callwright.methods.api_error import KNOWN, ApiError

# Errors common to all methods, before a method is known.


class ParseError(ApiError, code=-32700):
    """The body is not JSON in UTF-8, or nested too deeply."""

    message = "Invalid JSON was received by the server."


class InvalidRequest(ApiError, code=-32600):
    """The JSON is not a JSON-RPC 2.0 request with an id and named params."""

    message = "Invalid Request The JSON sent is not a valid Request object"


class BatchOperationsNotSupported(ApiError, code=-32099, mnemonic="batch_opreations_not_supported"):
    """Several requests were sent in an array; send them one by one."""

    message = "Batch operations not supported"


class NotificationsNotSupported(ApiError, code=-32099):
    """The request has no id."""

    message = "Notifications not supported"


class MethodNotFound(ApiError, code=-32601):
    """There is no method of this name."""

    message = "The method does not exist / is not available"


# Who the caller is and what the account may do.


class IpNotWhitelisted(ApiError, code=-32003):
    """The user's networks do not hold the client's address, which is the one in the message."""

    message = "Your IP {ip} is not whitelisted"


class AccessTokenInvalid(ApiError, code=-32001):
    """The token is unknown, a session token that has expired, or two different tokens were sent."""

    message = "Access token is invalid"


class AccessTokenExpired(ApiError, code=-32001):
    """The permanent token has passed its expiry."""

    message = "Access token has been expired"


class AccessTokenBlocked(ApiError, code=-32001):
    """The permanent token has been blocked."""

    message = "Access token has been blocked"


class AuthError(ApiError, code=-32001):
    """No user has this login and password, or too many attempts came before."""

    message = "Login or password is wrong"


class AccountInactive(ApiError, code=-32009):
    """The whole account is switched off."""

    message = "Your account has been disabled, contact the support service"


class Forbidden(ApiError, code=-32003):
    """The user is switched off, or may not do this."""

    message = "Permission denied"


class ComponentDisabled(ApiError, code=-32008):
    """The component the method belongs to is switched off for the user."""

    message = "Component {component_name} has been disabled"


class MethodComponentDisabled(ApiError, code=-32008):
    """The component `Data API` is switched off for the user."""

    message = (
        "You need at least one of the following components to access this method: {components}"
    )


class LimitExceeded(ApiError, code=-32029):
    """The account has no points left in this minute or day; ``metadata.limits`` says how long."""

    message = (
        "Limit per {limit_type} has been exceeded. "
        "Value of current limit per {limit_type} is {limit_max_value}"
    )


# Shape and values of parameters.


class UnexpectedParameters(ApiError, code=-32602):
    """A parameter the method does not have."""

    message = "Unexpected method parameter(s)"


class RequiredParameterMissed(ApiError, code=-32602):
    """A required parameter was not sent."""

    message = "The required parameter has been missed"


class DataTypeError(ApiError, code=-32602):
    """A parameter has the wrong JSON type; types are strict."""

    message = "Data supplied is of wrong type"


class InvalidParameterValue(ApiError, code=-32602):
    """A parameter of the right type has a value that is not allowed."""

    message = "Invalid parameter value"


class CharacterEncodingNotAllowed(ApiError, code=-32602):
    """A parameter's text is not Unicode in UTF-8."""

    message = "The character encoding must be UTF-8"


class InvalidParametersCombination(ApiError, code=-32602):
    """Parameters that are good by themselves do not go together."""

    message = "The combination of parameters is not permitted"


class InvalidIdempotencyKey(ApiError, code=-32600):
    """The header is longer, holds something else, or was sent twice."""

    message = "The header Idempotency-Key must have 1 to 255 visible ASCII characters"


class IdempotencyKeyConflict(ApiError, code=-32602):
    """The key came with other parameters before, or the first request with it is in progress."""

    message = "The idempotency key belongs to another request or to one in progress"


# What the parameters refer to.


class VirtualPhoneNumberNotFound(ApiError, code=-32007):
    """The number is not one of the account's virtual numbers."""

    message = (
        "Virtual phone number {virtual_phone_number} not found. "
        "It is not your virtual phone number."
    )


class EmployeeNotFound(ApiError, code=-32602):
    """The account has no active employee with this id."""

    message = "Employee with id {employee_id} not found. It is not your employee."


class NoActivePhoneNumber(ApiError, code=-32602):
    """The employee has no active number, or not the one that was asked for."""

    message = "The phone number does not exist or inactive"


class ScenarioNotFound(ApiError, code=-32602):
    """The account has no scenario with this id."""

    message = "Scenario with id {scenario_id} not found"


class NumberWithoutScenario(
    ApiError, code=-32007, mnemonic="scenario_not_found", variant_in="start.vnumber_call"
):
    """No scenario is set for the virtual number."""

    message = "Virtual phone number does not have a scenario"


class OwnVirtualPhoneNumberNotAllowed(ApiError, code=-32602):
    """A number that is to be called is one of the account's own virtual numbers; see `field`."""

    message = "Parameter `contact` can not contain own virtual phone number"


class ContactInBlacklist(
    ApiError,
    code=-32002,
    code_in={
        "start.scenario_call": -32602,
        "start.vnumber_call": -32602,
        "start.informer_call": -32602,
    },
):
    """A number that is to be called is on the account's blacklist; see `field`."""

    message = "The contact {contact} has been found in the blacklist"


class DirectionNotAllowed(ApiError, code=-32002):
    """The account's `directions` do not hold what a call to this number is."""

    message = "Calls in the direction {direction} are not permitted"


class MediaFileNotFound(ApiError, code=-32602):
    """The file is neither the account's own nor a system file."""

    message = "The media file with id {media_file_id} not found"


class TtsTextExceeded(ApiError, code=-32602):
    """The text to be spoken is longer than the setting ``api.tts_length_limit``."""

    message = (
        "The maximum length of Text-to-Speech message is {tts_message_max_length}. "
        "The length of your message is {sent_tts_message_length}"
    )


# The state of a call.


class CallSessionNotFound(ApiError, code=-32602):
    """The account has no such session; where a live one is needed, also: it is over."""

    message = "Call session not found"


class InvalidState(ApiError, code=-32004):
    """The session is not in a state in which the method is allowed."""

    message = "This method can not be called in this state"


class LegNotFound(ApiError, code=-32602):
    """The session has no live leg of this id."""

    message = "The call's leg not found"


class CoachNotFound(ApiError, code=-32602):
    """No coach is set for the employee and none was named; or nobody coaches at the moment."""

    message = "The coach not found in your settings"


class RecordAlreadyStarted(ApiError, code=-32602):
    """The talk is being recorded."""

    message = "The call record is already started"


class RecordAlreadyStopped(ApiError, code=-32602):
    """The talk is not being recorded."""

    message = "The call record is not enabled"


class TagNotFound(ApiError, code=-32602):
    """The account has no tag of this id."""

    message = "Tag with {tag_id} not found"


class DuplicateTag(ApiError, code=-32602):
    """The session has the tag already."""

    message = "Duplicate tag"


class DuplicateContact(ApiError, code=-32602):
    """The contact is on the blacklist already."""

    message = "The contact with phone number {contact_phone_number} already exists"


class TalkOptionNotFound(ApiError, code=-32602):
    """The account has no talk option on this button."""

    message = "Talk option not found"


# Lists, reports and entities (Data API).


class SortProhibited(ApiError, code=-32602):
    """The field cannot be sorted by."""

    message = "Sort by parameter is prohibited"


class FilterProhibited(ApiError, code=-32602):
    """The field cannot be filtered by."""

    message = "Filter by parameter is prohibited"


class DateIntervalLimitReached(ApiError, code=-32602):
    """The report is asked for more than three months."""

    message = "Max value of requested date interval is 3 months"


class DateIntervalOfNewerReport(
    ApiError,
    code=-32602,
    mnemonic="date_interval_limit_reached",
    variant_in=("get.call_details", "get.api_requests", "get.notifications"),
):
    """The report is asked for more than 366 days."""

    message = "Max value of requested date interval is 366 days"


class DataLimitExceeded(ApiError, code=-32602):
    """A list takes too long to find: ask for a shorter time, or filter by less."""

    message = "The request needs too much data"


class EntityNotFound(ApiError, code=-32602):
    """The account has nothing of this id, or of this name."""

    message = "Entity not found"


class DuplicateEntity(ApiError, code=-32602):
    """There is one already of what may be there only once."""

    message = "Duplicate entity"


class DependencyError(ApiError, code=-32602):
    """Something else needs what is to be deleted."""

    message = "You have interdependent entities"


class Unusable(ApiError, code=-32602, mnemonic="error"):
    """What was sent cannot be used together with what is there; the message says why."""

    message = "{reason}"


# Our fault.


class InternalError(ApiError, code=-32603):
    """Something broke in the service; its log has the traceback."""

    message = "Internal error, contact the support service"


class ServiceBusy(ApiError, code=-32603):
    """Too much of this work is waiting already; nothing is wrong with the request."""

    message = "The service is busy, send the request once more"


ERRORS: Mapping[str, type[ApiError]] = KNOWN
"Every error by its mnemonic, in the order of this file."
