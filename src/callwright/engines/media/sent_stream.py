"""The one stream that a leg is sent: one SSRC, and sequence numbers that run on by one."""

from collections.abc import Callable
from random import getrandbits
from typing import Protocol

from callwright.engines.media.codec import PCMA
from callwright.engines.media.latch import Source
from callwright.engines.media.rtp import HEADER, MARKER, PLAIN, Buffer
from callwright.engines.media.time_line import TimeLine

Transmit = Callable[[Buffer, Source], object]


class ShortWay(Protocol):
    """Sends on what is relayed, past this process; the slot clock does not ask for packets then."""

    def catch_up(self) -> None:
        """Let the stream know what has been sent up to now."""

    def end(self) -> None:
        """Send no more, and catch up."""


class SentStream(TimeLine):
    __slots__ = (
        "_payload_type",
        "_sequence",
        "_spurt",
        "_transmit",
        "far",
        "is_plain",
        "local",
        "octets",
        "sent",
        "shortcut",
        "ssrc",
    )

    def __init__(self, transmit: Transmit) -> None:
        super().__init__()
        self._transmit = transmit
        self.ssrc = getrandbits(32)
        self.sent = 0
        self.octets = 0
        "Payload bytes sent, for RTCP."
        self.far: Source | None = None
        "Where packets go."
        self.local: Source | None = None
        "From where."
        self.is_plain = True
        "Packets go out as they are made here (no SRTP)."
        self.shortcut: ShortWay | None = None
        "Who sends in our place at the moment; whatever changes what is sent takes it back first."
        self._payload_type = PCMA.payload_type
        # Not from its upper half: with SRTP, a wrap among first packets that are lost would leave
        # the far end a turn of the cipher behind, for good (RFC 3711 section 3.3.1).
        self._sequence = getrandbits(15)
        self._spurt = True

    def send_through(self, transmit: Transmit) -> None:
        self._transmit = transmit

    def take_back(self) -> None:
        """Be the only one to send again."""
        if self.shortcut is not None:
            self.shortcut.end()

    def _send(self, payload: bytes, payload_type: int, timestamp: int) -> None:
        if self._spurt:
            payload_type |= MARKER
            self._spurt = False
        self._sequence = sequence = (self._sequence + 1) & 0xFFFF
        self.sent += 1
        self.octets += len(payload)
        assert self.far is not None
        self._transmit(
            HEADER.pack(PLAIN, payload_type, sequence, timestamp, self.ssrc) + payload, self.far
        )
