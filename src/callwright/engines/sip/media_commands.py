"""Media commands: what the engine passes on to the media, for legs that are up.

Of `callwright.engines.port.Engine`, whose contract says what they do.
"""

from pathlib import Path

from callwright.engines.media.media import MediaEngine
from callwright.engines.port import (
    BridgeId,
    CoachMode,
    LegGone,
    LegId,
    Media,
    PlaybackId,
    RecordingId,
)
from callwright.engines.sip.dialog.call_leg import CallLeg
from callwright.engines.sip.recordings import Recordings


class MediaCommands:
    def __init__(self, media: MediaEngine) -> None:
        self._media = media
        self._legs: dict[LegId, CallLeg] = {}
        "Legs that have not ended."
        self._recordings = Recordings()

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool = False) -> None:
        self._live(leg)
        self._media.play(leg, playback, media, loop=loop)

    def stop(self, playback: PlaybackId) -> None:
        self._media.stop(playback)

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None:
        self._live(leg)
        self._media.listen_for_keys(leg, wanted=wanted)

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        self._live(one)
        self._live(other)
        self._media.bridge(bridge, one, other)

    def unbridge(self, bridge: BridgeId) -> None:
        self._media.unbridge(bridge)

    def mute(self, leg: LegId, *, muted: bool) -> None:
        self._live(leg)
        self._media.mute(leg, muted=muted)

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        self._live(ear)
        self._live(to)
        self._media.coach(ear, to, mode)

    def stop_coaching(self, ear: LegId) -> None:
        self._media.stop_coaching(ear)

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        self._live(one)
        if other is not None:
            self._live(other)
        self._media.record(recording, one, other, file)
        self._recordings.begun(recording, one)

    def stop_recording(self, recording: RecordingId) -> None:
        self._media.stop_recording(recording)

    def _live(self, leg: LegId) -> CallLeg:
        try:
            return self._legs[leg]
        except KeyError:
            raise LegGone(leg) from None
