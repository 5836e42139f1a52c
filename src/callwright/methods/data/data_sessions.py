"""login.user and logout.user of the Data API: the same sessions, told in its own shape."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import TypedDict

from callwright.directory.model import User
from callwright.methods.data.entity_method import DONE, Done
from callwright.methods.method import Caller, Method, OpenMethod, described
from callwright.methods.sessions import (
    LOGIN_USER,
    LOGOUT_USER,
    LogoutUser,
    Sessions,
)


@described
class AccountSessionToken(TypedDict):
    """What login.user of the Data API gives."""

    access_token: str
    expire_at: int
    "Unix time after which the token is not valid."
    app_id: int
    "Id of the account, as in get.account."


DATA_LOGIN_USER = replace(LOGIN_USER, result=AccountSessionToken)
DATA_LOGOUT_USER = replace(LOGOUT_USER, result=Done)


class DataSessions:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def methods(self) -> Sequence[Method[Any] | OpenMethod[Any]]:
        return (
            DATA_LOGIN_USER.served_by_identity(self._sessions.identify, self.open_session),
            DATA_LOGOUT_USER.served_by(self.logout_user),
        )

    async def open_session(self, user: User) -> AccountSessionToken:
        token = await self._sessions.open_session(user)
        return AccountSessionToken(**token, app_id=user.account)

    async def logout_user(self, caller: Caller, params: LogoutUser) -> Done:
        await self._sessions.logout_user(caller, params)
        return DONE
