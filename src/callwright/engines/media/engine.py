"""The media engine: legs, bridges and playbacks in this process, on its event loop."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from callwright.engines.media.clips import Clip, Clips
from callwright.engines.media.clock import SendLateness, SlotClock, of_sending
from callwright.engines.media.dtmf import KEYS
from callwright.engines.media.kernel.figures import of_kernel_relay
from callwright.engines.media.kernel.relay import KernelRelay
from callwright.engines.media.leg import LegMedia
from callwright.engines.media.media import MediaEvent, RtpStream
from callwright.engines.media.packet_intake import PacketIntake
from callwright.engines.media.player import Playback
from callwright.engines.media.port import Port, Ports, PortSource, Watch
from callwright.engines.media.recorder import Recorder
from callwright.engines.media.recording import Recording
from callwright.engines.media.sender import Sender
from callwright.engines.media.shortcuts import Shortcuts
from callwright.engines.media.switch import Switch
from callwright.engines.media.tally import Tally
from callwright.engines.port import (
    BridgeId,
    CoachMode,
    LegGone,
    LegId,
    Media,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
)
from callwright.engines.quality import Quality
from callwright.figures import Figure

log = logging.getLogger(__name__)

_HOUSEKEEPING = 0.25
"Seconds between looks for reports that are due and far ends that have fallen silent."


@dataclass(slots=True)
class _OpenLeg:
    """A leg that is open."""

    port: Port
    media: LegMedia
    playback: PlaybackId | None = None


class RtpEngine:
    """See `callwright.engines.media.media.MediaEngine`; commands are given on the loop's thread.

    A command to a leg that is not open raises `LegGone`.
    """

    def __init__(
        self,
        host: str,
        advertise: str | None,
        ports: tuple[int, int] | PortSource,
        lost_after: float,
        clock: Callable[[], float] = time.monotonic,
        kernel: KernelRelay | None = None,
    ) -> None:
        """``host``: address to bind; ``advertise``: the one to offer, if it is another.

        ``ports``: first and last of the range, or who has them. ``lost_after``: seconds.
        ``clock``: that of the loop, whose `call_at` takes its times. ``kernel``: relays talks, if
        given; it is closed with the engine, and needs the real clock. Raises ValueError if the
        range holds no pair of ports.
        """
        self._host = advertise or host
        self._ports = Ports(host, ports) if isinstance(ports, tuple) else ports
        self._lost_after = lost_after
        self._watch = Watch()
        self._clips = Clips()
        self._now = clock
        self._clock = SlotClock(clock())
        self._timer: asyncio.TimerHandle | None = None
        self._lines: dict[LegId, _OpenLeg] = {}
        self._switch = Switch()
        self._recorder = Recorder(self._recorded)
        self._recorded_first: dict[RecordingId, LegId] = {}
        "By recording whose file is not closed yet: the leg that is told of it."
        self._playbacks: dict[PlaybackId, tuple[LegId, Playback]] = {}
        self._events: deque[MediaEvent] = deque()
        self._deliver: Callable[[MediaEvent], None] | None = None
        self._tally = Tally()
        self._intake = PacketIntake(self._watch, clock, lambda: bool(self._events))
        self._shortcuts: Shortcuts | None = None
        if kernel is not None:
            drain, pause = self._intake.drain, self._clock.remove
            self._shortcuts = Shortcuts(kernel, drain, pause, self._send_by_clock)

    # What can be read off it.

    @property
    def send_lateness(self) -> SendLateness:
        """How late the clock's packets went out."""
        return self._clock.lateness

    def figures(self) -> Iterator[Figure]:
        """See `callwright.figures.Measured`."""
        lateness = self.send_lateness
        yield from of_sending(lateness.sent, lateness.late)
        yield of_kernel_relay(self.relayed_by_kernel)

    @property
    def relayed_by_kernel(self) -> int:
        """Streams that the kernel relays at the moment, two to a talk."""
        return 0 if self._shortcuts is None else len(self._shortcuts)

    @property
    def packets_forged(self) -> int:
        """Packets that did not come from their leg's far end."""
        return self._tally.forged

    @property
    def packets_unauthentic(self) -> int:
        """RTP and RTCP to legs with SRTP: not protected by the far end's key, or a repetition."""
        return self._tally.unauthentic

    @property
    def packets_overtaken(self) -> int:
        """Duplicates and latecomers, which no bridge sends on."""
        return self._tally.overtaken

    @property
    def collecting(self) -> bool:
        """Whether so many packets come that they do not wake the loop each."""
        return self._intake.collecting

    @property
    def recording_backlog(self) -> int:
        """Pieces of recordings that the disk has not taken yet."""
        return self._recorder.waiting

    def qualities(self) -> list[tuple[LegId, Quality]]:
        """How the audio of every leg has come over so far."""
        return [(leg, line.media.quality()) for leg, line in self._lines.items()]

    # The engine.

    async def run(
        self, deliver: Callable[[MediaEvent], None], *, started: Callable[[], None] = lambda: None
    ) -> None:
        self._deliver = deliver
        self._intake.start()
        try:
            self._flush()
            self._wind_clock()
            started()
            while True:
                await asyncio.sleep(_HOUSEKEEPING)
                now, wall = self._now(), time.time()
                for line in tuple(self._lines.values()):
                    line.media.tick(now, wall)
                    self._watch.hold(line.port, line.media.sole_source(now), now)
                if self._shortcuts is not None:
                    self._shortcuts.look((line.media for line in self._lines.values()), now)
                self._intake.choose()
        finally:
            self._deliver = None
            self._intake.stop()
            for leg in tuple(self._lines):
                self.close(leg)
            if self._timer:
                self._timer.cancel()
            if self._shortcuts is not None:
                self._shortcuts.close()
            self._clips.close()
            self._watch.close()
            await self._recorder.close()

    def keep_time(self) -> None:
        self._intake.keep_time()
        if self._timer is not None and self._now() >= self._clock.due:
            self._timer.cancel()
            self._slot_came()

    def open(self, leg: LegId, beside: Collection[LegId] = ()) -> tuple[str, int]:
        """Also raises ValueError if the leg is open already."""
        if leg in self._lines:
            raise ValueError(f"leg {leg} is open already")
        port = self._ports.take()
        media = LegMedia(
            leg,
            buffer=self._watch.buffer,
            send_rtp=port.send_rtp,
            send_rtcp=port.send_rtcp,
            post=self._post,
            tally=self._tally,
            lost_after=self._lost_after,
            now=self._now(),
        )
        self._watch.add(port, media.rtp_arrived, media.rtcp_arrived)
        media.sender.local = port.local
        self._lines[leg] = _OpenLeg(port, media)
        self._switch.enter(media)
        return self._host, port.number

    def connect(self, leg: LegId, stream: RtpStream) -> None:
        """Also raises ValueError for a codec that is not ours, or an impossible payload type."""
        line = self._line(leg)
        media = line.media
        first = not media.sender.connected
        now = self._now()
        media.connect(stream, now)
        if media.sole_source(now) is None:
            self._watch.hold(line.port, None, now)
        if line.playback is not None:
            self._fetch(self._playbacks[line.playback][1], media)
        if first:
            self._send_by_clock(media.sender)

    def answered(self, leg: LegId) -> None:
        self._line(leg).media.answered(self._now())

    def close(self, leg: LegId) -> Quality:
        line = self._lines.pop(leg, None)
        if line is None:
            return Quality()
        for recording in self._switch.recordings_of(leg):
            self.stop_recording(recording)
        self._switch.leave(leg)
        line.media.take_back()
        if line.playback is not None:
            self._playbacks.pop(line.playback, None)
        self._clock.remove(line.media.sender)
        self._forget(lambda event: event.leg == leg and not isinstance(event, RecordingFinished))
        line.media.reports.leave(self._now(), time.time())
        self._watch.remove(line.port)
        self._ports.free(line.port)
        return line.media.quality()

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool) -> None:
        line = self._line(leg)
        playing = Playback(playback, media.path, loop=loop)
        if line.playback is not None:
            self._playbacks.pop(line.playback, None)
        line.playback = playback
        self._playbacks[playback] = (leg, playing)
        line.media.sender.play(playing)
        self._fetch(playing, line.media)

    def stop(self, playback: PlaybackId) -> None:
        if playback in self._playbacks:
            leg, playing = self._playbacks.pop(playback)
            line = self._line(leg)
            line.playback = None
            line.media.sender.stop(playing)
        self._forget(
            lambda event: isinstance(event, PlaybackFinished) and event.playback == playback
        )

    def send_key(self, leg: LegId, key: str) -> None:
        """Also raises ValueError if ``key`` is none."""
        if len(key) != 1 or key not in KEYS:
            raise ValueError(f"{key!r} is no DTMF key")
        self._line(leg).media.sender.press(key)

    def key_named(self, leg: LegId, key: str) -> None:
        """Also raises ValueError if ``key`` is none."""
        if len(key) != 1 or key not in KEYS:
            raise ValueError(f"{key!r} is no DTMF key")
        self._line(leg).media.key_named(key, self._now())

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None:
        self._line(leg).media.listen_for_keys(wanted=wanted)

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        """Also raises ValueError if both are the same leg."""
        if one == other:
            raise ValueError(f"leg {one} cannot be bridged with itself")
        self._line(one)
        self._line(other)
        self._switch.bridge(bridge, one, other)

    def unbridge(self, bridge: BridgeId) -> None:
        self._switch.unbridge(bridge)

    def mute(self, leg: LegId, *, muted: bool) -> None:
        self._line(leg)
        self._switch.mute(leg, muted=muted)

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        """Also raises ValueError if both are the same leg."""
        if ear == to:
            raise ValueError(f"leg {ear} cannot coach itself")
        self._line(ear)
        self._line(to)
        self._switch.coach(ear, to, mode)

    def stop_coaching(self, ear: LegId) -> None:
        if ear in self._lines:
            self._switch.stop_coaching(ear)

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        """Also raises ValueError if both are the same leg, or the recording has begun already."""
        if one == other or recording in self._recorded_first:
            raise ValueError(f"recording {recording} needs a number of its own, and two legs")
        now = self._now()
        legs = (one,) if other is None else (one, other)
        rate = min(self._line(leg).media.codec.rate for leg in legs)
        onto = Recording(now, rate, partial(self._recorder.write, recording))
        self._recorded_first[recording] = one
        self._recorder.begin(recording, file, onto.rate)
        self._switch.record(recording, one, other, onto)
        self._clock.add(onto, now)
        self._wind_clock()

    def stop_recording(self, recording: RecordingId) -> None:
        if onto := self._switch.stop_recording(recording):
            self._clock.remove(onto)
            samples = onto.end(self._now())
            self._recorder.finish(recording, samples, onto.fault)

    def _recorded(self, recording: RecordingId, seconds: float, fault: str) -> None:
        """Tell that a file is closed, or cannot be written any more."""
        self.stop_recording(recording)
        one = self._recorded_first.pop(recording)
        self._post(RecordingFinished(one, recording, seconds, fault))

    def _line(self, leg: LegId) -> _OpenLeg:
        line = self._lines.get(leg)
        if line is None:
            raise LegGone(f"leg {leg} has no media")
        return line

    def _fetch(self, playing: Playback, media: LegMedia) -> None:
        """Load a playback's sound in the codec of its leg, unless it has been."""
        if playing.lacks(media.codec):
            self._clips.fetch(playing.path, lambda clip: self._loaded(playing, clip), media.codec)

    def _loaded(self, playing: Playback, clip: Clip | None) -> None:
        if playing.id not in self._playbacks:
            return  # stopped, or replaced, or its leg has gone
        if clip:
            playing.load(clip)
            return
        # Nobody may wait for ever for a message that cannot be heard.
        leg, _ = self._playbacks[playing.id]
        self.stop(playing.id)
        if not playing.loop:
            self._post(PlaybackFinished(leg, playing.id))

    # The loop.

    def _send_by_clock(self, sender: Sender) -> None:
        self._clock.add(sender, self._now())
        self._wind_clock()

    def _wind_clock(self) -> None:
        """Let the slot clock run while there is a leg to send to, and as soon as it is due."""
        if self._timer is not None and self._timer.when() > self._clock.due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and self._deliver and len(self._clock):
            self._slot_came()

    def _slot_came(self) -> None:
        self._timer = None
        try:
            self._clock.advance(self._now)
        finally:
            if len(self._clock):
                loop = asyncio.get_running_loop()
                self._timer = loop.call_at(self._clock.due, self._slot_came)

    def _post(self, event: MediaEvent) -> None:
        """Keep an event for the loop's next turn: none is delivered from inside a command."""
        if isinstance(event, PlaybackFinished) and event.playback in self._playbacks:
            self._lines[event.leg].playback = None
            del self._playbacks[event.playback]
        self._events.append(event)
        if len(self._events) == 1 and self._deliver:
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        try:
            for _ in range(len(self._events)):
                # A command given from inside `deliver` may have taken events back.
                if self._events and self._deliver:
                    self._deliver(self._events.popleft())
        finally:
            if self._events and self._deliver:
                asyncio.get_running_loop().call_soon(self._flush)

    def _forget(self, which: Callable[[MediaEvent], bool]) -> None:
        if self._events:
            self._events = deque(event for event in self._events if not which(event))
