"""Validation: from a request's parameters to a method's model, or to the first fault in them.

Of several faults the first kind counts (unknown, missing, wrong type, bad value), and within a kind
the order of the method's parameter table, which is the order of the model's fields.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from callwright.methods.api_error import NOTHING, ApiError, Sent
from callwright.methods.errors import (
    CharacterEncodingNotAllowed,
    DataTypeError,
    InvalidParameterValue,
    RequiredParameterMissed,
    UnexpectedParameters,
)
from callwright.methods.method import LENIENT, Declaration, Params
from callwright.rpc.envelope import Json, Real, as_sent, is_unicode

P = TypeVar("P", bound=Params)

# Their values are never sent back: an answer ends up in logs where a secret has no business.
SECRET = frozenset({"access_token", "password"})


class FaultKind(IntEnum):
    """Kinds of fault, in the order in which they are reported."""

    UNEXPECTED = 1
    MISSING = 2
    TYPE = 3
    ENCODING = 4
    "A text that is no Unicode: the value of no type, so it comes before the bad values."
    VALUE = 5


Path: TypeAlias = tuple[str | int, ...]
Value: TypeAlias = "Json | Sent"
"What was sent for a parameter, if anything was."


@dataclass(frozen=True, slots=True)
class ParameterFault:
    kind: FaultKind
    path: Path
    value: Value


def read_params(method: Declaration[P], sent: dict[str, Json], *, lenient: bool) -> P:
    """Check ``sent``, without the access token, against the method's model. Raises `ApiError`."""
    faults: list[ParameterFault] = []
    draft = _for_the_model(sent, (), faults)
    params, found = _checked(method.params, draft, sent, lenient)
    if nulls := _take_out_nulls(draft, found):
        params, found = _checked(method.params, draft, sent, lenient)
    if lenient and _mend(draft, found):
        params, found = _checked(method.params, draft, sent, lenient)
    faults += (nulls.get(fault.path, fault) for fault in found)
    if params is None or faults:
        raise _error(min(faults, key=lambda fault: fault.kind), method)
    return params


def fault_of(error: type[ApiError], field: str, value: Value) -> ApiError:
    """Make an error that blames one parameter, and keeps secrets to itself."""
    if value is NOTHING or field in SECRET:
        return error(field=field)
    return error(field=field, value=as_sent(value))


def _error(fault: ParameterFault, method: Declaration[P]) -> ApiError:
    field = ".".join(map(str, fault.path))
    match fault.kind:
        case FaultKind.UNEXPECTED:
            return fault_of(UnexpectedParameters, field, fault.value)
        case FaultKind.MISSING:
            return fault_of(RequiredParameterMissed, field, NOTHING)
        case FaultKind.TYPE:
            return fault_of(DataTypeError, field, fault.value)
        # Not every method publishes this mnemonic.
        case FaultKind.ENCODING if CharacterEncodingNotAllowed.mnemonic in method.errors:
            return fault_of(CharacterEncodingNotAllowed, field, fault.value)
    return fault_of(InvalidParameterValue, field, fault.value)


def _checked(
    model: type[P], draft: Json, sent: Json, lenient: bool
) -> tuple[P | None, list[ParameterFault]]:
    """Try the model on ``draft``; tell what is wrong in terms of what was ``sent``."""
    context = LENIENT if lenient else None
    try:
        # In JSON mode a strict model still takes an array for a tuple and a string for an enum.
        return model.model_validate_json(json.dumps(draft), context=context), []
    except ValidationError as refusal:
        return None, list(_faults(refusal, sent))


def _for_the_model(value: Json, path: Path, faults: list[ParameterFault]) -> Json:
    """Copy ``value`` without what the model could not judge; that goes to ``faults``."""
    match value:
        case str():
            if not is_unicode(value):
                faults.append(ParameterFault(FaultKind.ENCODING, path, value))
                return value.encode(errors="replace").decode()
            # PostgreSQL stores no text with it, and nobody can say, dial or read it.
            if "\0" in value:
                faults.append(ParameterFault(FaultKind.VALUE, path, value))
        case Real() if value.is_integer():
            # JSON does not tell 25.0 from 25, and some languages write every number so.
            return int(value)
        case list():
            return [_for_the_model(item, (*path, at), faults) for at, item in enumerate(value)]
        case dict():
            draft: dict[str, Json] = {}
            for name, item in value.items():
                if is_unicode(name):
                    draft[name] = _for_the_model(item, (*path, name), faults)
                else:
                    faults.append(ParameterFault(FaultKind.UNEXPECTED, (*path, name), item))
            return draft
    return value


def _faults(refusal: ValidationError, sent: Json) -> Iterator[ParameterFault]:
    for detail in refusal.errors(include_url=False):
        path, value = _find(sent, detail["loc"], is_missing=detail["type"] == "missing")
        yield ParameterFault(_kind(detail, value), path, value)


def _kind(detail: ErrorDetails, value: Value) -> FaultKind:
    name = detail["type"]
    if name == "extra_forbidden":
        return FaultKind.UNEXPECTED
    if name == "missing":
        return FaultKind.MISSING
    # 25.5 for a whole number is a number all the same.
    if name == "int_type" and isinstance(value, Real):
        return FaultKind.VALUE
    if name.endswith("_type"):
        return FaultKind.TYPE
    # "one of 'in', 'out'" was sent something that is no string at all.
    if name in {"literal_error", "enum"} and not isinstance(value, str):
        return FaultKind.TYPE if detail["ctx"]["expected"].startswith("'") else FaultKind.VALUE
    return FaultKind.VALUE


def _find(root: Json, location: Sequence[str | int], *, is_missing: bool) -> tuple[Path, Value]:
    """Follow a location of pydantic's into what was sent; give the path and what is there.

    Parts that are no names in the request (pydantic also notes which model of a union it tried)
    are left out of the path, but for the name of what is missing, the last part then.
    """
    path: Path = ()
    here: Json = root
    last = len(location) - 1
    for at, part in enumerate(location):
        match here, part:
            case dict(), str() if part in here:
                here = here[part]
            case list(), int() if part < len(here):
                here = here[part]
            case _ if is_missing and at == last:
                return (*path, part), NOTHING
            case _:
                continue
        path = (*path, part)
    return path, here


def _take_out_nulls(draft: Json, faults: Sequence[ParameterFault]) -> dict[Path, ParameterFault]:
    """Take out of ``draft`` each null that the model would not have; tell them by their paths.

    Null means "not given", but where a model has a meaning for it, and then it is no fault. What is
    missing without its null was required: then the null is what was wrong.
    """
    nulls: dict[Path, ParameterFault] = {}
    for fault in faults:
        if fault.value is not None or fault.kind is FaultKind.UNEXPECTED or fault.path in nulls:
            continue
        holder, name = _holder(draft, fault.path)
        if isinstance(holder, dict) and isinstance(name, str):
            del holder[name]
            nulls[fault.path] = fault
    return nulls


def _mend(draft: Json, faults: Sequence[ParameterFault]) -> bool:
    """In ``draft``, put numbers and booleans for strings that spell them; tell whether any was."""
    mended = False
    for fault in faults:
        if fault.kind is not FaultKind.TYPE or not isinstance(fault.value, str):
            continue
        spelled = _spelled(fault.value)
        if spelled is None:
            continue
        match _holder(draft, fault.path):
            case dict() as holder, str() as last:
                holder[last] = spelled
                mended = True
            case list() as holder, int() as last:
                holder[last] = spelled
                mended = True
    return mended


def _holder(draft: Json, path: Path) -> tuple[Json, str | int]:
    """Return the object or array that has what ``path`` leads to, and by which name or place."""
    *way, last = path
    for part in way:
        draft = _item(draft, part)
    return draft, last


def _item(holder: Json, part: str | int) -> Json:
    match holder, part:
        case dict(), str():
            return holder[part]
        case list(), int():
            return holder[part]
    raise AssertionError("a path leads through objects and arrays")


def _spelled(text: str) -> Json:
    if text in {"true", "false"}:
        return text == "true"
    if re.fullmatch(r"-?[0-9]{1,15}", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", text):
        return Real(text)
    return None
