"""The way of one request: what is checked in which order, who serves it, what goes back.

Clients probe with deliberately incomplete requests and rely on the order: JSON, envelope, batch or
notification, method, client's network and token (see `auth`), account and user, component, limits,
parameters, and then what the method itself finds. login.user has no token: there the parameters say
who is calling, so they are checked before the network.
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from callwright.api_requests import AnsweredRequest, RequestListener
from callwright.config import ApiSettings
from callwright.directory.lookup import Access
from callwright.directory.model import AccountId, User
from callwright.methods.api_error import ApiError
from callwright.methods.errors import (
    AccessTokenBlocked,
    AccessTokenExpired,
    AccessTokenInvalid,
    AuthError,
    InternalError,
    InvalidRequest,
    IpNotWhitelisted,
    MethodNotFound,
    ParseError,
    UnexpectedParameters,
)
from callwright.methods.idempotency import Repeats, key_of
from callwright.methods.method import Answer, Caller, Declaration, Method, OpenMethod
from callwright.rpc.auth import (
    ACCESS_TOKEN,
    USER_ID,
    Client,
    caller_of,
    check_network,
    check_own_account,
    check_right,
)
from callwright.rpc.envelope import Json, Real, RequestId, RpcRequest, read_document, read_request
from callwright.rpc.limits import Budget, budget_of
from callwright.rpc.parameters import read_params

log = logging.getLogger(__name__)

AnyMethod: TypeAlias = Method[Any] | OpenMethod[Any]

# Who is refused for not being known is logged with the address, for programs that shut it out.
_UNKNOWN = (
    AccessTokenInvalid,
    AccessTokenExpired,
    AccessTokenBlocked,
    AuthError,
    IpNotWhitelisted,
)
# Errors that do not tell what is left of the account's points.
_WITHOUT_LIMITS = (ParseError, InvalidRequest, MethodNotFound, *_UNKNOWN)


@dataclass(slots=True)
class Exchange:
    """What is known of a request so far, for its answer and its line in the log."""

    id: RequestId | None = None
    method: str = "-"
    "Name of a method there is; never what a client made up."
    account: AccountId | None = None
    user: User | None = None
    address: str = ""
    "The client's."
    session: int | None = None
    "The one it has begun."
    replayed: bool = False
    "The answer is that of an earlier request with the same Idempotency-Key."
    metadata: Mapping[str, object] = field(default_factory=dict)
    "What the method has to say beside its result."


class Dispatcher:
    """All methods, by name. ``clock`` gives seconds since 1970 (UTC).

    ``repeats`` takes the requests with an Idempotency-Key; without it the header means nothing.
    ``budget``: the points of accounts; one for all dispatchers of a server. ``heard``: told of
    every request whose sender is known, under the name of this ``api``.
    """

    def __init__(
        self,
        methods: Iterable[AnyMethod],
        access: Access,
        settings: ApiSettings,
        clock: Callable[[], float] = time.time,
        repeats: Repeats | None = None,
        budget: Budget | None = None,
        *,
        api: str = "v4.0",
        heard: RequestListener | None = None,
    ) -> None:
        self.listeners: list[Callable[[str, str, float], None]] = []
        """Told of every request: its method or "-", its outcome (ok, replayed or a mnemonic), and
        the seconds it took."""
        self.methods: dict[str, AnyMethod] = {}
        for method in methods:
            if method.name in self.methods:
                raise ValueError(f"two methods are called {method.name}")
            self.methods[method.name] = method
        self._access = access
        self._lenient = settings.lenient
        self._clock = clock
        self._repeats = repeats
        self._api = api
        self._heard = heard
        self._budget = budget or budget_of(settings, clock)

    async def respond(self, body: bytes, client: Client) -> bytes:
        """Answer one request body. Whatever happens, the answer is a JSON-RPC response."""
        exchange = Exchange(address=client.address)
        answer, _ = await self._answered(exchange, lambda: self._serve(body, client, exchange))
        return answer

    async def carry_out(
        self,
        method: Declaration[Any],
        client: Client,
        serve: Callable[[Caller], Awaitable[object]],
    ) -> tuple[bytes, ApiError | None]:
        """Answer a request that is no JSON-RPC, by the rules of a method; and tell what failed.

        ``serve`` is called once it is known who asks, and reads what else was sent.
        """
        exchange = Exchange(method=method.name, address=client.address)

        async def work() -> str:
            caller = await self._caller(method, {}, client, exchange)
            with self._budget.point(caller.account.id):
                return _json(await serve(caller))

        return await self._answered(exchange, work)

    async def _answered(
        self, exchange: Exchange, serve: Callable[[], Awaitable[str]]
    ) -> tuple[bytes, ApiError | None]:
        """Make an answer of ``result.data``, or of what ``serve`` raises."""
        started = time.perf_counter()
        fault: ApiError | None = None
        try:
            data = await serve()
            answer = self._success(exchange, data)
            outcome = "replayed" if exchange.replayed else "ok"
        except ApiError as refusal:
            fault = refusal
            answer, outcome = self._failure(exchange, fault), _outcome(fault)
        except Exception:
            # Whatever it is, it is our fault: the client is told so, and we are told what it was.
            log.exception("account %s %s failed", exchange.account or "-", exchange.method)
            fault = InternalError()
            answer, outcome = self._failure(exchange, fault), _outcome(fault)
        spent = time.perf_counter() - started
        stranger = exchange.address if isinstance(fault, _UNKNOWN) else None
        log.info(
            "account %s %s %s in %.0f ms%s",
            exchange.account or "-",
            exchange.method,
            outcome,
            1000 * spent,
            f" from {stranger}" if stranger else "",
            extra={
                "account": exchange.account,
                "method": exchange.method,
                "outcome": outcome,
                "duration": round(spent, 6),
                "address": stranger,
            },
        )
        for listener in self.listeners:
            # Without the parameter to blame, which is of no list.
            listener(exchange.method, outcome.partition(" ")[0], spent)
        self._note(exchange, fault, spent)
        return answer, fault

    def _note(self, exchange: Exchange, fault: ApiError | None, spent: float) -> None:
        """Tell whoever logs requests. Of strangers nothing is kept: there may be any number."""
        if self._heard and exchange.user:
            self._heard(
                AnsweredRequest(
                    account=exchange.user.account,
                    user=exchange.user.id,
                    login=exchange.user.login,
                    time=datetime.fromtimestamp(self._clock(), UTC),
                    api=self._api,
                    method=exchange.method,
                    ip=exchange.address,
                    mnemonic=fault.mnemonic if fault else None,
                    duration=spent,
                    session=exchange.session,
                )
            )

    async def _serve(self, body: bytes, client: Client, exchange: Exchange) -> str:
        """Return ``result.data`` as JSON. Raises `ApiError`."""
        document = read_document(body)
        exchange.id = document.id
        request = read_request(document)
        match self.methods.get(request.method):
            case Method() as method:
                return await self._serve_caller(method, request, client, exchange)
            case OpenMethod() as method:
                return await self._serve_stranger(method, request, client, exchange)
        raise MethodNotFound()

    async def _serve_caller(
        self, method: Method[Any], request: RpcRequest, client: Client, exchange: Exchange
    ) -> str:
        exchange.method = method.name
        caller = await self._caller(method, request.params, client, exchange)
        with self._point(method, caller):
            key = key_of(client.idempotency_keys) if method.takes_idempotency_key else None
            of_all = {ACCESS_TOKEN, USER_ID} if method.takes_user_id else {ACCESS_TOKEN}
            sent = {name: item for name, item in request.params.items() if name not in of_all}
            params = read_params(method, sent, lenient=self._lenient)
            if method.takes_user_id:
                check_own_account(caller, request.params)
            if key is None or self._repeats is None:
                result = await method.serve(caller, params)
                if isinstance(result, Answer):
                    exchange.metadata = result.metadata
                    return result.data
                exchange.session = _begun(result)
                return _json(result)
            outcome = await self._repeats.serve(method, caller, params, sent, key)
            exchange.replayed = outcome.replayed
            exchange.session = _begun(outcome.data)
            return _json(outcome.data)

    def _point(self, method: Declaration[Any], caller: Caller) -> AbstractContextManager[None]:
        if method.free:
            return nullcontext()
        return self._budget.point(caller.account.id, needed=not method.never_refused)

    async def _caller(
        self,
        method: Declaration[Any],
        params: Mapping[str, Json],
        client: Client,
        exchange: Exchange,
    ) -> Caller:
        caller = await caller_of(self._access, params, client, self._clock)
        exchange.account, exchange.user = caller.account.id, caller.user
        check_right(caller.user, caller.account, method.component)
        return caller

    async def _serve_stranger(
        self, method: OpenMethod[Any], request: RpcRequest, client: Client, exchange: Exchange
    ) -> str:
        exchange.method = method.name
        params = read_params(method, request.params, lenient=self._lenient)
        user, account = await method.identify(client.address, params)
        check_network(user, client.address)
        client.recognised()
        exchange.account, exchange.user = account.id, user
        check_right(user, account, method.component)
        with self._budget.point(account.id):
            return _json(await method.serve(user))

    def _success(self, exchange: Exchange, data: str) -> bytes:
        facts = {**exchange.metadata, **self._metadata(exchange.account)}
        if exchange.replayed:
            facts["idempotent_replayed"] = True
        metadata = _json(facts)
        return _answer(exchange.id, "result", f'{{"data":{data},"metadata":{metadata}}}')

    def _failure(self, exchange: Exchange, fault: ApiError) -> bytes:
        account = None if isinstance(fault, _WITHOUT_LIMITS) else exchange.account
        data: dict[str, object] = {"mnemonic": fault.mnemonic, "field": fault.field}
        if fault.value is not None:
            data["value"] = fault.value
        data["params"] = fault.params
        data["extended_helper"] = fault.helper
        data["metadata"] = self._metadata(account)
        code = fault.code_in.get(exchange.method, fault.code)
        return _answer(
            exchange.id, "error", _json({"code": code, "message": str(fault), "data": data})
        )

    def _metadata(self, account: AccountId | None) -> dict[str, object]:
        return {} if account is None else {"limits": self._budget.limits(account)}


def _answer(request_id: RequestId | None, key: str, content: str) -> bytes:
    """Write a response; the id goes back as it was written."""
    shown = request_id.text if isinstance(request_id, Real) else _json(request_id)
    # A value that is no Unicode is shown with "?" where it is not.
    return f'{{"jsonrpc":"2.0","id":{shown},"{key}":{content}}}'.encode("utf-8", "replace")


_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _begun(result: object) -> int | None:
    """The session that a request has begun, which is all the result of those that begin one."""
    match result:
        case {"call_session_id": int() as session, **rest} if not rest:
            return session
    return None


def _outcome(fault: ApiError) -> str:
    # Names of parameters we do not know are the client's words, and may hold anything.
    if fault.field is None or isinstance(fault, UnexpectedParameters):
        return fault.mnemonic
    return f"{fault.mnemonic} ({fault.field})"
