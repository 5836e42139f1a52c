"""Methods that change a live call."""

from collections.abc import Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from callwright.calls.ending import RELEASED
from callwright.calls.manager import CallManager
from callwright.calls.plan import SessionId
from callwright.directory.model import Component
from callwright.methods import errors
from callwright.methods.method import Caller, Declaration, Id, Method, Params, described


class ReleaseCall(Params):
    call_session_id: Id
    "The session to end."


@described
class Success(TypedDict):
    success: Literal["true"]
    "The string, as clients of the published API expect it."


RELEASE_CALL = Declaration(
    "release.call",
    ReleaseCall,
    component=Component.BASIC,
    summary="End a live session: everybody in it is hung up.",
    errors=("call_session_not_found",),
    result=Success,
)


class ControlCalls:
    def __init__(self, manager: CallManager) -> None:
        self._manager = manager

    def methods(self) -> Sequence[Method[Any]]:
        return (RELEASE_CALL.served_by(self.release),)

    async def release(self, caller: Caller, params: ReleaseCall) -> Success:
        session = self._manager.find(caller.account.id, SessionId(params.call_session_id))
        if session is None:
            raise errors.CallSessionNotFound(field="call_session_id", value=params.call_session_id)
        session.end(RELEASED)
        return {"success": "true"}
