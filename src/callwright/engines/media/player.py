"""A playback: how far one leg has heard one clip."""

from pathlib import Path

from callwright.engines.media.clips import Clip
from callwright.engines.media.codec import Codec
from callwright.engines.media.g711 import FRAME
from callwright.engines.port import PlaybackId


class Playback:
    __slots__ = ("_at", "_packets", "_sound", "id", "loop", "path")

    def __init__(self, playback: PlaybackId, path: Path, *, loop: bool) -> None:
        self.id = playback
        self.path = path
        self.loop = loop
        self._sound: dict[str, bytes] = {}
        self._packets: tuple[bytes, ...] | None = None
        self._at = 0
        "In bytes of G.711, 8000 a second, whatever the codec: it may change in mid-play."

    def load(self, clip: Clip) -> None:
        """Give it its sound; until then, and in a codec it has not got, it is silence."""
        self._sound.update(clip.sound)
        if clip.packets is not None:
            self._packets = clip.packets

    def lacks(self, codec: Codec) -> bool:
        return self._packets is None if not codec.bytewise else codec.name not in self._sound

    def next_frame(self, codec: Codec) -> bytes | None:
        """Return the next 20 ms; None when the far end has been sent all of it."""
        if not codec.bytewise:
            return codec.silence if self._packets is None else self._next_packet()
        sound = self._sound.get(codec.name)
        if sound is None:
            return codec.silence
        frame = sound[self._at : self._at + FRAME]
        self._at += FRAME
        if len(frame) == FRAME:
            return frame
        if not self.loop or not sound:
            return frame + codec.silence[len(frame) :] if frame else None
        while len(frame) < FRAME:
            self._at = FRAME - len(frame)
            frame += sound[: self._at]
        return frame

    def _next_packet(self) -> bytes | None:
        packets = self._packets or ()
        if self.loop and packets:
            self._at %= len(packets) * FRAME
        number = self._at // FRAME
        self._at += FRAME
        return packets[number] if number < len(packets) else None
