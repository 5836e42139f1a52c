"""Media switch: sound from leg to leg and into recordings, as the routing matrix has it."""

from collections.abc import Iterator
from contextlib import contextmanager

from callwright.engines.media.leg import LegMedia
from callwright.engines.media.recording import Recording
from callwright.engines.media.routing_matrix import RoutingMatrix
from callwright.engines.port import BridgeId, CoachMode, LegId, RecordingId


class Switch:
    """Legs that are named in a command have come in by `enter`."""

    def __init__(self) -> None:
        self._routing = RoutingMatrix()
        self._legs: dict[LegId, LegMedia] = {}
        self._recordings: dict[RecordingId, tuple[LegId, LegId | None, Recording]] = {}

    def enter(self, leg: LegMedia) -> None:
        self._legs[leg.id] = leg

    def leave(self, leg: LegId) -> None:
        with self._rewired(leg):
            self._routing.leave(leg)
        del self._legs[leg]

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        with self._rewired(one, other, *self._routing.bridged(bridge)):
            self._routing.bridge(bridge, one, other)

    def unbridge(self, bridge: BridgeId) -> None:
        with self._rewired(*self._routing.bridged(bridge)):
            self._routing.unbridge(bridge)

    def mute(self, leg: LegId, *, muted: bool) -> None:
        with self._rewired(leg):
            self._routing.mute(leg, muted=muted)

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        with self._rewired(ear, to):
            self._routing.coach(ear, to, mode)

    def stop_coaching(self, ear: LegId) -> None:
        with self._rewired(ear):
            self._routing.stop_coaching(ear)

    def record(
        self, recording: RecordingId, one: LegId, other: LegId | None, onto: Recording
    ) -> None:
        self._recordings[recording] = (one, other, onto)
        self._record_again({one})

    def stop_recording(self, recording: RecordingId) -> Recording | None:
        """Return what it was recorded onto, if it still was."""
        _, _, onto = self._recordings.pop(recording, (None, None, None))
        return onto

    def recordings_of(self, leg: LegId) -> list[RecordingId]:
        return [
            recording
            for recording, (one, other, _) in self._recordings.items()
            if leg in (one, other)
        ]

    @contextmanager
    def _rewired(self, *legs: LegId) -> Iterator[None]:
        """Let everybody around these legs hear who is to be heard after the change."""
        concerned = self._routing.circle(*legs)
        yield
        concerned |= self._routing.circle(*legs)
        for ear in concerned:
            speakers = self._routing.speakers(ear)
            peer = self._routing.peer(ear)
            self._legs[ear].hear(
                [self._legs[speaker] for speaker in speakers],
                self._legs[peer] if peer in speakers else None,
            )
        self._record_again(concerned)

    def _record_again(self, concerned: set[LegId]) -> None:
        for one, other, onto in self._recordings.values():
            if one not in concerned and other not in concerned:
                continue
            if other is None:
                onto.hear(None if self._routing.is_muted(one) else self._legs[one], None)
                continue
            onto.hear(
                self._legs[one] if self._routing.says(one, other) else None,
                self._legs[other] if self._routing.says(other, one) else None,
            )
