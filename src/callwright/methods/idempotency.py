"""Idempotency: a request with an ``Idempotency-Key`` begins one call, however often it is sent.

The key is put on record together with the session it has begun, in one transaction, so neither a
crash nor a restart can part them. What is under way is known in memory only: a request that fails,
or is cut off before its session is on record, leaves nothing behind and may be sent again.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from callwright.calls.journal import Begun, Once
from callwright.directory.model import AccountId
from callwright.methods.errors import IdempotencyKeyConflict, InvalidIdempotencyKey
from callwright.methods.method import Caller, Method, Params
from callwright.methods.start_params import CallStarted

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyRecord(Protocol):
    async def begun_with(self, account: AccountId, key: str, now: datetime) -> Begun | None:
        """The session begun with a key that has not expired at ``now``."""


@dataclass(frozen=True, slots=True)
class FirstResult:
    data: object
    replayed: bool
    "It is the first request's result, given again."


class Repeats:
    """``clock`` gives seconds since 1970 (UTC)."""

    def __init__(self, record: IdempotencyRecord, clock: Callable[[], float]) -> None:
        self._record = record
        self._clock = clock
        self._under_way: set[tuple[AccountId, str]] = set()

    async def serve(
        self,
        method: Method[Any],
        caller: Caller,
        params: Params,
        sent: Mapping[str, object],
        key: str,
    ) -> FirstResult:
        """Serve a request unless it was served before. Raises `IdempotencyKeyConflict`.

        ``sent``: the parameters as they came, without the token; by them requests are told apart.
        """
        once = Once(key, fingerprint(method.name, sent))
        under_way = caller.account.id, key
        if under_way in self._under_way:
            raise IdempotencyKeyConflict
        self._under_way.add(under_way)
        try:
            now = datetime.fromtimestamp(self._clock(), UTC)
            begun = await self._record.begun_with(caller.account.id, key, now)
            if begun is None:
                return FirstResult(await method.serve(replace(caller, once=once), params), False)
            if begun.fingerprint != once.fingerprint:
                raise IdempotencyKeyConflict
            return FirstResult(CallStarted(call_session_id=begun.session), True)
        finally:
            self._under_way.remove(under_way)


def key_of(headers: tuple[str, ...]) -> str | None:
    """The key in the ``Idempotency-Key`` headers of a request, if there is any.

    Raises `InvalidIdempotencyKey` unless it is one header of 1 to 255 visible ASCII characters.
    """
    if not headers:
        return None
    if len(headers) > 1 or not _KEY.fullmatch(headers[0]):
        raise InvalidIdempotencyKey
    return headers[0]


def fingerprint(method: str, sent: Mapping[str, object]) -> str:
    """SHA-256 of a request, the same in whatever order its members stand."""
    # ASCII only: half a UTF-16 pair in a text could not be encoded.
    canonical = json.dumps([method, _plain(sent)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: object) -> object:
    match value:
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case float() if value.is_integer():
            return int(value)  # JSON does not tell 25.0 from 25
    return value
