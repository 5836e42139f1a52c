"""Phones: far ends with real sockets, a tone of their own, and ears for what they are sent."""

import asyncio
import socket
from collections.abc import Callable

import numpy as np

from callwright.engines.media.codec import CODECS
from callwright.engines.media.coding import make_decoder, make_encoder
from callwright.engines.media.media import RtpStream
from callwright.engines.media.rtcp import Report
from callwright.engines.media.rtcp import parse as parse_rtcp
from callwright.engines.media.rtp import Packet, build, parse
from tests.waiting import WITHIN

from .desk import EVENT
from .ears import sine, strength

HOST = "127.0.0.1"
LOUD = 1000.0
"Amplitude from which a tone counts as heard; it is sent with 4000 or more."


class Phone(asyncio.DatagramProtocol):
    """Use ``async with Phone(hertz) as phone``; then `call` the engine's port."""

    def __init__(self, hertz: float, codec: str = "PCMA", dtmf: int | None = EVENT) -> None:
        self.codec = CODECS[codec]
        self.hertz = hertz
        self.payload_type = self.codec.payload_type
        self.dtmf = dtmf
        self._encoder = make_encoder(self.codec)
        self._decoder = make_decoder(self.codec)
        self._sounds: list[bytes] = []
        self.came: list[tuple[float, Packet]] = []
        self.reports: list[Report] = []
        self._to: tuple[str, int] | None = None
        self._changed = asyncio.Event()
        self._talking: asyncio.Task[None] | None = None
        self.sequence = 0
        self.timestamp = 0

    async def __aenter__(self) -> "Phone":
        loop = self._loop = asyncio.get_running_loop()
        self._rtp, _ = await loop.create_datagram_endpoint(lambda: self, (HOST, 0))
        self.address: tuple[str, int] = self._rtp.get_extra_info("sockname")[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._talking:
            self._talking.cancel()
        self._rtp.close()

    def datagram_received(self, data: bytes, _: tuple[str | int, int]) -> None:
        if 192 <= data[1] < 224:
            return  # RTCP of a neighbour, whose port is the one before ours
        packet = parse(data)
        assert packet is not None
        self.came.append((self._loop.time(), packet))
        speech = packet.payload_type == self.payload_type
        self._sounds.append(self._decoder.decode(packet.payload) if speech else b"")
        self._changed.set()

    @property
    def stream(self) -> RtpStream:
        clock = self.codec.clock
        return RtpStream(
            self.address, self.codec.name, self.payload_type, self.dtmf, dtmf_clock=clock
        )

    def talk(self, to: tuple[str, int]) -> None:
        """Send the tone, in the time of the loop."""
        self._to = to
        self.talk_on()

    def talk_on(self) -> None:
        self._talking = asyncio.create_task(self._talk())

    def send(self, packet: Packet) -> None:
        assert self._to
        self._rtp.sendto(build(packet), self._to)

    async def _talk(self) -> None:
        due = self._loop.time()
        frame = self.codec.rate // 50
        while True:
            sound = sine(self.hertz, self.codec.rate, frame, self.sequence * frame)
            (payload,) = self._encoder.encode(sound)
            self.send(Packet(self.payload_type, self.sequence, self.timestamp, 5, payload))
            self.sequence += 1
            self.timestamp += self.codec.frame
            due += 0.02
            await asyncio.sleep(due - self._loop.time())

    def hush(self) -> None:
        if self._talking:
            self._talking.cancel()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait, packet by packet, until something is true of what came."""
        async with asyncio.timeout(WITHIN):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def hear(self, packets: int) -> dict[float, bool]:
        """Wait for so many more packets of sound; return which of the tones are in them."""
        begin = len(self.came)
        await self.until(lambda: len(self.came) >= begin + packets)
        return self.tones(begin)

    async def hears(self, *hertz: float, packets: int = 10) -> None:
        """Wait until just these tones are in so many packets on end that come from now on."""
        begin = len(self.came) + packets
        await self.until(lambda: len(self.came) >= begin and self.tones(-packets) == only(*hertz))

    def tones(self, begin: int = 0, end: int | None = None) -> dict[float, bool]:
        return {hertz: self.strength(hertz, begin, end) > LOUD for hertz in TONES}

    def strength(self, hertz: float, begin: int = 0, end: int | None = None) -> float:
        """How strong a tone was in the packets of a stretch."""
        sound = np.frombuffer(b"".join(self._sounds[begin:end]), dtype=np.int16)
        return strength(sound, hertz, self.codec.rate)

    @property
    def packets(self) -> list[Packet]:
        return [packet for _, packet in self.came]


ANN, BOB, MESSAGE, MUSIC = 400.0, 900.0, 1500.0, 2200.0
TONES = (ANN, BOB, MESSAGE, MUSIC)


def only(*hertz: float) -> dict[float, bool]:
    """What `Phone.hear` returns when just these are heard."""
    return {tone: tone in hertz for tone in TONES}


class RtcpEar:
    """The port after an RTP port, held for a far end whose RTCP is of interest."""

    def __init__(self) -> None:
        for _ in range(100):
            self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtp.bind((HOST, 0))
            self.address = (HOST, self.rtp.getsockname()[1])
            try:
                self.rtcp.bind((HOST, self.address[1] + 1))
            except (OSError, OverflowError):
                self.close()
                continue
            self.rtp.settimeout(WITHIN)
            self.rtcp.settimeout(WITHIN)
            return
        raise AssertionError("no free ports on this machine")

    def next_report(self) -> Report | None:
        return parse_rtcp(self.rtcp.recv(2048))

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()
