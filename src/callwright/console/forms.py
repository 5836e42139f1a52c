"""Forms that browsers send: read within bounds of size and time."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

import anyio
from starlette.requests import ClientDisconnect, Request

SIZE_AT_MOST = 16 * 1024
"Bytes."
FIELDS_AT_MOST = 50
WITHIN = 10.0
"Seconds."


class BadForm(Exception):
    """It is no form, or more of it than there may be."""


async def read_form(request: Request, within: float = WITHIN) -> Mapping[str, str]:
    """The fields of a form (application/x-www-form-urlencoded); of equal names the last counts.

    Raises `BadForm`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadForm
    body = bytearray()
    try:
        with anyio.fail_after(within):
            async for chunk in request.stream():
                body += chunk
                if len(body) > SIZE_AT_MOST:
                    raise BadForm
        return fields(body.decode("ascii"))
    except (TimeoutError, ClientDisconnect, ValueError) as fault:
        raise BadForm from fault


def fields(text: str) -> Mapping[str, str]:
    """Raises ValueError for too many, and for what is no UTF-8."""
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_AT_MOST, errors="strict")
    return dict(pairs)
