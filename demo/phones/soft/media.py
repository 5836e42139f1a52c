"""The phone's audio: RTP both ways (RFC 3550), keys as telephone-events (RFC 4733) or as tones."""

import array
import asyncio
import functools
import itertools
import math
import secrets
import socket
import struct
import sys
import time
import wave
from collections import deque
from contextlib import closing
from pathlib import Path

from demo.phones.soft import g711
from demo.phones.soft.facts import Facts
from demo.phones.soft.recorder import RATE, Recorder
from demo.phones.soft.sdp import CODECS, Description

PACKET = RATE // 50
HEADER = struct.Struct(">BBHII")
EVENT = struct.Struct(">BBH")
KEYS = "0123456789*#ABCD"
KEY_PACKETS = 5
"Of 20 ms each; then the end is said three times."
KEY_PAUSE = 3
"Packets of audio between two keys."
# ITU-T Q.23; by telephone-event's numbers: the low tone of a key, and the high one.
LOW = (941, 697, 697, 697, 770, 770, 770, 852, 852, 852, 941, 941, 697, 770, 852, 941)
HIGH = (1336, 1209, 1336, 1477, 1209, 1336, 1477, 1209, 1336, 1477, 1209, 1477, *[1633] * 4)


class BadSound(Exception):
    """The sound the phone was told to play cannot be used; the message says why."""


class Sound:
    """What the phone says, again and again; encoded beforehand, since a call leaves no time."""

    def __init__(self, samples: "array.array[int]") -> None:
        """Take 16 bit samples at 8000 Hz, filled up to whole packets."""
        samples.extend([0] * (-len(samples) % PACKET))
        self._encoded = {codec: g711.encode(samples, codec) for codec in CODECS}

    @classmethod
    def silence(cls) -> "Sound":
        return cls(array.array("h", bytes(2 * PACKET)))

    def packet(self, codec: str, timestamp: int) -> bytes:
        """Return the 20 ms that begin at ``timestamp`` samples, a multiple of `PACKET`."""
        sound = self._encoded[codec]
        start = timestamp % len(sound)
        return sound[start : start + PACKET]

    @classmethod
    def tone(cls, frequency: int, *, level: float = 0.25) -> "Sound":
        """A sine. One second of it, which loops without a seam since ``frequency`` is whole."""
        turn = 2 * math.pi * frequency / RATE
        return cls(
            array.array("h", (round(level * 32767 * math.sin(turn * n)) for n in range(RATE)))
        )

    @classmethod
    def key(cls, key: str) -> "Sound":
        """The two tones of a key, for as long as it is pressed."""
        turns = [2 * math.pi * hertz[KEYS.index(key)] / RATE for hertz in (LOW, HIGH)]
        return cls(
            array.array(
                "h",
                (
                    round(6000 * sum(math.sin(turn * n) for turn in turns))
                    for n in range(KEY_PACKETS * PACKET)
                ),
            )
        )

    @classmethod
    def wav(cls, path: Path) -> "Sound":
        """Read a WAV of 8000 Hz, mono, 16 bit. Raises `BadSound`."""
        try:
            with closing(wave.open(str(path), "rb")) as file:
                if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE):
                    raise BadSound(f"{path}: not mono, 16 bit, {RATE} Hz")
                samples = array.array("h", file.readframes(file.getnframes()))
        except (OSError, EOFError, wave.Error) as fault:
            raise BadSound(f"{path}: {fault}") from fault
        if sys.byteorder == "big":
            samples.byteswap()
        if not samples:
            raise BadSound(f"{path}: empty")
        return cls(samples)


class Media(asyncio.DatagramProtocol):
    """One stream: opened before it is offered, connected when both sides know each other."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.address: tuple[str, int] | None = None
        "Where we take RTP, once it is open."
        self._transports: list[asyncio.DatagramTransport] = []
        self._far: Description | None = None
        self._sender: asyncio.Task[None] | None = None
        self._sound = Sound.silence()
        self._keys: deque[str] = deque()
        self._recorder: Recorder | None = None
        self._heard_first = False
        self._last_event: tuple[int, int] | None = None
        "SSRC and timestamp of the key that came last."
        self._event_ended = True

    async def open(self, host: str) -> tuple[str, int]:
        """Take an even port, and the next one for RTCP, which is only kept quiet."""
        loop = asyncio.get_running_loop()
        for _ in range(100):
            rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            rtp.bind((host, 0))
            port: int = rtp.getsockname()[1]
            rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                if port % 2:
                    raise OSError("odd")
                rtcp.bind((host, port + 1))
            except OSError:
                rtp.close()
                rtcp.close()
                continue
            for sock, protocol in ((rtp, self), (rtcp, asyncio.DatagramProtocol())):
                transport, _unused = await loop.create_datagram_endpoint(
                    functools.partial(_itself, protocol), sock=sock
                )
                self._transports.append(transport)
            self.address = (host, port)
            return self.address
        raise OSError("no pair of free ports")

    def connect(self, far: Description, sound: Sound) -> None:
        """Send ``sound`` to the far end, or change what is sent and where it goes."""
        self._far, self._sound = far, sound
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())

    def record(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def press(self, key: str) -> None:
        """Send a key after those that wait. Raises ValueError for what is on no keypad."""
        KEYS.index(key)
        self._keys.append(key)

    def close(self) -> None:
        if self._sender:
            self._sender.cancel()
        for transport in self._transports:
            transport.close()

    # Sending.

    async def _send(self) -> None:
        """Send a packet every 20 ms of the clock, however late one is sent."""
        # RFC 3550 5.1: both begin anywhere, and wrap around.
        ssrc, sequence = secrets.randbits(32), secrets.randbits(16)
        base, timestamp = secrets.randbits(32), 0
        started = time.monotonic()
        key: _Key | None = None
        pause = 0
        for count in itertools.count(1):
            far = self._far
            assert far is not None
            if key is None and self._keys and not pause:
                key = _Key(self._keys.popleft(), timestamp)
                self._facts.tell("key_sent", key=key.key)
            if key is None:
                pause = max(pause - 1, 0)
                stamp = timestamp
                packets = [(CODECS[far.codec], self._sound.packet(far.codec, timestamp))]
            else:
                if far.events is not None:
                    stamp, packets = key.timestamp, key.next(far.events)
                else:
                    stamp, packets = timestamp, key.next_sounded(far.codec)
                if key.done:
                    key, pause = None, KEY_PAUSE
            for payload_type, payload in packets:
                head = HEADER.pack(
                    0x80, payload_type, sequence & 0xFFFF, base + stamp & 0xFFFFFFFF, ssrc
                )
                sequence += 1
                if far.we_send:
                    self._transports[0].sendto(head + payload, far.address)
            timestamp += PACKET
            await asyncio.sleep(max(0.0, started + count * 0.02 - time.monotonic()))

    # Receiving.

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        arrival = time.monotonic()
        packet = _payload(data)
        if packet is None or self._far is None:
            return
        payload_type, timestamp, ssrc, payload = packet
        if not self._heard_first:
            self._heard_first = True
            self._facts.tell("first_rtp", at=arrival, sender=f"{address[0]}:{address[1]}")
        if payload_type == self._far.events and len(payload) >= EVENT.size:
            self._take_event(ssrc, timestamp, payload, arrival)
            return
        codec = next((name for name, number in CODECS.items() if number == payload_type), None)
        if codec and self._recorder:
            samples = g711.decode(payload, codec)
            self._recorder.place(samples, ssrc=ssrc, timestamp=timestamp, arrival=arrival)

    def _take_event(self, ssrc: int, timestamp: int, payload: bytes, arrival: float) -> None:
        """One key is all packets with one timestamp; it counts with the first that arrives."""
        event, flags, duration = EVENT.unpack_from(payload)
        if event >= len(KEYS):
            return
        if self._last_event != (ssrc, timestamp):
            self._last_event = (ssrc, timestamp)
            self._event_ended = False
            self._facts.tell("key", at=arrival, key=KEYS[event], how="rfc4733")
        if flags & 0x80 and not self._event_ended:
            self._event_ended = True
            self._facts.tell("key_ended", at=arrival, key=KEYS[event], lasted=duration / RATE)


class _Key:
    """One key on its way out, tick by tick: events (RFC 4733 2.5.1), or its two tones."""

    def __init__(self, key: str, timestamp: int) -> None:
        self.key = key
        self.timestamp = timestamp
        self.done = False
        self._ticks = 0

    def next(self, payload_type: int) -> list[tuple[int, bytes]]:
        """Payload types with the marker bit, and payloads."""
        event = KEYS.index(self.key)
        marker = 0 if self._ticks else 0x80
        self._ticks += 1
        duration = min(self._ticks, KEY_PACKETS) * PACKET
        if self._ticks < KEY_PACKETS:
            return [(marker | payload_type, EVENT.pack(event, 10, duration))]
        self.done = True
        return [(payload_type, EVENT.pack(event, 0x80 | 10, duration))] * 3

    def next_sounded(self, codec: str) -> list[tuple[int, bytes]]:
        packet = Sound.key(self.key).packet(codec, self._ticks * PACKET)
        self._ticks += 1
        self.done = self._ticks == KEY_PACKETS
        return [(CODECS[codec], packet)]


def _itself(protocol: asyncio.DatagramProtocol) -> asyncio.DatagramProtocol:
    return protocol


def _payload(data: bytes) -> tuple[int, int, int, bytes] | None:
    """Payload type, timestamp, SSRC and payload of an RTP packet; None if it is none."""
    if len(data) < HEADER.size:
        return None
    first, second, _sequence, timestamp, ssrc = HEADER.unpack_from(data)
    start = HEADER.size + 4 * (first & 15)
    if first >> 6 != 2 or len(data) < start:
        return None
    if first & 0x10:
        if len(data) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data) - (data[-1] if first & 0x20 else 0)
    return second & 0x7F, timestamp, ssrc, data[start:end]
