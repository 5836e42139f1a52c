"""login.user and logout.user: a token for an hour, in exchange for a password."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import Field
from typing_extensions import TypedDict

from callwright.directory.lookup import Access
from callwright.directory.model import Account, Component, TokenKind, User
from callwright.directory.tokens import hash_of_token, hint_of_token, new_token
from callwright.methods.backoff import Backoff
from callwright.methods.errors import AuthError
from callwright.methods.login_turns import LoginTurns, TooManyLogins
from callwright.methods.method import (
    Caller,
    Declaration,
    Method,
    OpenDeclaration,
    OpenMethod,
    Params,
    described,
)

SESSION_LASTS = 3600
"Seconds a session token is valid."


class LoginUser(Params):
    """Exchange a login and a password for a token."""

    login: Annotated[str, Field(max_length=255)]
    "The user's login."
    password: str
    "The user's password."


class LogoutUser(Params):
    """End the session whose token is sent."""


@described
class SessionToken(TypedDict):
    """What login.user gives."""

    access_token: str
    expire_at: int
    "Unix time after which the token is not valid."


class LoggedOut(TypedDict):
    """What logout.user gives: true, where other methods of control say so by a string."""

    success: bool


LOGIN_USER = OpenDeclaration(
    name="login.user",
    params=LoginUser,
    component=Component.BASIC,
    summary="Exchanges a login and a password for a session token, valid for an hour.",
    errors=("auth_error",),
    result=SessionToken,
)

LOGOUT_USER = Declaration(
    name="logout.user",
    params=LogoutUser,
    component=Component.BASIC,
    summary="Ends the session of the token; a permanent token stays valid.",
    result=LoggedOut,
    never_refused=True,
)


class Sessions:
    """Logins and logouts. ``clock`` gives seconds since 1970 (UTC).

    An unknown login costs the same verification as a wrong password, so that the time of an answer
    does not tell which logins exist.
    """

    def __init__(
        self,
        access: Access,
        clock: Callable[[], float] = time.time,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._access = access
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._nobodys_hash = self._hasher.hash(new_token())
        self._backoff = Backoff(clock)
        self._turns = LoginTurns(clock)

    def methods(self) -> Sequence[Method[Any] | OpenMethod[Any]]:
        return (
            LOGIN_USER.served_by_identity(self.identify, self.open_session),
            LOGOUT_USER.served_by(self.logout_user),
        )

    async def identify(self, address: str, params: LoginUser) -> tuple[User, Account]:
        """Find the user by login and password. Raises `AuthError`."""
        try:
            async with self._turns.turn(address):
                return await self._checked(address, params)
        except TooManyLogins:
            raise AuthError() from None

    async def _checked(self, address: str, params: LoginUser) -> tuple[User, Account]:
        # Asked here, so that guesses sent all at once do not slip through together.
        if self._backoff.refuses(address, params.login):
            raise AuthError()
        found = await self._access.user_by_login(params.login)
        password_hash = found[0].password_hash if found else None
        matches = await anyio.to_thread.run_sync(
            self._matches, password_hash or self._nobodys_hash, params.password
        )
        if found is None or not matches:
            self._backoff.failed(address, params.login)
            raise AuthError()
        self._backoff.succeeded(address, params.login)
        self._turns.succeeded(address)
        return found

    async def open_session(self, user: User) -> SessionToken:
        token = new_token()
        expire_at = int(self._clock()) + SESSION_LASTS
        await self._access.add_session_token(
            user.id,
            hash_of_token(token),
            hint_of_token(token),
            datetime.fromtimestamp(expire_at, UTC),
        )
        return SessionToken(access_token=token, expire_at=expire_at)

    async def logout_user(self, caller: Caller, params: LogoutUser) -> LoggedOut:
        # Programs log out after work whatever token they were given; a permanent one is not theirs
        # to destroy.
        if caller.token_kind is TokenKind.SESSION:
            await self._access.remove_token(caller.token_hash)
        return {"success": True}

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
