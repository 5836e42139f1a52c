"""Numbers of a call that comes in: who calls, and whom, as a trunk says it."""

import re
from collections.abc import Iterator

from callwright.engines.network import Trunk
from callwright.engines.sip.wire.address import (
    Malformed,
    display_name,
    parse_name_addr,
    user_of,
)
from callwright.engines.sip.wire.message import SipRequest, first, tokens, values
from callwright.numbering import HomePlan

NUMBER_AT_MOST = 32
"Characters of a number, as in the directory."

_WITHHELD = frozenset({"anonymous", "restricted", "unavailable", "unknown"})
"Names that carriers put in place of a number."

_NO_SEPARATORS = str.maketrans("", "", "-.() ")
_DIALLED = re.compile(r"\+?[0-9]{3,20}")


def caller_of(request: SipRequest, trunk: Trunk) -> str:
    """The number a trunk says the call is from; empty if the caller withholds it (RFC 3323).

    P-Asserted-Identity says it, else Remote-Party-ID, else From; From's display name where its URI
    has no number, or merely the account the trunk knows us by.
    """
    if tokens(request, "privacy") & {"id", "header", "user"}:
        return ""
    try:
        return next(_callers(request, trunk), "")
    except Malformed:
        return ""


def called_by(request: SipRequest, trunk: Trunk) -> str:
    """The number a trunk calls: of the request line, if that is not merely our own Contact."""
    called = number_in(request.uri)
    if called and called == trunk.user:
        try:
            return number_in(parse_name_addr(first(request, "to")).uri, trunk) or called
        except Malformed:
            return called
    return number_in(request.uri, trunk)


def number_in(uri: str, trunk: Trunk | None = None) -> str:
    """The number of a URI without ``+`` and visual separators (RFC 3966); else an empty string.

    ``trunk``: numbers it gives as they are dialled in its country are brought to E.164 form.
    """
    try:
        user = user_of(uri)
    except Malformed:
        return ""
    return _read(user, trunk)


def _callers(request: SipRequest, trunk: Trunk) -> Iterator[str]:
    """The callers that a request names; what counts more comes first."""
    # RFC 3325 9.1: up to two values, a SIP and a tel URI.
    for value in values(request, "p-asserted-identity")[:2]:
        if number := number_in(parse_name_addr(value).uri, trunk):
            yield number
    for value in values(request, "remote-party-id")[:2]:
        party = parse_name_addr(value)
        if party.params.get("party") in (None, "calling"):
            # draft-ietf-sip-privacy-04 section 5.3: whose name or URI is not to be shown.
            if party.params.get("privacy") in ("full", "uri"):
                yield ""
            if number := number_in(party.uri, trunk):
                yield number
    said = request.headers["from"][0]
    sender = number_in(parse_name_addr(said).uri, trunk)
    shown = display_name(said).translate(_NO_SEPARATORS)
    if _DIALLED.fullmatch(shown) and (not sender.isdecimal() or sender in _accounts(trunk)):
        yield _read(shown, trunk)
    yield sender


def _accounts(trunk: Trunk) -> set[str | None]:
    return {trunk.user, trunk.from_user} - {None}


def _read(text: str, trunk: Trunk | None) -> str:
    number, international = text.removeprefix("+"), text.startswith("+")
    if number.translate(_NO_SEPARATORS).isdecimal():
        number = number.translate(_NO_SEPARATORS)
    if not number.isascii() or not number.isprintable() or len(number) > NUMBER_AT_MOST:
        return ""
    if trunk is not None and trunk.country is not None and number.isdecimal():
        plan = HomePlan(trunk.country, trunk.national_prefix)
        return plan.e164(number, international=international)
    return "" if number.lower() in _WITHHELD else number
