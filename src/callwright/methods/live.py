"""What methods on a live call have in common: the session, and the answers to a command."""

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict

from callwright.calls import commands
from callwright.calls.commands import CommandRefused
from callwright.calls.manager import CallManager
from callwright.calls.options import OptionNotOffered
from callwright.calls.plan import SessionId
from callwright.calls.session import Session
from callwright.methods import errors
from callwright.methods.api_error import NOTHING, ApiError
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


REFUSALS: Mapping[type[CommandRefused], type[ApiError]] = {
    commands.WrongState: errors.InvalidState,
    commands.LegUnknown: errors.LegNotFound,
    commands.NoCoach: errors.CoachNotFound,
    commands.AlreadyRecording: errors.RecordAlreadyStarted,
    commands.NotRecording: errors.RecordAlreadyStopped,
    commands.RecordingForced: errors.Forbidden,
    commands.TagAlreadySet: errors.DuplicateTag,
    commands.NoSuchTag: errors.EntityNotFound,
    OptionNotOffered: errors.Forbidden,
}


def refused(
    refusal: CommandRefused, *, field: str | None = None, value: object = NOTHING
) -> ApiError:
    """The error for a refusal; ``field`` and ``value`` of the parameter that is to blame."""
    return REFUSALS[type(refusal)](field=field, value=value)
