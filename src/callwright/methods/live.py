"""What methods on a live call have in common: the session, and the answer of success."""

from typing import Literal

from typing_extensions import TypedDict

from callwright.calls.manager import CallManager
from callwright.calls.plan import SessionId
from callwright.calls.session import Session
from callwright.methods import errors
from callwright.methods.method import Caller, Id, Params, described


class OfSession(Params):
    call_session_id: Id
    "The session."


@described
class Success(TypedDict):
    success: Literal["true"]
    "The string, as clients of the published API expect it."


SUCCESS = Success(success="true")


class LiveCalls:
    """The live sessions, as requests name them."""

    def __init__(self, manager: CallManager) -> None:
        self._manager = manager

    def session(self, caller: Caller, params: OfSession) -> Session:
        """A live session of the caller's account. Raises `CallSessionNotFound`."""
        session = self._manager.find(caller.account.id, SessionId(params.call_session_id))
        if session is None:
            raise errors.CallSessionNotFound(field="call_session_id", value=params.call_session_id)
        return session
