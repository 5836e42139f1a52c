"""Whole answers of the API, for tests that compare them to the letter."""

from collections.abc import Mapping
from typing import Any


def without_metadata(answer: Any) -> Any:
    """The answer less the limits, whose figures other tests have counted down."""
    container = answer.get("result") or answer["error"]["data"]
    limits = container.pop("metadata")["limits"]
    assert set(limits) == {
        f"{period}_{kind}"
        for period in ("day", "minute")
        for kind in ("limit", "remaining", "reset")
    }
    assert all(type(value) is int for value in limits.values())
    return answer


def refusal(code: int, message: str, data: Mapping[str, object]) -> object:
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {
            "code": code,
            "message": message,
            "data": {"params": {}, "extended_helper": None, **data},
        },
    }


INVALID = (-32602, "Invalid parameter value")
MISSED = (-32602, "The required parameter has been missed")
TYPE = (-32602, "Data supplied is of wrong type")
NO_PHONE = (-32602, "The phone number does not exist or inactive")
ENCODING = (-32602, "The character encoding must be UTF-8")
COMBINATION = (-32602, "The combination of parameters is not permitted")

NOTHING = object()
"Marks a parameter that is left out."
