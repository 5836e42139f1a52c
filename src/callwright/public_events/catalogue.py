"""Event catalogue: which public events there are.

How they come from what calls tell is in `callwright.public_events.event_fold`.
"""

from collections.abc import Mapping

from callwright.public_events import leg_payloads, payloads
from callwright.public_events.payloads import Payload

CATALOGUE: tuple[type[Payload], ...] = (
    payloads.SessionStartedPayload,
    payloads.StateEnteredPayload,
    leg_payloads.LegStartedPayload,
    leg_payloads.LegRangPayload,
    leg_payloads.LegAnsweredPayload,
    leg_payloads.LegMutedPayload,
    leg_payloads.LegUnmutedPayload,
    leg_payloads.LegEndedPayload,
    leg_payloads.MessageStartedPayload,
    leg_payloads.MessageFinishedPayload,
    leg_payloads.MessageFailedPayload,
    payloads.TalkStartedPayload,
    payloads.TalkFinishedPayload,
    leg_payloads.HoldStartedPayload,
    leg_payloads.HoldFinishedPayload,
    leg_payloads.TransferFinishedPayload,
    leg_payloads.CoachJoinedPayload,
    leg_payloads.CoachModeChangedPayload,
    leg_payloads.KeysReceivedPayload,
    leg_payloads.KeySentPayload,
    leg_payloads.KeysFailedPayload,
    payloads.OptionUsedPayload,
    payloads.OptionFailedPayload,
    payloads.ContactSavedPayload,
    payloads.ContactBlockedPayload,
    payloads.TagSetPayload,
    payloads.TagRemovedPayload,
    payloads.RecordingStartedPayload,
    payloads.RecordingReadyPayload,
    payloads.RecordingFailedPayload,
    payloads.OperationStartedPayload,
    leg_payloads.QueueEnteredPayload,
    leg_payloads.QueueLeftPayload,
    payloads.RouteAnsweredPayload,
    payloads.RouteFailedPayload,
    payloads.CallLostPayload,
    payloads.SessionFinishedPayload,
)

TYPES: Mapping[str, type[Payload]] = {payload.type: payload for payload in CATALOGUE}
"Every type by its name, in the order of the catalogue."
