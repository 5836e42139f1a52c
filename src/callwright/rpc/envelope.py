"""What a request is: from the bytes of a body to a method's name and its parameters.

Three questions are left open by the JSON-RPC and JSON specifications; here they are decided:

- *A body that is not UTF-8.* JSON's structure is ASCII, so a body in another charset can still be
  read up to its texts. Bytes that are no UTF-8 become lone surrogates, and where they stand in a
  parameter they are refused as that parameter's fault (see `parameters`), by which a client learns
  what to mend. A body that is not even JSON in that reading (UTF-16, binary) is a parse error.
- *A name twice in one object.* RFC 8259 section 4 leaves the meaning open; a request that rings
  phones must not be ambiguous, so it is an invalid request.
- *Limits* (RFC 8259 section 9): nesting deeper than `DEEPEST` is a parse error; that is more than
  any parameter may go, so that what is too deep for one is told as its fault. Numbers have any
  size; beyond a double's range they are infinite, which no parameter accepts.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from callwright.methods.errors import (
    BatchOperationsNotSupported,
    InvalidRequest,
    NotificationsNotSupported,
    ParseError,
)

DEEPEST = 100

# int() refuses more than 4300 digits, and what is longer than a double's range is no id of ours.
_LONGEST_INT = 310


class Real(float):
    """A number with a fraction or an exponent, which remembers how it was written."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> "Real":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


Json: TypeAlias = "None | bool | int | Real | str | list[Json] | dict[str, Json]"
RequestId: TypeAlias = str | int | Real


@dataclass(frozen=True, slots=True)
class Document:
    """A body read as JSON."""

    root: Json
    repeated: frozenset[str]
    "Names that stand twice in one object, at any depth."

    @property
    def id(self) -> RequestId | None:
        """The id to answer under, also where the request is refused; None: not to be told."""
        if not isinstance(self.root, dict) or "id" in self.repeated:
            return None
        match self.root.get("id"):
            case bool() | None:
                return None
            case int() | Real() as number:
                return number
            case str() as text if is_unicode(text):
                return text
        return None


@dataclass(frozen=True, slots=True)
class RpcRequest:
    """A JSON-RPC 2.0 request."""

    id: RequestId
    method: str
    params: dict[str, Json]


def read_document(body: bytes) -> Document:
    """Read ``body`` as JSON. Raises `ParseError`."""
    repeated: set[str] = set()

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for name, value in pairs:
            if name in found:
                repeated.add(name)
            found[name] = value
        return found

    try:
        root: Json = json.loads(
            # A byte order mark may be ignored (RFC 8259 section 8.1), and some clients send one.
            body.decode("utf-8-sig", "surrogateescape"),
            object_pairs_hook=members,
            parse_int=_whole_number,
            parse_float=Real,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        raise ParseError() from None
    # Hardly any document has so many of them at all.
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_deeper(root, DEEPEST):
        raise ParseError()
    return Document(root, frozenset(repeated))


def read_request(document: Document) -> RpcRequest:
    """Check the envelope. Raises `InvalidRequest`, then batch and notification."""
    match document.root:
        case dict() as members if not document.repeated:
            pass
        # An empty array is not a batch of anything (JSON-RPC 2.0 section 6).
        case [_, *_]:
            raise BatchOperationsNotSupported()
        case _:
            raise InvalidRequest()

    # JSON-RPC 2.0 section 4.2: params may be left out; ours are by name only.
    method, params = members.get("method"), members.get("params", {})
    if members.get("jsonrpc") != "2.0":
        raise InvalidRequest()
    if not isinstance(method, str) or not isinstance(params, dict):
        raise InvalidRequest()
    if "id" not in members:
        raise NotificationsNotSupported()
    if document.id is None:
        raise InvalidRequest()
    return RpcRequest(document.id, method, params)


def is_unicode(text: str) -> bool:
    """Whether ``text`` can be written in UTF-8, that is, holds no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_sent(value: Json) -> str:
    """Show a value of a request as a string: a string as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Real):
        return value.text
    return json.dumps(value, ensure_ascii=False)


def _whole_number(text: str) -> int | Real:
    return int(text) if len(text) <= _LONGEST_INT else Real(text)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_deeper(root: Json, limit: int) -> bool:
    """Whether more than ``limit`` arrays and objects stand in each other."""
    containers = _containers([root])
    for _ in range(limit):
        containers = _containers(
            item
            for container in containers
            for item in (container.values() if isinstance(container, dict) else container)
        )
    return bool(containers)


def _containers(values: Iterable[Json]) -> list[list[Json] | dict[str, Json]]:
    return [value for value in values if isinstance(value, (list, dict))]
