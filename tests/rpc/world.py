"""What the tests of the API call: a real server with toy methods and accounts kept in memory."""

import itertools
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Annotated, Any, Literal

import httpx
import uvicorn
from pydantic import Field

from callwright.config import ApiSettings, HttpSettings
from callwright.directory.model import (
    Account,
    AccountId,
    Component,
    Network,
    Token,
    TokenKind,
    User,
    UserId,
)
from callwright.directory.tokens import hash_of_token
from callwright.methods.api_error import ApiError
from callwright.methods.errors import (
    AuthError,
    CallSessionNotFound,
    ContactInBlacklist,
    InternalError,
    InvalidState,
    TtsTextExceeded,
)
from callwright.methods.method import (
    Caller,
    Declaration,
    Id,
    Method,
    OpenMethod,
    Params,
    PhoneNumber,
)
from callwright.rpc.connection import Connection
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.http import BODY_WITHIN, build_http
from tests.waiting import WITHIN

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"),)

# 15 seconds into a minute and 8 hours into a day.
NOW = 1_800_000_015.25
FULL = {
    "day_limit": 10_000,
    "day_remaining": 10_000,
    "day_reset": 86_400 - 28_815,
    "minute_limit": 250,
    "minute_remaining": 250,
    "minute_reset": 45,
}
AFTER_ONE = FULL | {"day_remaining": 9_999, "minute_remaining": 249}


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


class FakeAccess:
    """Accounts, users and tokens in memory."""

    def __init__(self) -> None:
        self.tokens: dict[str, tuple[Token, User, Account]] = {}
        self.users: dict[str, tuple[User, Account]] = {}
        self._ids = itertools.count(1)

    async def token(self, token_hash: str) -> tuple[Token, User, Account] | None:
        return self.tokens.get(token_hash)

    async def user_by_login(self, login: str) -> tuple[User, Account] | None:
        return self.users.get(login)

    async def add_session_token(
        self, user: UserId, token_hash: str, hint: str, expires_at: datetime
    ) -> None:
        owner = next(pair for pair in self.users.values() if pair[0].id == user)
        token = Token(next(self._ids), user, TokenKind.SESSION, expires_at, False, hint)
        self.tokens[token_hash] = token, *owner

    async def remove_token(self, token_hash: str) -> None:
        self.tokens.pop(token_hash, None)

    def add_user(
        self,
        *,
        password_hash: str | None = None,
        networks: tuple[Network, ...] = LOOPBACK,
        disabled: Iterable[Component] = (),
        active: bool = True,
        account_active: bool = True,
    ) -> User:
        """Add a user with an account of its own."""
        number = next(self._ids)
        account = Account(AccountId(number), f"account {number}", account_active)
        user = User(
            id=UserId(number),
            account=account.id,
            login=f"user{number}",
            password_hash=password_hash,
            networks=networks,
            disabled_components=frozenset(disabled),
            active=active,
        )
        self.users[user.login] = user, account
        return user

    def add_token(
        self,
        user: User,
        *,
        kind: TokenKind = TokenKind.PERMANENT,
        expires_at: float | None = None,
        blocked: bool = False,
    ) -> str:
        text = f"token-of-{user.login}-{next(self._ids)}"
        expiry = None if expires_at is None else datetime.fromtimestamp(expires_at, UTC)
        token = Token(next(self._ids), user.id, kind, expiry, blocked, text[-4:])
        self.tokens[hash_of_token(text)] = token, *self.users[user.login]
        return text


class ToyMessage(Params):
    type: Literal["media", "tts"]
    "What it is."
    value: str
    "Its text."


class ToyEmployee(Params):
    id: Id
    "Who."
    phone_number: PhoneNumber | None = None
    "Where."


class ToyCall(Params):
    """A call in all but the phones."""

    first_call: Literal["contact", "employee"]
    "Who is rung first."
    switch: bool = False
    contact: PhoneNumber
    "Whom to ring."
    text: str | None = None
    dialing_timeout: Annotated[float, Field(ge=1, le=120)] = 30
    keys: tuple[str, ...] = ()
    message: ToyMessage | None = None
    employee: ToyEmployee
    "Who calls."


class ToyText(Params):
    text: str
    "Anything."


class Nothing(Params):
    """No parameters."""


TOY_CALL = Declaration(
    "toy.call",
    ToyCall,
    component=Component.BASIC,
    summary="Gives back what was understood.",
    errors=("character_encoding_not_allowed", "contact_in_blacklist"),
    result=dict[str, object],
)
TOY_TEXT = Declaration("toy.text", ToyText, component=None, summary="Does without encodings.")
TOY_FAIL = Declaration(
    "toy.fail", ToyText, component=None, summary="Fails in a way of your choice."
)
TOY_MANAGED = Declaration(
    "toy.managed", Nothing, component=Component.MANAGEMENT, summary="Belongs to a component."
)
BLACKLISTED = Declaration(
    "start.scenario_call", Nothing, component=None, summary="Has another code for the blacklist."
)

FAILURES: dict[str, ApiError | Exception] = {
    "session": CallSessionNotFound(field="call_session_id", value=7),
    "state": InvalidState(),
    "login": AuthError(),
    "blacklist": ContactInBlacklist(field="contact", value="79260000000", contact="79260000000"),
    "tts": TtsTextExceeded(
        field="message.value", value="x", tts_message_max_length=500, sent_tts_message_length=501
    ),
    "internal": InternalError(),
    "bug": RuntimeError("a secret detail"),
}


async def _call(caller: Caller, params: ToyCall) -> object:
    return params.model_dump(mode="json")


async def _text(caller: Caller, params: ToyText) -> object:
    return {"text": params.text, "ip": caller.ip}


async def _fail(caller: Caller, params: ToyText) -> object:
    if params.text in FAILURES:
        raise FAILURES[params.text]
    return object()


async def _managed(caller: Caller, params: Nothing) -> object:
    return None


async def _blacklisted(caller: Caller, params: Nothing) -> object:
    raise FAILURES["blacklist"]


TOYS: tuple[Method[Any], ...] = (
    TOY_CALL.served_by(_call),
    TOY_TEXT.served_by(_text),
    TOY_FAIL.served_by(_fail),
    TOY_MANAGED.served_by(_managed),
    BLACKLISTED.served_by(_blacklisted),
)


@dataclass
class Api:
    """A server that runs, and somebody who may call it."""

    url: str
    address: tuple[str, int]
    access: FakeAccess
    clock: Clock
    http: httpx.Client
    token: str = ""
    user: User = field(init=False)

    def for_new_user(self) -> "Api":
        """The same server, called by somebody with all points left."""
        other = replace(self)
        other.user = self.access.add_user()
        other.token = self.access.add_token(other.user)
        return other

    def post(
        self,
        body: bytes | str,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
    ) -> httpx.Response:
        return self.http.post(self.url + "/v4.0", content=body, headers=headers)

    def send(self, body: bytes | str) -> object:
        """Send a body as it is; the answer is HTTP 200 and JSON."""
        response = self.post(body)
        assert response.status_code == 200
        answer: object = response.json()
        return answer

    def call(self, method: str, params: dict[str, object], **headers: str) -> object:
        """Call a method with this user's token, unless ``params`` have their own."""
        request = {
            "jsonrpc": "2.0",
            "id": "req1",
            "method": method,
            "params": {"access_token": self.token, **params},
        }
        response = self.post(json.dumps(request), headers)
        assert response.status_code == 200
        answer: object = response.json()
        return answer


def success(data: object, limits: dict[str, int] = AFTER_ONE) -> object:
    """The whole answer to a request that succeeded."""
    return {
        "jsonrpc": "2.0",
        "id": "req1",
        "result": {"data": data, "metadata": {"limits": limits}},
    }


def refusal(
    code: int,
    message: str,
    mnemonic: str,
    *,
    id: str | int | float | None = "req1",
    field: str | None = None,
    value: str | None = None,
    params: dict[str, object] | None = None,
    limits: dict[str, int] | None = FULL,
) -> object:
    """The whole answer to a request that failed. ``value`` None: no such key."""
    data: dict[str, object] = {
        "mnemonic": mnemonic,
        "field": field,
        "params": params or {},
        "extended_helper": None,
        "metadata": {"limits": limits} if limits else {},
    }
    if value is not None:
        data["value"] = value
    return {
        "jsonrpc": "2.0",
        "id": id,
        "error": {"code": code, "message": message, "data": data},
    }


@contextmanager
def serving(
    api: ApiSettings | None = None,
    http: HttpSettings | None = None,
    *,
    methods: Iterable[Method[Any] | OpenMethod[Any]] = TOYS,
    access: FakeAccess | None = None,
    clock: Clock | None = None,
    body_within: float = BODY_WITHIN,
    draining: threading.Event | None = None,
    idles: int = 5,
) -> Iterator[Api]:
    """Serve HTTP on a free port of loopback while the block runs.

    ``idles``: seconds a connection may stay without a request.
    """
    access, clock = access or FakeAccess(), clock or Clock()
    app = build_http(
        Dispatcher(methods, access, api or ApiSettings(), clock),
        http or HttpSettings(),
        lambda: draining is None or not draining.is_set(),
        body_within=body_within,
    )
    config = uvicorn.Config(
        app,
        http=Connection,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=idles,
    )
    server = uvicorn.Server(config)
    # Connections wait in the listener's queue until the server is there.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        host, port = listener.getsockname()
        try:
            with httpx.Client(timeout=WITHIN, trust_env=False) as client:
                yield Api(
                    f"http://{host}:{port}", (host, port), access, clock, client
                ).for_new_user()
        finally:
            server.should_exit = True
            thread.join()
