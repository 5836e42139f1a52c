"""What the media engine costs, and how evenly it sends.

Far ends live in a process of their own and send like phones, 50 packets a second each; CPU time is
the engine's process alone. Delays are measured at the far ends: the sender's clock is written into
the sound and comes out of it again bit by bit.
"""

import asyncio
import math
import multiprocessing
import select
import socket
import struct
import tempfile
import time
import wave
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path

from bench.figures import Figure, milliseconds, none, quantile, share
from callwright.engines.media.engine import RtpEngine
from callwright.engines.media.g711 import FRAME
from callwright.engines.media.media import MediaEvent, RtpStream
from callwright.engines.media.rtp import HEADER
from callwright.engines.port import (
    BridgeId,
    CoachMode,
    LegId,
    Media,
    PlaybackId,
    RecordingFinished,
    RecordingId,
)

HOST = "127.0.0.1"
PORTS = (20000, 29999)
SETTLE = 1.5
MEASURED = 4.0
"Seconds."
RTCP = range(200, 204)
_STAMP = struct.Struct("!8sQ")
_MAGIC = b"callwrig"


class Kind(StrEnum):
    BRIDGED = "bridged calls"
    PLAYING = "playing legs"
    RECORDED = "recorded calls"
    COACHED = "coached calls"


LEGS = {Kind.BRIDGED: 2, Kind.PLAYING: 1, Kind.RECORDED: 2, Kind.COACHED: 3}


@dataclass(slots=True)
class Heard:
    """What the far ends saw."""

    packets: int = 0
    skipped: int = 0
    "Sequence numbers that did not come."
    delays: "array[float]" = field(default_factory=lambda: array("d"))
    "Of stamped packets, from far end to far end, in seconds."


class FarEnds:
    """Phones in a process: they send stamped sound and listen."""

    def __init__(self, count: int) -> None:
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for each in self.sockets:
            each.bind((HOST, 0))
            each.setblocking(False)
        self.ports = [each.getsockname()[1] for each in self.sockets]
        self.heard = Heard()
        self._last: dict[int, int] = {}

    def talk(self, to: Sequence[int], commands: Connection) -> None:
        """Send and listen until told otherwise; every far end at its own moment of the 20 ms."""
        epoll = select.epoll()
        numbers = {each.fileno(): number for number, each in enumerate(self.sockets)}
        for descriptor in numbers:
            epoll.register(descriptor, select.EPOLLIN)
        count, began, sent = len(self.sockets), time.monotonic(), 0
        filling = bytes(range(FRAME - _STAMP.size))
        look_at = 0.0
        while True:
            now = time.monotonic()
            while sent * 0.02 / count <= now - began:
                turn, number = divmod(sent, count)
                packet = HEADER.pack(0x80, 8, turn & 0xFFFF, turn * FRAME, number + 1)
                stamp = _STAMP.pack(_MAGIC, time.monotonic_ns())
                with suppress(BlockingIOError):
                    self.sockets[number].sendto(packet + stamp + filling, (HOST, to[number]))
                sent += 1
            for descriptor, _ in epoll.poll(0.0005, 256):
                number = numbers[descriptor]
                with suppress(BlockingIOError):
                    while True:
                        self._take(number, self.sockets[number].recv(512))
            if now >= look_at:
                look_at = now + 0.05
                if commands.poll():
                    match commands.recv():
                        case "measure":
                            self.heard = Heard()
                        case _:
                            return

    def _take(self, number: int, packet: bytes) -> None:
        if packet[1] in RTCP:  # of a neighbour: RTCP goes to the port after RTP's
            return
        now = time.monotonic_ns()
        heard = self.heard
        heard.packets += 1
        _, _, sequence, timestamp, _ = HEADER.unpack_from(packet)
        if number in self._last:
            heard.skipped += (sequence - self._last[number] - 1) & 0xFFFF
        self._last[number] = sequence
        if packet[12:20] == _MAGIC:
            _, stamped = _STAMP.unpack_from(packet, 12)
            heard.delays.append((now - stamped) / 1e9)


def far_ends(count: int, commands: Connection) -> None:
    ends = FarEnds(count)
    commands.send(ends.ports)
    ends.talk(commands.recv(), commands)
    commands.send(ends.heard)


async def media() -> list[Figure]:
    """Carry legs by the media engine alone, in every way."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="callwright-bench-") as name:
        folder = Path(name)
        write_music(folder / "music.wav")
        for kind, calls, target in (
            (Kind.BRIDGED, 50, 0.0025),
            (Kind.BRIDGED, 200, 0.0025),
            (Kind.PLAYING, 200, 0.0012),
            (Kind.RECORDED, 100, 0.006),
            (Kind.COACHED, 50, None),
        ):
            figures += await measured(kind, calls, target, folder)
    return figures


async def measured(kind: Kind, calls: int, target: float | None, folder: Path) -> list[Figure]:
    legs = LEGS[kind] * calls
    ours, theirs = multiprocessing.Pipe()
    load = multiprocessing.get_context("spawn").Process(target=far_ends, args=(legs, theirs))
    load.start()
    ports = await asyncio.to_thread(ours.recv)
    engine = RtpEngine(HOST, None, PORTS, lost_after=30.0)
    events: list[MediaEvent] = []
    running = asyncio.create_task(engine.run(events.append))
    await asyncio.sleep(0)
    ours.send([engine.open(LegId(number))[1] for number in range(legs)])
    for number in range(legs):
        engine.connect(LegId(number), RtpStream((HOST, ports[number]), "PCMA", 8, 101))
        engine.answered(LegId(number))
    await asyncio.sleep(SETTLE / 2)
    for first in range(0, legs, LEGS[kind]):
        begin(engine, kind, first, folder)
        await asyncio.sleep(0.001)
    await asyncio.sleep(SETTLE / 2)

    ours.send("measure")
    used, began = time.process_time(), time.monotonic()
    await asyncio.sleep(MEASURED)
    used, lasted = time.process_time() - used, time.monotonic() - began
    lateness = engine.send_lateness
    cut = sum(isinstance(told, RecordingFinished) for told in events)
    ours.send("stop")
    heard: Heard = await asyncio.to_thread(ours.recv)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await asyncio.to_thread(load.join)

    what = f"{calls} {kind}"
    figures = [
        share(f"{what}: CPU of each", used / lasted / calls, target),
        none(f"{what}: packets missing", heard.skipped),
    ]
    if kind is Kind.RECORDED:
        figures.append(none(f"{what}: recordings cut short", cut))
    if kind is Kind.BRIDGED:
        figures += [
            milliseconds(f"{what}: far end to far end, p50", quantile(heard.delays, 0.5)),
            milliseconds(f"{what}: far end to far end, p99", quantile(heard.delays, 0.99)),
        ]
    else:
        figures += [
            milliseconds(f"{what}: sent late by, p50", lateness.quantile(0.5)),
            milliseconds(f"{what}: sent late by, p99", lateness.quantile(0.99), 0.005),
        ]
    return figures


def begin(engine: RtpEngine, kind: Kind, first: int, folder: Path) -> None:
    """Let the legs from ``first`` on do what is measured."""
    one, other, third = LegId(first), LegId(first + 1), LegId(first + 2)
    if kind is Kind.PLAYING:
        engine.play(one, PlaybackId(first), Media(folder / "music.wav"), loop=True)
        return
    engine.bridge(BridgeId(first), one, other)
    if kind is Kind.RECORDED:
        engine.record(RecordingId(first), one, other, folder / f"{first}.wav")
    if kind is Kind.COACHED:
        engine.coach(third, one, CoachMode.WHISPER)


def write_music(file: Path) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        tone = (int(8000 * math.sin(2 * math.pi * 440 * n / 16000)) for n in range(16000 * 5))
        sound.writeframes(array("h", tone).tobytes())
