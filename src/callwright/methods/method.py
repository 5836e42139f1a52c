"""A method of the API: its name, its parameters, what it needs, and the function that serves it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    with_config,
)

from callwright.calls.journal import Once
from callwright.calls.state import State
from callwright.directory.model import Account, Component, TokenKind, User
from callwright.methods.errors import IdempotencyKeyConflict


class Params(BaseModel):
    """Parameters of a method: strict, closed, and described by the string under each field.

    Fields stand in the order of the method's parameter table, which is the order faults are
    reported in. ``access_token`` is taken out before these models see the parameters. A model
    validator may raise an `ApiError` (``invalid_parameters_combination``): it runs only when every
    single parameter is good.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        defer_build=True,  # `callwright.app` builds them before it serves
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


Id = Annotated[int, Field(ge=0, lt=1 << 53)]
"An id as the API shows it: a JSON integer, exact in every client."

described = with_config(ConfigDict(use_attribute_docstrings=True))
"""Decorates a TypedDict that is a result: the strings under its keys go to the API reference.

It has to be the TypedDict of ``typing_extensions``: before Python 3.12 pydantic takes no other.
"""

LENIENT = {"lenient": True}
"Validation context of the lenient mode (setting ``api.lenient``)."

# A Russian number as it is dialled at home: 8, then a code that begins with 3, 4, 8 or 9.
_RUSSIAN_TRUNK_PREFIX = re.compile(r"8(?=[3489][0-9]{9}\Z)")


def phone_digits(number: str, info: ValidationInfo) -> str:
    """Take a number in digits; see `PhoneNumber`. Raises ValueError."""
    if info.context == LENIENT:
        international = number.startswith("+")
        number = number[1:] if international else _RUSSIAN_TRUNK_PREFIX.sub("7", number)
    if not re.fullmatch(r"[0-9]{1,20}", number):
        raise ValueError("not digits")
    return number


PhoneNumber = Annotated[
    str,
    AfterValidator(phone_digits),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,20}$"}),
]
"""A phone number in digits: E.164 without ``+``, a SIP number or an extension.

In the lenient mode ``+79260000000`` and ``89260000000`` are taken for ``79260000000``. Longer than
the 15 digits of E.164, because SIP numbers may be.
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, once token and network have been checked."""

    user: User
    account: Account
    token_hash: str
    ip: str
    token_kind: TokenKind = TokenKind.PERMANENT
    once: Once | None = None
    "The request is to begin one call only: it came with an Idempotency-Key."


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Answer:
    """A result that has something to say beside itself. Methods may return it for ``result.data``.

    In JSON already: a long list is made so bit by bit, since calls do not wait meanwhile.
    """

    data: str
    "What becomes ``result.data``, as JSON."
    metadata: Mapping[str, object]
    "What stands in ``result.metadata``, beside the limits."


@dataclass(frozen=True, slots=True)
class Declaration(Generic[P]):
    """What a method is, before there is anything to serve it; the API reference is made of these.

    Declare methods at module level, give them their function where the service is at hand::

        LOGOUT_USER = Declaration("logout.user", LogoutUser, component=..., summary=...)

        class Sessions:
            def methods(self) -> list[Method[...]]:
                return [LOGOUT_USER.served_by(self.logout_user)]
    """

    name: str
    params: type[P]
    component: Component | None
    "Component it belongs to; None: always on."
    summary: str
    "One sentence for openrpc.json and docs/api.md."
    errors: tuple[str, ...] = ()
    "Mnemonics of its own, beside those every method has."
    result: Any = object
    "Type of ``result.data``: whatever pydantic can describe in JSON schema."
    states: frozenset[State] | None = None
    "In which states of a live session it is allowed; None: it is about none."
    free: bool = False
    "It takes no point."
    never_refused: bool = False
    "It takes a point, but is served where the account has none: what ends something."
    counts_items: bool = False
    "It gives a list, and ``metadata.total_items``: how many there are without limit and offset."

    @property
    def takes_token(self) -> bool:
        return True

    @property
    def takes_user_id(self) -> bool:
        """Whether the account may be named, as clients of agents name one of theirs."""
        return self.component is Component.DATA

    @property
    def takes_idempotency_key(self) -> bool:
        """Whether the header Idempotency-Key means something to it."""
        return IdempotencyKeyConflict.mnemonic in self.errors

    def served_by(self, serve: Callable[[Caller, P], Awaitable[object]]) -> "Method[P]":
        return Method(**self._facts(), serve=serve)

    def _facts(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(Declaration)}


@dataclass(frozen=True, slots=True)
class Method(Declaration[P]):
    """One method. ``serve`` returns what becomes ``result.data``; it raises `ApiError`."""

    serve: Callable[[Caller, P], Awaitable[object]] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class OpenDeclaration(Declaration[P]):
    """A method that is called without a token and finds out itself who the caller is."""

    @property
    def takes_token(self) -> bool:
        return False

    def served_by_identity(
        self,
        identify: Callable[[str, P], Awaitable[tuple[User, Account]]],
        serve: Callable[[User], Awaitable[object]],
    ) -> "OpenMethod[P]":
        return OpenMethod(**self._facts(), identify=identify, serve=serve)


@dataclass(frozen=True, slots=True)
class OpenMethod(OpenDeclaration[P]):
    """A method that needs no token: login.user.

    Between the two calls stand the checks that a token is otherwise put to: network, account,
    component, limits.
    """

    identify: Callable[[str, P], Awaitable[tuple[User, Account]]] = field(kw_only=True)
    "Called with the client's address; says who it is, or raises `ApiError`."
    serve: Callable[[User], Awaitable[object]] = field(kw_only=True)
