"""SRTP of one leg: what comes in is made plain, what goes out protected, if its SDP has said so."""

from callwright.engines.media.latch import Source
from callwright.engines.media.media import SrtpKeys
from callwright.engines.media.rtp import Buffer
from callwright.engines.media.sent_stream import Transmit
from callwright.engines.media.srtp import Srtp
from callwright.engines.media.tally import Tally


class Protection:
    """``buffer``: where incoming packets lie. ``send_rtp``, ``send_rtcp``: to the sockets."""

    __slots__ = ("_buffer", "_send_rtcp", "_send_rtp", "_srtp", "_tally")

    def __init__(
        self, buffer: bytearray, send_rtp: Transmit, send_rtcp: Transmit, tally: Tally
    ) -> None:
        self._buffer = buffer
        self._send_rtp = send_rtp
        self._send_rtcp = send_rtcp
        self._tally = tally
        self._srtp: Srtp | None = None

    @property
    def is_on(self) -> bool:
        return self._srtp is not None

    def use(self, keys: SrtpKeys | None) -> Transmit:
        """Protect by these keys from now on, or not at all; return by what RTP is to be sent."""
        if keys is None:
            self._srtp = None
            return self._send_rtp
        if self._srtp is None:
            self._srtp = Srtp(keys)
        else:
            self._srtp.use(keys)
        return self._send_protected

    def plain(self, size: int, *, rtcp: bool) -> int:
        """Put the packet that is in ``buffer`` in its place, made plain; return its size, or 0."""
        if self._srtp is None:
            return size
        protected = bytes(self._buffer[:size])
        plain = self._srtp.unprotect_rtcp(protected) if rtcp else self._srtp.unprotect(protected)
        if plain is None:
            self._tally.unauthentic += 1
            return 0
        self._buffer[: len(plain)] = plain
        return len(plain)

    def send_report(self, packet: Buffer, to: Source) -> None:
        protected = self._srtp.protect_rtcp(packet) if self._srtp else packet
        if protected is not None:
            self._send_rtcp(protected, to)

    def _send_protected(self, packet: Buffer, to: Source) -> None:
        protected = self._srtp.protect(packet) if self._srtp else None
        if protected is not None:
            self._send_rtp(protected, to)
