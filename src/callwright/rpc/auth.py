"""Authentication and authorisation: who is calling, and what they may do.

The order of checks names the client's network before the token, but which networks are allowed is
known only of the user behind a token. So:

1. no token at all: ``required_parameter_missed``, which clients probe for;
2. a token nobody has (unknown, or of a session that is over): ``access_token_invalid``, wherever it
   comes from;
3. a token somebody has, from a network that is not theirs: ``ip_not_whitelisted``, and nothing more
   is told about the token;
4. then whether the token is blocked or expired, and what account, user and component allow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address

from callwright.directory.lookup import Access
from callwright.directory.model import Account, Component, Token, TokenKind, User
from callwright.directory.tokens import hash_of_token
from callwright.methods.api_error import NOTHING
from callwright.methods.errors import (
    AccessTokenBlocked,
    AccessTokenExpired,
    AccessTokenInvalid,
    AccountInactive,
    ComponentDisabled,
    DataTypeError,
    Forbidden,
    InvalidParameterValue,
    IpNotWhitelisted,
    MethodComponentDisabled,
    RequiredParameterMissed,
)
from callwright.methods.method import Caller
from callwright.rpc.envelope import Json, Real
from callwright.rpc.parameters import fault_of

ACCESS_TOKEN = "access_token"
USER_ID = "user_id"
"By which agents name one of their customers: an account."


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request came from and what it carried beside the body."""

    address: str
    bearers: tuple[str, ...] = ()
    "Tokens of ``Authorization: Bearer`` headers."
    idempotency_keys: tuple[str, ...] = ()
    "``Idempotency-Key`` headers."
    recognised: Callable[[], None] = lambda: None
    "Called when it has shown who it is: from then on its connection is no stranger's."


async def caller_of(
    access: Access, params: Mapping[str, Json], client: Client, clock: Callable[[], float]
) -> Caller:
    """Find out who sent a request by its token. Raises the errors of steps 1 to 4, up to expiry."""
    token_hash = hash_of_token(_token(params, client))
    found = await access.token(token_hash)
    if found is None:
        raise AccessTokenInvalid(field=ACCESS_TOKEN)
    token, user, account = found
    expired = token.expires_at is not None and token.expires_at <= datetime.fromtimestamp(
        clock(), UTC
    )
    if token.kind is TokenKind.SESSION and (expired or token.blocked):
        raise AccessTokenInvalid(field=ACCESS_TOKEN)
    check_network(user, client.address)
    _check_token(token, expired)
    client.recognised()
    return Caller(user, account, token_hash, client.address, token.kind)


_ip_address = lru_cache(maxsize=1024)(ip_address)


def check_network(user: User, address: str) -> None:
    """Raise `IpNotWhitelisted` unless ``address`` is in one of the user's networks."""
    try:
        ip = _ip_address(address)
    except ValueError:
        raise IpNotWhitelisted(ip=address) from None
    if not any(ip in network for network in user.networks):
        raise IpNotWhitelisted(ip=address)


def check_right(user: User, account: Account, component: Component | None) -> None:
    """Raise what forbids this user a method of this component, if anything does."""
    if not account.active:
        raise AccountInactive()
    if not user.active:
        raise Forbidden()
    if component is Component.DATA and component in user.disabled_components:
        raise MethodComponentDisabled(components=component.value)
    if component in user.disabled_components:
        raise ComponentDisabled(component_name=component.value)


def _token(params: Mapping[str, Json], client: Client) -> str:
    sent = params.get(ACCESS_TOKEN)
    # Null is "not given", which it may be only beside a header.
    given = ACCESS_TOKEN in params and not (sent is None and client.bearers)
    if given and not isinstance(sent, str):
        raise fault_of(DataTypeError, ACCESS_TOKEN, sent)
    tokens = {*client.bearers, *([sent] if isinstance(sent, str) else [])}
    match [*tokens]:
        case []:
            raise fault_of(RequiredParameterMissed, ACCESS_TOKEN, NOTHING)
        case [token]:
            return token
    raise AccessTokenInvalid(field=ACCESS_TOKEN)


def _check_token(token: Token, expired: bool) -> None:
    if token.blocked:
        raise AccessTokenBlocked(field=ACCESS_TOKEN)
    if expired:
        raise AccessTokenExpired(field=ACCESS_TOKEN)


def check_own_account(caller: Caller, params: Mapping[str, Json]) -> None:
    """Raise `ApiError` if ``user_id`` names another account than the token's; null is as none."""
    named = params.get(USER_ID)
    if isinstance(named, bool) or not isinstance(named, int | str | Real | None):
        raise fault_of(DataTypeError, USER_ID, named)
    if named is not None and str(named) != str(caller.account.id):
        raise fault_of(InvalidParameterValue, USER_ID, named)
