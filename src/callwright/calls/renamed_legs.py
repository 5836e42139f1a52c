"""Renamed legs: the engine as sessions see it, whose legs may go over from one of them to another.

What has happened on a leg is one session's story. So whoever takes a leg over knows it by an id of
its own, and for whoever had it before it is gone.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from callwright.engines.port import (
    Address,
    BridgeId,
    Cause,
    CoachMode,
    Engine,
    EngineEvent,
    LegGone,
    LegId,
    LegOffered,
    LegReleased,
    Media,
    PlaybackId,
    RecordingFinished,
    RecordingId,
    TransferAsked,
)
from callwright.engines.trail import FRESH, Trail


class RenamedLegs:
    """The commands of `callwright.engines.port.Engine`, by the ids that legs have now."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._real: dict[LegId, LegId] = {}
        "The engine's ids of legs that have been renamed."
        self._names: dict[LegId, LegId] = {}
        "Their ids by the engine's."
        self._gone: dict[LegId, LegId] = {}
        "Ids that such legs have no longer, with the engine's."

    def rename(self, leg: LegId, new: LegId) -> None:
        """Know a leg by another id from now on."""
        real = self._real.pop(leg, leg)
        self._real[new], self._names[real], self._gone[leg] = real, new, real

    def named(self, event: EngineEvent) -> EngineEvent:
        """Return an event of the engine's with the ids that its legs have now.

        The end of a recording goes to whoever had it begun.
        """
        if not self._names:
            return event
        if isinstance(event, TransferAsked) and event.other is not None:
            event = replace(event, other=self._names.get(event.other, event.other))
        if isinstance(event, LegOffered) and event.replaces is not None:
            event = replace(event, replaces=self._names.get(event.replaces, event.replaces))
        real = event.leg
        name = self._names.get(real)
        if name is None or isinstance(event, RecordingFinished):
            return event
        if isinstance(event, LegReleased):
            del self._names[real], self._real[name]
            for old in [old for old, of in self._gone.items() if of == real]:
                del self._gone[old]
        return replace(event, leg=name)

    def _of(self, leg: LegId) -> LegId:
        if leg in self._gone:
            raise LegGone(leg)
        return self._real.get(leg, leg)

    # What sessions ask of the engine.

    def ring(
        self,
        leg: LegId,
        to: Address,
        *,
        caller_id: str,
        caller_name: str = "",
        beside: Collection[LegId] = (),
        trail: Trail = FRESH,
    ) -> None:
        near = [self._real.get(one, one) for one in beside]
        self._engine.ring(
            leg, to, caller_id=caller_id, caller_name=caller_name, beside=near, trail=trail
        )

    def hang_up(self, leg: LegId) -> None:
        if leg not in self._gone:
            self._engine.hang_up(self._of(leg))

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool = False) -> None:
        self._engine.play(self._of(leg), playback, media, loop=loop)

    def stop(self, playback: PlaybackId) -> None:
        self._engine.stop(playback)

    def send_key(self, leg: LegId, key: str) -> None:
        self._engine.send_key(self._of(leg), key)

    def report_transfer(self, leg: LegId, failed: Cause | None) -> None:
        self._engine.report_transfer(self._of(leg), failed)

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None:
        self._engine.listen_for_keys(self._of(leg), wanted=wanted)

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        self._engine.bridge(bridge, self._of(one), self._of(other))

    def unbridge(self, bridge: BridgeId) -> None:
        self._engine.unbridge(bridge)

    def mute(self, leg: LegId, *, muted: bool) -> None:
        self._engine.mute(self._of(leg), muted=muted)

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        self._engine.coach(self._of(ear), self._of(to), mode)

    def stop_coaching(self, ear: LegId) -> None:
        self._engine.stop_coaching(self._real.get(ear, ear))

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        self._engine.record(
            recording, self._of(one), None if other is None else self._of(other), file
        )

    def stop_recording(self, recording: RecordingId) -> None:
        self._engine.stop_recording(recording)

    def ring_back(self, leg: LegId) -> None:
        self._engine.ring_back(self._of(leg))

    def answer(self, leg: LegId) -> None:
        self._engine.answer(self._of(leg))

    def reject(self, leg: LegId, cause: Cause) -> None:
        self._engine.reject(self._of(leg), cause)
