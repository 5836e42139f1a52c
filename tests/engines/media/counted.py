"""Far ends that count: every packet they send bears a number, and they keep what they are sent."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from callwright.engines.media.rtp import HEADER, RTCP
from tests.namespaces import Host
from tests.waiting import WITHIN

_NUMBERED = Struct("!4sII")
_MAGIC = b"numb"
FRAME = 160
PCMA, EVENTS = 8, 101


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet that came."""

    payload_type: int
    marked: bool
    sequence: int
    timestamp: int
    ssrc: int
    speaker: int | None
    "SSRC of the far end that has made its payload; None: it is none of theirs."
    number: int
    payload: bytes


class CountingPhone:
    """Talks from `talk` to `hang_up`, a packet in 20 ms."""

    def __init__(self, host: Host, address: str, ssrc: int) -> None:
        self.host = host
        self._address = address
        self.ssrc = ssrc
        self.heard: list[Heard] = []
        self.reports = 0
        self.sent = 0
        self._sequence, self._timestamp = 0xFFF0, 0xFFFF_0000
        self._socket = self._made()
        self._to: tuple[str, int] = (address, 9)
        self._talking: asyncio.Task[None] | None = None
        self._came = asyncio.Event()
        self._waits: list[bytes] = []

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._socket.getsockname()
        return host, port

    def talk(self, to: tuple[str, int]) -> None:
        self._to = to
        if self._talking is None:
            self._talking = asyncio.create_task(self._talk())

    def move(self) -> None:
        """Go on from another port; what comes to the old one is heard no more."""
        self._close()
        self._socket = self._made()

    def press(self, event: int) -> None:
        """Send a key by telephone-events in place of the next packets of audio."""
        begin = self._timestamp
        for step in range(1, 6):
            ends = 0x80 if step > 3 else 0
            event_of = bytes([event, ends | 10]) + (FRAME * min(step, 4)).to_bytes(2)
            second = EVENTS | (0x80 if step == 1 else 0)
            self._waits.append(HEADER.pack(0x80, second, 0, begin, self.ssrc) + event_of)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds, looked at with every packet that comes or goes."""
        async with asyncio.timeout(WITHIN):
            while not holds():
                self._came.clear()
                await self._came.wait()

    async def hears(self, speaker: "CountingPhone", packets: int) -> None:
        """Wait for so many packets that the other has yet to send."""
        begun = speaker.sent
        await self.until(
            lambda: (
                sum(each.speaker == speaker.ssrc and each.number >= begun for each in self.heard)
                >= packets
            )
        )

    def numbers_of(self, speaker: "CountingPhone") -> list[int]:
        return [each.number for each in self.heard if each.speaker == speaker.ssrc]

    async def hang_up(self) -> None:
        if self._talking:
            self._talking.cancel()
            await asyncio.wait({self._talking})
            self._talking = None
            self._close()

    def _made(self) -> socket.socket:
        with self.host.entered():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((self._address, 0))
        asyncio.get_running_loop().add_reader(made.fileno(), self._readable)
        return made

    def _close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._send()
            due += 0.02
            await asyncio.sleep(due - loop.time())

    def _send(self) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        if self._waits:
            event = bytearray(self._waits.pop(0))
            event[2:4] = self._sequence.to_bytes(2)
            self._socket.sendto(event, self._to)
        else:
            header = HEADER.pack(0x80, PCMA, self._sequence, self._timestamp, self.ssrc)
            numbered = _NUMBERED.pack(_MAGIC, self.ssrc, self.sent)
            self._socket.sendto(header + numbered.ljust(FRAME, b"\xd5"), self._to)
            self.sent += 1
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
        self._came.set()

    def _readable(self) -> None:
        try:
            packet = self._socket.recv(2048)
        except OSError:  # a checksum that is wrong, or nobody at the other end
            return
        if packet[1] in RTCP:
            self.reports += 1
            return
        _, second, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
        payload = packet[HEADER.size :]
        speaker, number = None, -1
        if payload.startswith(_MAGIC):
            _, speaker, number = _NUMBERED.unpack_from(payload)
        marked = second >= 0x80
        self.heard.append(
            Heard(second & 0x7F, marked, sequence, timestamp, ssrc, speaker, number, payload)
        )
        self._came.set()
