"""Pool of media workers: the media engine in several processes, by the same commands.

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
from callwright.engines.media.kernel.figures import of_kernel_relay
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
    Relayed,
    Sending,
    Setup,
    read_event,
    read_qualities,
    read_relayed,
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
    RecordingFinished,
    RecordingId,
)
from callwright.engines.quality import Quality
from callwright.figures import Figure

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _WorkerLeg:
    """A leg that is open."""

    supervisor: WorkerSupervisor
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
    supervisor: WorkerSupervisor
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
        *,
        kernel_relay: bool = False,
    ) -> None:
        """As for `callwright.engines.media.engine.RtpEngine`; ``count``: of workers.

        ``kernel_relay``: whether the kernel is to relay talks for them.
        """
        self._host = advertise or host
        self._ports = Ports(host, ports)
        level = logging.getLogger().getEffectiveLevel()
        setup = Setup(lost_after, level, logs.form(), kernel_relay)
        self._supervisors = [WorkerSupervisor(setup, self._heard, self._lost) for _ in range(count)]
        self._lines: dict[LegId, _WorkerLeg] = {}
        self._playbacks: dict[PlaybackId, LegId] = {}
        self._recordings: dict[RecordingId, _Recorded] = {}
        self._sending: dict[WorkerSupervisor, Sending] = {}
        "By worker: packets sent, and sent late, when it last told."
        self._relayed: dict[WorkerSupervisor, Relayed] = {}
        "By worker: streams that the kernel relays for it."
        self._sent_before: Sending = (0, 0)
        "The same of workers that were lost."
        self._deliver: Callable[[MediaEvent], None]

    @property
    def process_ids(self) -> list[int]:
        """Of the workers that are at work."""
        return [
            supervisor.process_id
            for supervisor in self._supervisors
            if supervisor.is_at_work and supervisor.process_id is not None
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
        yield of_kernel_relay(sum(self._relayed.values()))
        yield Figure("callwright_media_workers", "Media workers at work.", len(self.process_ids))

    async def run(
        self, deliver: Callable[[MediaEvent], None], *, started: Callable[[], None] = lambda: None
    ) -> None:
        self._deliver = deliver
        for supervisor in self._supervisors:
            supervisor.prepare()
        try:
            async with asyncio.TaskGroup() as tasks:
                for supervisor in self._supervisors:
                    tasks.create_task(supervisor.keep())
                for supervisor in self._supervisors:
                    await supervisor.settled.wait()
                started()
        finally:
            for supervisor in self._supervisors:
                supervisor.leave()
            for leg in tuple(self._lines):
                self.close(leg)

    # Commands.

    def open(self, leg: LegId, beside: Collection[LegId] = ()) -> tuple[str, int]:
        """Also raises ValueError if the leg is open already."""
        if leg in self._lines:
            raise ValueError(f"leg {leg} is open already")
        supervisor = self._supervisor_beside(beside)
        port = self._ports.take()
        self._lines[leg] = line = _WorkerLeg(supervisor, port)
        self._place(leg, line, supervisor)
        return self._host, port.number

    def _place(self, leg: LegId, line: _WorkerLeg, supervisor: WorkerSupervisor) -> None:
        line.supervisor = supervisor
        supervisor.legs.add(leg)
        supervisor.tell("open", leg, line.port.duplicates())
        for name, arguments in line.told.items():
            supervisor.tell(name, arguments)

    def _take_from_supervisor(self, leg: LegId, line: _WorkerLeg) -> None:
        line.supervisor.legs.discard(leg)
        line.supervisor.tell("close", (leg,))

    def _supervisor_beside(self, beside: Collection[LegId]) -> WorkerSupervisor:
        for other in beside:
            line = self._lines.get(other)
            if line and line.supervisor.is_up:
                return line.supervisor
        up = [supervisor for supervisor in self._supervisors if supervisor.is_up]
        if not up:
            raise NoPorts("no media worker is up")
        # One that is being started takes legs, but lets them wait: only if there is no other.
        return min(up, key=lambda supervisor: (not supervisor.is_at_work, len(supervisor.legs)))

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
        self._take_from_supervisor(leg, line)
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
            self._line(leg).supervisor.tell("stop", (playback,))

    def send_key(self, leg: LegId, key: str) -> None:
        """Also raises ValueError if ``key`` is none."""
        if len(key) != 1 or key not in KEYS:
            raise ValueError(f"{key!r} is no DTMF key")
        self._line(leg).supervisor.tell("send_key", (leg, key))

    def key_named(self, leg: LegId, key: str) -> None:
        """Also raises ValueError if ``key`` is none."""
        if len(key) != 1 or key not in KEYS:
            raise ValueError(f"{key!r} is no DTMF key")
        self._tell_of(leg, "key_named", leg, key)

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
            self._line(ear).supervisor.tell("stop_coaching", (ear,))

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        """Also raises ValueError if both are the same leg, or the recording has begun already."""
        if one == other or recording in self._recordings:
            raise ValueError(f"recording {recording} needs a number of its own, and two legs")
        supervisor = self._line(one).supervisor if other is None else self._join(one, other)
        self._recordings[recording] = _Recorded(one, supervisor, file)
        supervisor.tell("record", (recording, one, other, file))

    def stop_recording(self, recording: RecordingId) -> None:
        if (recorded := self._recordings.get(recording)) is not None:
            recorded.supervisor.tell("stop_recording", (recording,))

    def _line(self, leg: LegId) -> _WorkerLeg:
        line = self._lines.get(leg)
        if line is None:
            raise LegGone(f"leg {leg} has no media")
        return line

    def _tell_of(self, leg: LegId, name: str, *arguments: object) -> None:
        """Tell a command that holds until the next of its kind."""
        line = self._line(leg)
        line.told[name] = arguments
        line.supervisor.tell(name, arguments)

    def _join(self, one: LegId, other: LegId) -> WorkerSupervisor:
        """Bring two legs to one worker, which is returned."""
        line, its = self._line(one), self._line(other)
        if line.supervisor is not its.supervisor:
            if line.joined and its.joined:
                raise ValueError(f"legs {one} and {other} are joined with others elsewhere")
            moving, mover, to = (
                (other, its, line.supervisor) if line.joined else (one, line, its.supervisor)
            )
            log.info("leg %d moves to another media worker", moving)
            self._take_from_supervisor(moving, mover)
            self._place(moving, mover, to)
        line.joined = its.joined = True
        return line.supervisor

    def _played(self, line: _WorkerLeg) -> None:
        line.playback = None
        line.told.pop("play", None)

    def _everywhere(self, name: str, *arguments: object) -> None:
        """Tell all, of whom at most one knows what is spoken of."""
        for supervisor in self._supervisors:
            supervisor.tell(name, arguments)

    # What the workers say.

    def _heard(self, supervisor: WorkerSupervisor, name: bytes, said: bytes) -> None:
        try:
            if name == b"qualities":
                for leg, quality in read_qualities(said):
                    if leg in supervisor.legs:
                        self._lines[leg].quality = quality
            elif name == b"sending":
                self._sending[supervisor] = read_sending(said)
            elif name == b"relayed":
                self._relayed[supervisor] = read_relayed(said)
            else:
                self._tell_soon(supervisor, read_event(name, said))
        except BadLine as fault:
            log.error("a media worker is not understood: %s", fault)

    def _lost(self, supervisor: WorkerSupervisor) -> None:
        # Its successor counts from nought.
        self._relayed.pop(supervisor, None)
        sent, late = self._sending.pop(supervisor, (0, 0))
        self._sent_before = self._sent_before[0] + sent, self._sent_before[1] + late
        for recording, recorded in self._recordings.items():
            if recorded.supervisor is supervisor:
                # In a thread: a disk that does not answer must not keep the calls.
                looking = asyncio.get_running_loop().run_in_executor(
                    None, seconds_of, recorded.file
                )
                looking.add_done_callback(partial(self._cut_off, recording, recorded))
        for leg in supervisor.legs:
            self._tell_soon(supervisor, MediaWorkerLost(leg))

    def _cut_off(
        self, recording: RecordingId, recorded: _Recorded, found: asyncio.Future[float | None]
    ) -> None:
        """Tell of a recording whose worker is lost: what it holds is whole, and goes as far."""
        seconds = found.result()
        fault = "" if seconds else "cut off: the media worker was lost"
        ended = RecordingFinished(recorded.one, recording, seconds or 0.0, fault)
        self._tell(recorded.supervisor, ended)

    def _tell_soon(self, supervisor: WorkerSupervisor, event: MediaEvent) -> None:
        # Each in a call of its own: a listener that fails over one must not cost the others.
        asyncio.get_running_loop().call_soon(self._tell, supervisor, event)

    def _tell(self, supervisor: WorkerSupervisor, event: MediaEvent) -> None:
        if isinstance(event, RecordingFinished):  # perhaps after its leg has been closed
            if self._recordings.pop(event.recording, None):
                self._deliver(event)
            return
        line = self._lines.get(event.leg)
        if line is None or line.supervisor is not supervisor:
            return  # closed while the event was on its way
        if isinstance(event, PlaybackFinished):
            if self._playbacks.pop(event.playback, None) is None:
                return  # stopped, or replaced, while it was
            self._played(line)
        self._deliver(event)
