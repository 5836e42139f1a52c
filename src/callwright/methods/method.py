"""A method of the API: its name, its parameters, what it needs, and the function that serves it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from callwright.directory.model import Account, Component, User


class Params(BaseModel):
    """Parameters of a method: strict, closed, and described by the string under each field.

    Fields stand in the order of the method's parameter table, which is the order faults are
    reported in. ``access_token`` is taken out before these models see the parameters.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


Id = Annotated[int, Field(ge=0, lt=1 << 53)]
"An id as the API shows it: a JSON integer, exact in every client."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, once token and network have been checked."""

    user: User
    account: Account
    token_hash: str
    ip: str


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Method(Generic[P]):
    """One method. ``serve`` returns what becomes ``result.data``; it raises `ApiError`."""

    name: str
    params: type[P]
    serve: Callable[[Caller, P], Awaitable[object]]
    component: Component | None
    "Component it belongs to; None: always on."
    summary: str
    "One sentence for openrpc.json and docs/api.md."
    errors: tuple[str, ...] = ()
    "Mnemonics of its own, beside the common ones, for openrpc.json."


@dataclass(frozen=True, slots=True)
class OpenMethod(Generic[P]):
    """A method that needs no token: login.user."""

    name: str
    params: type[P]
    serve: Callable[[str, P], Awaitable[object]]
    "Called with the client's address."
    summary: str
    errors: tuple[str, ...] = ()
