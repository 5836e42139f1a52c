"""An engine as the contract sees it: every command is watched for events from inside it."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from callwright.engines.network import Registered, SipAccount, Trunk, TrunkState
from callwright.engines.port import (
    Address,
    BridgeId,
    Cause,
    CoachMode,
    Deliver,
    Engine,
    LegId,
    Media,
    PlaybackId,
    RecordingId,
)
from callwright.engines.trail import FRESH, Trail
from tests.engines.contract import Heard


class WatchedEngine:
    """Passes every command on, and tells `Heard` while one is being carried out."""

    def __init__(self, engine: Engine, heard: Heard) -> None:
        self._engine = engine
        self._heard = heard

    async def run(self, deliver: Deliver, *, started: Callable[[], None]) -> None:
        await self._engine.run(deliver, started=started)

    def use_trunks(self, trunks: Sequence[Trunk]) -> None:
        self._watched(lambda: self._engine.use_trunks(trunks))

    def use_phones(self, phones: Sequence[SipAccount]) -> None:
        self._watched(lambda: self._engine.use_phones(phones))

    def registered(self, number: str) -> Sequence[Registered]:
        return self._engine.registered(number)

    def trunk_states(self) -> Sequence[TrunkState]:
        return self._engine.trunk_states()

    def ring(
        self,
        leg: LegId,
        to: Address,
        *,
        caller_id: str,
        beside: Collection[LegId] = (),
        trail: Trail = FRESH,
    ) -> None:
        self._watched(
            lambda: self._engine.ring(leg, to, caller_id=caller_id, beside=beside, trail=trail)
        )

    def hang_up(self, leg: LegId) -> None:
        self._watched(lambda: self._engine.hang_up(leg))

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool = False) -> None:
        self._watched(lambda: self._engine.play(leg, playback, media, loop=loop))

    def stop(self, playback: PlaybackId) -> None:
        self._watched(lambda: self._engine.stop(playback))

    def report_transfer(self, leg: LegId, failed: Cause | None) -> None:
        self._watched(lambda: self._engine.report_transfer(leg, failed))

    def send_key(self, leg: LegId, key: str) -> None:
        self._watched(lambda: self._engine.send_key(leg, key))

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None:
        self._watched(lambda: self._engine.listen_for_keys(leg, wanted=wanted))

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        self._watched(lambda: self._engine.bridge(bridge, one, other))

    def unbridge(self, bridge: BridgeId) -> None:
        self._watched(lambda: self._engine.unbridge(bridge))

    def mute(self, leg: LegId, *, muted: bool) -> None:
        self._watched(lambda: self._engine.mute(leg, muted=muted))

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        self._watched(lambda: self._engine.coach(ear, to, mode))

    def stop_coaching(self, ear: LegId) -> None:
        self._watched(lambda: self._engine.stop_coaching(ear))

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        self._watched(lambda: self._engine.record(recording, one, other, file))

    def stop_recording(self, recording: RecordingId) -> None:
        self._watched(lambda: self._engine.stop_recording(recording))

    def ring_back(self, leg: LegId) -> None:
        self._watched(lambda: self._engine.ring_back(leg))

    def answer(self, leg: LegId) -> None:
        self._watched(lambda: self._engine.answer(leg))

    def reject(self, leg: LegId, cause: Cause) -> None:
        self._watched(lambda: self._engine.reject(leg, cause))

    def _watched(self, command: Callable[[], None]) -> None:
        self._heard.in_command = True
        try:
            command()
        finally:
            self._heard.in_command = False
