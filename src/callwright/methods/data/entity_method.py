"""Entities: what methods that create, update and delete things of the account have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from typing_extensions import TypedDict

from callwright.directory.editing import AlreadyThere, NotThere, Refusal, StillNeeded
from callwright.directory.model import Component
from callwright.methods import errors
from callwright.methods.api_error import NOTHING, ApiError
from callwright.methods.method import Declaration, Id, Params, described

P = TypeVar("P", bound=Params)


class OfEntity(Params):
    id: Id
    "Which one."


@described
class Made(TypedDict):
    id: int
    "Of what has been created."


class Done(TypedDict):
    """Nothing is told but that it has been done."""


DONE = Done()

NOT_FOUND, DUPLICATE, DEPENDENCY, UNUSABLE = (
    errors.EntityNotFound.mnemonic,
    errors.DuplicateEntity.mnemonic,
    errors.DependencyError.mnemonic,
    errors.Unusable.mnemonic,
)


def entity_declaration(
    name: str, params: type[P], *, summary: str, errors: tuple[str, ...], result: object = Done
) -> Declaration[P]:
    """Declare a method that changes something of the account's."""
    return Declaration(
        name, params, component=Component.DATA, summary=summary, errors=errors, result=result
    )


def deletion(name: str, *, summary: str, errors: tuple[str, ...] = ()) -> Declaration[OfEntity]:
    """Declare a method that takes one thing of the account's away, by its id."""
    return entity_declaration(name, OfEntity, summary=summary, errors=(NOT_FOUND, *errors))


@contextmanager
def answering() -> Iterator[None]:
    """Answer what stands in the way of a change. Raises the `ApiError` for it."""
    try:
        yield
    except Refusal as refusal:
        raise _error(refusal) from None


def _error(refusal: Refusal) -> ApiError:
    value = NOTHING if refusal.value is None else refusal.value
    match refusal:
        case NotThere():
            return errors.EntityNotFound(field=refusal.field, value=value)
        case AlreadyThere():
            return errors.DuplicateEntity(field=refusal.field, value=value)
        case StillNeeded():
            return errors.DependencyError(field=refusal.field, value=value)
    return errors.Unusable(field=refusal.field, value=value, reason=str(refusal))
