"""A media engine that only remembers what it was asked."""

import asyncio
import itertools
from collections.abc import Callable, Collection
from pathlib import Path

from callwright.engines.media.media import MediaEvent, NoPorts, RtpStream
from callwright.engines.port import (
    BridgeId,
    CoachMode,
    DtmfReceived,
    LegId,
    Media,
    PlaybackId,
    RecordingId,
)
from callwright.engines.quality import Quality

Asked = tuple[object, ...]


def ids() -> Callable[[], LegId]:
    """A counter for legs that come in."""
    count = itertools.count(1000)
    return lambda: LegId(next(count))


class RememberingMedia:
    def __init__(self, *, ports: int = 1000) -> None:
        self.asked: list[Asked] = []
        self.near: dict[LegId, list[LegId]] = {}
        "By leg: those that it was opened beside."
        self.say: Callable[[MediaEvent], None]
        self.ended = False
        self.quality = Quality()
        self.fault: asyncio.Future[None]
        self._ports = ports

    async def run(
        self, deliver: Callable[[MediaEvent], None], *, started: Callable[[], None] = lambda: None
    ) -> None:
        self.say = deliver
        self.fault = asyncio.get_running_loop().create_future()
        started()
        try:
            await self.fault
        finally:
            self.ended = True
            self.asked.append(("ended",))

    def keep_time(self) -> None:
        """Nothing falls due here."""

    def open(self, leg: LegId, beside: Collection[LegId] = ()) -> tuple[str, int]:
        if not self._ports:
            raise NoPorts("no RTP port left")
        self._ports -= 1
        self.near[leg] = list(beside)
        self.asked.append(("open", leg))
        return "127.0.0.1", 16384 + 2 * leg

    def connect(self, leg: LegId, stream: RtpStream) -> None:
        self.asked.append(("connect", leg, stream.codec))

    def answered(self, leg: LegId) -> None:
        self.asked.append(("answered", leg))

    def close(self, leg: LegId) -> Quality:
        self.asked.append(("close", leg))
        return self.quality

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool) -> None:
        self.asked.append(("play", leg, playback, loop))

    def stop(self, playback: PlaybackId) -> None:
        self.asked.append(("stop", playback))

    def send_key(self, leg: LegId, key: str) -> None:
        self.asked.append(("send_key", leg, key))

    def key_named(self, leg: LegId, key: str) -> None:
        self.asked.append(("key_named", leg, key))
        asyncio.get_running_loop().call_soon(self.say, DtmfReceived(leg, key))

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None:
        self.asked.append(("listen_for_keys", leg, wanted))

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        self.asked.append(("bridge", bridge, one, other))

    def unbridge(self, bridge: BridgeId) -> None:
        self.asked.append(("unbridge", bridge))

    def mute(self, leg: LegId, *, muted: bool) -> None:
        self.asked.append(("mute", leg, muted))

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        self.asked.append(("coach", ear, to, mode))

    def stop_coaching(self, ear: LegId) -> None:
        self.asked.append(("stop_coaching", ear))

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        self.asked.append(("record", recording, one, other))

    def stop_recording(self, recording: RecordingId) -> None:
        self.asked.append(("stop_recording", recording))
