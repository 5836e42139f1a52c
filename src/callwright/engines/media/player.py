"""A playback: how far one leg has heard one clip."""

from callwright.engines.media.clips import Clip
from callwright.engines.media.g711 import FRAME, SILENCE, Law
from callwright.engines.port import PlaybackId


class Playback:
    __slots__ = ("_at", "_clip", "id", "loop")

    def __init__(self, playback: PlaybackId, *, loop: bool) -> None:
        self.id = playback
        self.loop = loop
        self._clip: Clip | None = None
        self._at = 0

    def load(self, clip: Clip) -> None:
        """Give it its sound; until then it is silence."""
        self._clip = clip

    def next_frame(self, law: Law) -> bytes | None:
        """Return the next 20 ms; None when the far end has been sent all of it."""
        if self._clip is None:
            return SILENCE[law]
        sound = self._clip.sound[law]
        frame = sound[self._at : self._at + FRAME]
        self._at += FRAME
        if len(frame) == FRAME:
            return frame
        if not self.loop or not sound:
            return frame + SILENCE[law][len(frame) :] if frame else None
        while len(frame) < FRAME:
            self._at = FRAME - len(frame)
            frame += sound[: self._at]
        return frame
