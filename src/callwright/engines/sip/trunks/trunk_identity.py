"""Trunk identity: as whom a trunk sees us, in From and in the header of the caller id.

Some know their customer by the address, some by the host in From, many PBXs by the user in From
alone, before they look at any password: whoever shows a caller id there is a stranger to them.
"""

from callwright.engines.network import Trunk
from callwright.engines.sip.wire.address import escape_user
from callwright.engines.sip.wire.hop import bracketed
from callwright.engines.sip.wire.message import Headers

ANONYMOUS = "sip:anonymous@anonymous.invalid"
"RFC 3323 section 4.1.1.3."

_HEADERS = {"pai": "p-asserted-identity", "ppi": "p-preferred-identity"}


def domain_of(trunk: Trunk) -> str:
    """The host of our address at a trunk, as URIs write it."""
    return bracketed(trunk.from_domain or trunk.host)


def account_uri(trunk: Trunk) -> str | None:
    """Our address at a trunk, for what is no call; None where it has no account of ours."""
    user = trunk.from_user or trunk.user
    return None if user is None else f"sip:{escape_user(user)}@{domain_of(trunk)}"


def caller_uri(trunk: Trunk, caller_id: str) -> str:
    """The URI in From of a call."""
    user = trunk.from_user or caller_id
    return f"sip:{escape_user(user)}@{domain_of(trunk)}" if user else ANONYMOUS


def caller_name(trunk: Trunk, caller_id: str) -> str:
    """The display name in From: the caller id, where the account stands in its place."""
    return (caller_id or "Anonymous") if trunk.from_user else ""


def caller_headers(trunk: Trunk, caller_id: str) -> Headers:
    """P-Asserted-Identity or P-Preferred-Identity of a call (RFC 3325), or what withholds both."""
    if not caller_id:
        # RFC 3323 4.2: the account shows who we are; nobody beyond the trunk is to hear of it.
        return {"privacy": ["id"]} if trunk.from_user else {}
    header = _HEADERS.get(trunk.caller_id_header)
    uri = f"sip:{escape_user(caller_id)}@{domain_of(trunk)}"
    return {header: [f"<{uri}>"]} if header else {}
