"""Media workers: the media engine in several processes, by the same commands.

Legs that are joined are carried by one worker, so that no packet ever crosses from process to
process. A leg that is opened beside others goes to their worker, any other to the one that has the
fewest. If it turns out to have been the wrong one (two who called in are bridged), the leg moves at
its first joining: its far end hears a new stream begin (another SSRC) on the same port.

The ports are bound here and handed to the worker with the leg, so that `open` knows them at once.
A worker that dies takes its legs with it (`MediaWorkerLost` for each); a new one takes its place.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from callwright import logs
from callwright.engines.media.clock import of_sending
from callwright.engines.media.dtmf import KEYS
from callwright.engines.media.media import (
    MediaEvent,
    MediaWorkerLost,
    NoPorts,
    RtpStream,
)
from callwright.engines.media.port import Port, Ports
from callwright.engines.media.wav import seconds_of
from callwright.engines.media.worker_protocol import (
    BadLine,
    Sending,
    Setup,
    read_event,
    read_qualities,
    read_sending,
)
from callwright.engines.media.worker_supervisor import WorkerSupervisor
from callwright.engines.port import (
    BridgeId,
    CoachMode,
    LegGone,
    LegId,
    Media,
    PlaybackFinished,
    PlaybackId,
    Quality,
    RecordingFinished,
    RecordingId,
)
from callwright.figures import Figure

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _WorkerLeg:
    """A leg that is open."""

    seat: WorkerSupervisor
    port: Port
    told: dict[str, tuple[object, ...]] = field(default_factory=dict)
    "What holds of it: the last command of each kind, in order, to be told again where it moves."
    joined: bool = False
    "It has been bridged or the like, and stays where it is."
    playback: PlaybackId | None = None
    quality: Quality = field(default_factory=Quality)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A recording whose file is not closed."""

    one: LegId
    seat: WorkerSupervisor
    file: Path


class WorkerPool:
    """See `callwright.engines.media.media.MediaEngine`; commands are given on the loop's thread.

    A command to a leg that is not open raises `LegGone`; one that joins legs of two workers, each
    of which has been joined with others there, raises ValueError.
    """

    def __init__(
        self,
        count: int,
        host: str,
        advertise: str | None,
        ports: tuple[int, int],
        lost_after: float,
    ) -> None:
        """As for `callwright.engines.media.engine.RtpEngine`; ``count``: of workers."""
        self._host = advertise or host
        self._ports = Ports(host, ports)
        setup = Setup(lost_after, logging.getLogger().getEffectiveLevel(), logs.form())
        self._seats = [WorkerSupervisor(setup, self._heard, self._lost) for _ in range(count)]
        self._lines: dict[LegId, _WorkerLeg] = {}
        self._playbacks: dict[PlaybackId, LegId] = {}
        self._recordings: dict[RecordingId, _Recorded] = {}
        self._sending: dict[WorkerSupervisor, Sending] = {}
        "By worker: packets sent, and sent late, when it last told."
        self._sent_before: Sending = (0, 0)
        "The same of workers that were lost."
        self._deliver: Callable[[MediaEvent], None]

    @property
    def process_ids(self) -> list[int]:
        """Of the workers that are at work."""
        return [
            seat.process_id
            for seat in self._seats
            if seat.is_at_work and seat.process_id is not None
        ]

    def port_of(self, leg: LegId) -> int:
        """Raises KeyError if the leg is not open."""
        return self._lines[leg].port.number

    def qualities(self) -> list[tuple[LegId, Quality]]:
        """How the audio of every leg had come over when its worker last told."""
        return [(leg, line.quality) for leg, line in self._lines.items()]

    def figures(self) -> Iterator[Figure]:
        """See `callwright.figures.Measured`."""
        told = [self._sent_before, *self._sending.values()]
        yield from of_sending(sum(sent for sent, _ in told), sum(late for _, late in told))
        yield Figure("callwright_media_workers", "Media workers at work.", len(self.process_ids))

    async def run(
        self, deliver: Callable[[MediaEvent], None], *, started: Callable[[], None] = lambda: None
    ) -> None:
        self._deliver = deliver
        for seat in self._seats:
            seat.prepare()
        try:
            async with asyncio.TaskGroup() as tasks:
                for seat in self._seats:
                    tasks.create_task(seat.keep())
                for seat in self._seats:
                    await seat.settled.wait()
                started()
        finally:
            for seat in self._seats:
                seat.leave()
            for leg in tuple(self._lines):
                self.close(leg)

    # Commands.

    def open(self, leg: LegId, beside: Collection[LegId] = ()) -> tuple[str, int]:
        """Also raises ValueError if the leg is open already."""
        if leg in self._lines:
            raise ValueError(f"leg {leg} is open already")
        seat = self._seat_beside(beside)
        port = self._ports.take()
        self._lines[leg] = line = _WorkerLeg(seat, port)
        self._place(leg, line, seat)
        return self._host, port.number

    def _place(self, leg: LegId, line: _WorkerLeg, seat: WorkerSupervisor) -> None:
        line.seat = seat
        seat.legs.add(leg)
        seat.tell("open", leg, line.port.duplicates())
        for name, arguments in line.told.items():
            seat.tell(name, arguments)

    def _take_from_seat(self, leg: LegId, line: _WorkerLeg) -> None:
        line.seat.legs.discard(leg)
        line.seat.tell("close", (leg,))

    def _seat_beside(self, beside: Collection[LegId]) -> WorkerSupervisor:
        for other in beside:
            line = self._lines.get(other)
            if line and line.seat.is_up:
                return line.seat
        up = [seat for seat in self._seats if seat.is_up]
        if not up:
            raise NoPorts("no media worker is up")
        # One that is being started takes legs, but lets them wait: only if there is no other.
        return min(up, key=lambda seat: (not seat.is_at_work, len(seat.legs)))

    def connect(self, leg: LegId, stream: RtpStream) -> None:
        self._tell_of(leg, "connect", leg, stream)

    def keep_time(self) -> None:
        """Each worker has an event loop of its own to keep it by."""

    def answered(self, leg: LegId) -> None:
        self._tell_of(leg, "answered", leg)

    def close(self, leg: LegId) -> Quality:
        line = self._lines.pop(leg, None)
        if line is None:
            return Quality()
        if line.playback is not None:
            self._playbacks.pop(line.playback, None)
        self._take_from_seat(leg, line)
        # Last in the queue, it is not needed before the worker has closed it, too; else it is
        # passed over.
        self._ports.free(line.port)
        return line.quality

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool) -> None:
        line = self._line(leg)
        if line.playback is not None:
            self._playbacks.pop(line.playback, None)
        line.playback = playback
        self._playbacks[playback] = leg
        self._tell_of(leg, "play", leg, playback, media, loop)

    def stop(self, playback: PlaybackId) -> None:
        leg = self._playbacks.pop(playback, None)
        if leg is not None:
            self._played(self._line(leg))
            self._line(leg).seat.tell("stop", (playback,))

    def send_key(self, leg: LegId, key: str) -> None:
        """Also raises ValueError if ``key`` is none."""
        if len(key) != 1 or key not in KEYS:
            raise ValueError(f"{key!r} is no DTMF key")
        self._line(leg).seat.tell("send_key", (leg, key))

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None:
        self._tell_of(leg, "listen_for_keys", leg, wanted)

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        """Also raises ValueError if both are the same leg."""
        if one == other:
            raise ValueError(f"leg {one} cannot be bridged with itself")
        self._join(one, other).tell("bridge", (bridge, one, other))

    def unbridge(self, bridge: BridgeId) -> None:
        self._everywhere("unbridge", bridge)

    def mute(self, leg: LegId, *, muted: bool) -> None:
        self._tell_of(leg, "mute", leg, muted)

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        """Also raises ValueError if both are the same leg."""
        if ear == to:
            raise ValueError(f"leg {ear} cannot coach itself")
        self._join(ear, to).tell("coach", (ear, to, mode))

    def stop_coaching(self, ear: LegId) -> None:
        if ear in self._lines:
            self._line(ear).seat.tell("stop_coaching", (ear,))

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        """Also raises ValueError if both are the same leg, or the recording has begun already."""
        if one == other or recording in self._recordings:
            raise ValueError(f"recording {recording} needs a number of its own, and two legs")
        seat = self._line(one).seat if other is None else self._join(one, other)
        self._recordings[recording] = _Recorded(one, seat, file)
        seat.tell("record", (recording, one, other, file))

    def stop_recording(self, recording: RecordingId) -> None:
        if (recorded := self._recordings.get(recording)) is not None:
            recorded.seat.tell("stop_recording", (recording,))

    def _line(self, leg: LegId) -> _WorkerLeg:
        line = self._lines.get(leg)
        if line is None:
            raise LegGone(f"leg {leg} has no media")
        return line

    def _tell_of(self, leg: LegId, name: str, *arguments: object) -> None:
        """Tell a command that holds until the next of its kind."""
        line = self._line(leg)
        line.told[name] = arguments
        line.seat.tell(name, arguments)

    def _join(self, one: LegId, other: LegId) -> WorkerSupervisor:
        """Bring two legs to one worker, which is returned."""
        line, its = self._line(one), self._line(other)
        if line.seat is not its.seat:
            if line.joined and its.joined:
                raise ValueError(f"legs {one} and {other} are joined with others elsewhere")
            moving, mover, to = (other, its, line.seat) if line.joined else (one, line, its.seat)
            log.info("leg %d moves to another media worker", moving)
            self._take_from_seat(moving, mover)
            self._place(moving, mover, to)
        line.joined = its.joined = True
        return line.seat

    def _played(self, line: _WorkerLeg) -> None:
        line.playback = None
        line.told.pop("play", None)

    def _everywhere(self, name: str, *arguments: object) -> None:
        """Tell all, of whom at most one knows what is spoken of."""
        for seat in self._seats:
            seat.tell(name, arguments)

    # What the workers say.

    def _heard(self, seat: WorkerSupervisor, name: bytes, said: bytes) -> None:
        try:
            if name == b"qualities":
                for leg, quality in read_qualities(said):
                    if leg in seat.legs:
                        self._lines[leg].quality = quality
            elif name == b"sending":
                self._sending[seat] = read_sending(said)
            else:
                self._tell_soon(seat, read_event(name, said))
        except BadLine as fault:
            log.error("a media worker is not understood: %s", fault)

    def _lost(self, seat: WorkerSupervisor) -> None:
        # Its successor counts from nought.
        sent, late = self._sending.pop(seat, (0, 0))
        self._sent_before = self._sent_before[0] + sent, self._sent_before[1] + late
        for recording, recorded in self._recordings.items():
            if recorded.seat is seat:
                # In a thread: a disk that does not answer must not keep the calls.
                looking = asyncio.get_running_loop().run_in_executor(
                    None, seconds_of, recorded.file
                )
                looking.add_done_callback(partial(self._cut_off, recording, recorded))
        for leg in seat.legs:
            self._tell_soon(seat, MediaWorkerLost(leg))

    def _cut_off(
        self, recording: RecordingId, recorded: _Recorded, found: asyncio.Future[float | None]
    ) -> None:
        """Tell of a recording whose worker is lost: what it holds is whole, and goes as far."""
        seconds = found.result()
        fault = "" if seconds else "cut off: the media worker was lost"
        ended = RecordingFinished(recorded.one, recording, seconds or 0.0, fault)
        self._tell(recorded.seat, ended)

    def _tell_soon(self, seat: WorkerSupervisor, event: MediaEvent) -> None:
        # Each in a call of its own: a listener that fails over one must not cost the others.
        asyncio.get_running_loop().call_soon(self._tell, seat, event)

    def _tell(self, seat: WorkerSupervisor, event: MediaEvent) -> None:
        if isinstance(event, RecordingFinished):  # perhaps after its leg has been closed
            if self._recordings.pop(event.recording, None):
                self._deliver(event)
            return
        line = self._lines.get(event.leg)
        if line is None or line.seat is not seat:
            return  # closed while the event was on its way
        if isinstance(event, PlaybackFinished):
            if self._playbacks.pop(event.playback, None) is None:
                return  # stopped, or replaced, while it was
            self._played(line)
        self._deliver(event)
