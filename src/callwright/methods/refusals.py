"""Refusals: which error a client gets for a command that a session does not carry out."""

from collections.abc import Mapping

from callwright.calls import commands
from callwright.calls.commands import CommandRefused
from callwright.calls.options import OptionNotOffered
from callwright.methods import errors
from callwright.methods.api_error import NOTHING, ApiError

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
