"""The API described for programs: an OpenRPC document from the definitions that validate it.

OpenRPC 1.3.2. Every method takes its parameters by name and answers with ``data`` and ``metadata``.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from callwright.methods.api_error import ApiError
from callwright.methods.errors import (
    ERRORS,
    AccessTokenBlocked,
    AccessTokenExpired,
    AccessTokenInvalid,
    AccountInactive,
    BatchOperationsNotSupported,
    ComponentDisabled,
    DataTypeError,
    Forbidden,
    InternalError,
    InvalidParameterValue,
    InvalidRequest,
    IpNotWhitelisted,
    LimitExceeded,
    MethodNotFound,
    NotificationsNotSupported,
    ParseError,
    RequiredParameterMissed,
    UnexpectedParameters,
)
from callwright.methods.method import Declaration
from callwright.rpc.auth import ACCESS_TOKEN, USER_ID
from callwright.rpc.limits import RateLimits

Schema: TypeAlias = dict[str, Any]
"A JSON schema."

OF_REQUESTS: tuple[type[ApiError], ...] = (
    ParseError,
    InvalidRequest,
    BatchOperationsNotSupported,
    NotificationsNotSupported,
    MethodNotFound,
)
"Errors before it is known which method is called."
COMMON: tuple[type[ApiError], ...] = (
    IpNotWhitelisted,
    AccountInactive,
    Forbidden,
    ComponentDisabled,
    LimitExceeded,
    UnexpectedParameters,
    RequiredParameterMissed,
    DataTypeError,
    InvalidParameterValue,
    InternalError,
)
"Errors of every method."
OF_TOKENS: tuple[type[ApiError], ...] = (
    AccessTokenInvalid,
    AccessTokenExpired,
    AccessTokenBlocked,
)
"Errors of every method that takes a token."

TOKEN_DESCRIPTION = (
    "A permanent token, or one from login.user. May be sent as header "
    "`Authorization: Bearer` instead."
)

_REF = "#/components/schemas/{model}"


def describe(
    methods: Iterable[Declaration[Any]],
    *,
    version: str,
    title: str = "Callwright Call API",
    url: str = "http://127.0.0.1:8080/v4.0",
) -> Schema:
    """Return the document, as ``GET /openrpc.json`` gives it; ``url``: where the API is."""
    schemas: dict[str, Schema] = {"Limits": TypeAdapter(RateLimits).json_schema()}
    return {
        "openrpc": "1.3.2",
        "info": {"title": title, "version": version},
        "servers": [{"name": "this server", "url": url}],
        "methods": [_method(method, schemas) for method in methods],
        "components": {"schemas": schemas},
    }


def errors_of(method: Declaration[Any]) -> Iterator[type[ApiError]]:
    """Every error the method may give: common ones, those of tokens, and its own."""
    yield from COMMON
    if method.takes_token:
        yield from OF_TOKENS
    yield from (ERRORS[mnemonic].of_method(method.name) for mnemonic in method.errors)


def _method(method: Declaration[Any], schemas: dict[str, Schema]) -> Schema:
    params = method.params.model_json_schema(ref_template=_REF)
    schemas |= params.pop("$defs", {})
    required = params.get("required", ())
    described: Schema = {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "by-name",
        # "Required parameters before optional ones" (OpenRPC 1.3.2, Method Object).
        "params": sorted(
            [
                *([_TOKEN] if method.takes_token else []),
                *([_USER_ID] if method.takes_user_id else []),
                *(
                    _content(name, schema, required=name in required)
                    for name, schema in params["properties"].items()
                ),
            ],
            key=lambda param: not param["required"],
        ),
        "result": {"name": "result", "schema": _result(method, schemas)},
        "errors": [_error(method, error) for error in errors_of(method)],
    }
    if method.component is not None:
        described["tags"] = [{"name": method.component.value}]
    return described


_TOKEN: Schema = {
    "name": ACCESS_TOKEN,
    "description": TOKEN_DESCRIPTION,
    # In the body or in the header; a schema of the body cannot say so.
    "required": False,
    "schema": {"type": "string"},
}

_USER_ID: Schema = {
    "name": USER_ID,
    "description": "The account's own `app_id`, or null: agents name their customers by it.",
    "required": False,
    "schema": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
}


_TOTAL: Schema = {
    "type": "integer",
    "description": "How many there are without `limit` and `offset`.",
}
_REPLAYED: Schema = {
    "type": "boolean",
    "description": "True: the result of an earlier request with the same Idempotency-Key.",
}


def _content(name: str, schema: Schema, *, required: bool) -> Schema:
    schema = {key: part for key, part in schema.items() if key != "title"}
    described: Schema = {"name": name}
    if "description" in schema:
        described["description"] = schema.pop("description")
    return described | {"required": required, "schema": schema}


def _result(method: Declaration[Any], schemas: dict[str, Schema]) -> Schema:
    data: Schema = {}
    if method.result is not object:
        data = TypeAdapter(method.result).json_schema(ref_template=_REF)
        schemas |= data.pop("$defs", {})
    return {
        "type": "object",
        "required": ["data", "metadata"],
        "properties": {
            "data": data,
            "metadata": {
                "type": "object",
                "properties": {
                    "limits": {"$ref": _REF.format(model="Limits")},
                    **({"total_items": _TOTAL} if method.counts_items else {}),
                    **({"idempotent_replayed": _REPLAYED} if method.takes_idempotency_key else {}),
                },
            },
        },
    }


def _error(method: Declaration[Any], error: type[ApiError]) -> Schema:
    return {
        "code": error.code_in.get(method.name, error.code),
        "message": error.message,
        "data": {"mnemonic": error.mnemonic},
    }
