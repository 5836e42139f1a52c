"""What does the media engine cost, and how evenly does it send?

Run ``.venv/bin/python bench/media.py``. Far ends live in a process of their own and send like
phones, 50 packets a second each; CPU time is the engine's process alone. Delays are measured at
the far ends: the sender's clock is written into the sound and comes out of it again bit by bit.
"""

import argparse
import asyncio
import math
import multiprocessing
import os
import resource
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
from multiprocessing.connection import Connection
from pathlib import Path

from callwright.engines.media.engine import RtpEngine
from callwright.engines.media.g711 import FRAME
from callwright.engines.media.media import MediaEvent, Stream
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

KINDS = ("bridged", "recorded", "coached", "playing")
"Two legs; two with a recording; three, of which one coaches; one that hears music."
HOST = "127.0.0.1"
PORTS = (20000, 29999)
SETTLE = 1.5
RTCP = range(200, 204)
_STAMP = struct.Struct("!8sQ")
_MAGIC = b"callwrig"


@dataclass(slots=True)
class Heard:
    """What the far ends saw."""

    packets: int = 0
    skipped: int = 0
    "Sequence numbers that did not come."
    delays: "array[float]" = field(default_factory=lambda: array("d"))
    "Of stamped packets, from far end to far end, in seconds."
    spread: "array[float]" = field(default_factory=lambda: array("d"))
    "Of all packets, how far the time between two was from 20 ms, in seconds."
    joined_at: dict[int, int] = field(default_factory=dict)
    "By far end: when its first stamped packet came, in ns."


class FarEnds:
    """Phones in a process: they send stamped sound and listen."""

    def __init__(self, count: int) -> None:
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for each in self.sockets:
            each.bind((HOST, 0))
            each.setblocking(False)
        self.ports = [each.getsockname()[1] for each in self.sockets]
        self.heard = Heard()
        self._last: dict[int, tuple[int, float]] = {}

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
                            self.heard = Heard(joined_at=self.heard.joined_at)
                        case _:
                            return

    def _take(self, number: int, packet: bytes) -> None:
        if packet[1] in RTCP:  # of a neighbour: RTCP goes to the port after RTP's
            return
        now = time.monotonic_ns()
        heard = self.heard
        heard.packets += 1
        _, _, sequence, timestamp, _ = HEADER.unpack_from(packet)
        at = now / 1e9
        if number in self._last:
            before, came = self._last[number]
            heard.skipped += (sequence - before - 1) & 0xFFFF
            heard.spread.append(abs(at - came - 0.02))
        self._last[number] = (sequence, at)
        if packet[12:20] == _MAGIC:
            _, stamped = _STAMP.unpack_from(packet, 12)
            heard.delays.append((now - stamped) / 1e9)
            heard.joined_at.setdefault(number, now)


def far_ends(count: int, commands: Connection) -> None:
    ends = FarEnds(count)
    commands.send(ends.ports)
    ends.talk(commands.recv(), commands)
    commands.send(ends.heard)


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


async def measure(kind: str, calls: int, seconds: float, music: Path) -> None:
    legs = calls * {"bridged": 2, "recorded": 2, "coached": 3, "playing": 1}[kind]
    ours, theirs = multiprocessing.Pipe()
    load = multiprocessing.get_context("spawn").Process(target=far_ends, args=(legs, theirs))
    load.start()
    ports = await asyncio.to_thread(ours.recv)

    events: list[MediaEvent] = []
    engine = RtpEngine(HOST, None, PORTS, lost_after=30.0)
    running = asyncio.create_task(engine.run(events.append))
    await asyncio.sleep(0)
    to = [engine.open(LegId(number))[1] for number in range(legs)]
    ours.send(to)
    for number in range(legs):
        engine.connect(LegId(number), Stream((HOST, ports[number]), "PCMA", 8, 101))
        engine.answered(LegId(number))
        if kind == "playing":
            engine.play(LegId(number), PlaybackId(number), Media(music), loop=True)
    await asyncio.sleep(SETTLE / 2)
    bridged_at: dict[int, int] = {}
    if kind != "playing":
        for one in range(0, calls * 2, 2):
            operator, contact = LegId(one), LegId(one + 1)
            bridged_at[contact] = time.monotonic_ns()
            if kind != "coached":  # what is mixed has no stamp any more
                bridged_at[operator] = bridged_at[contact]
            engine.bridge(BridgeId(one), operator, contact)
            if kind == "coached":
                engine.coach(LegId(calls * 2 + one // 2), operator, CoachMode.WHISPER)
            if kind == "recorded":
                file = music.parent / f"{calls}" / f"{one}.wav"
                engine.record(RecordingId(one), operator, contact, file)
            await asyncio.sleep(0.001)
    await asyncio.sleep(SETTLE / 2)

    ours.send("measure")
    used, began = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    used, lasted = time.process_time() - used, time.monotonic() - began
    lateness = engine.send_lateness
    sent_before = lateness.sent
    faults = [told for told in events if isinstance(told, RecordingFinished) and told.fault]
    ours.send("stop")
    heard: Heard = await asyncio.to_thread(ours.recv)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await asyncio.to_thread(load.join)

    share = 100 * used / lasted
    print(
        f"{kind:8} {calls:4}  engine {share:5.1f} % of a core, {share / calls:.3f} % each;  "
        f"{heard.packets / lasted:6.0f} packets/s, {heard.skipped} missing"
    )
    spread = heard.spread
    print(
        f"{'':14} at the far ends: off 20 ms by p50 {quantile(spread, 0.5) * 1e3:.2f}, "
        f"p99 {quantile(spread, 0.99) * 1e3:.2f} ms"
    )
    if faults:
        print(f"{'':14} {len(faults)} recordings ended: {faults[0].fault}")
    if heard.delays:
        joins = [
            (heard.joined_at[number] - at) / 1e9
            for number, at in bridged_at.items()
            if number in heard.joined_at
        ]
        print(
            f"{'':14} far end to far end: p50 {quantile(heard.delays, 0.5) * 1e3:.2f}, "
            f"p99 {quantile(heard.delays, 0.99) * 1e3:.2f} ms;  "
            f"bridge to first packet: p99 {quantile(joins, 0.99) * 1e3:.1f} ms"
        )
    if sent_before:
        print(
            f"{'':14} clock's packets late by p50 {lateness.quantile(0.5) * 1e3:.1f}, "
            f"p99 {lateness.quantile(0.99) * 1e3:.1f} ms;  {engine.packets_late} over 5 ms "
            f"of {lateness.sent}"
        )


def write_music(file: Path) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        tone = (int(8000 * math.sin(2 * math.pi * 440 * n / 16000)) for n in range(16000 * 5))
        sound.writeframes(array("h", tone).tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="measured per row")
    parser.add_argument("--calls", type=int, nargs="*", default=[50, 200])
    parser.add_argument("--kind", choices=KINDS, nargs="*")
    wanted = parser.parse_args()
    wide = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wide, 8192), wide))
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        music = Path(folder) / "music.wav"
        write_music(music)
        for kind in wanted.kind or KINDS:
            for calls in wanted.calls:
                asyncio.run(measure(kind, calls, wanted.seconds, music))


if __name__ == "__main__":
    main()
