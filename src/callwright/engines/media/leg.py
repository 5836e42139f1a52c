"""One leg's incoming media: whose packets are taken, what they say, who gets to hear them.

The other direction is `Sender`'s. No sockets and no clock: packets and ``now`` come in.
"""

from collections.abc import Sequence

from callwright.engines.media.codec import CODECS, PCMA, STATIC, Codec
from callwright.engines.media.heard_keys import HeardKeys
from callwright.engines.media.incoming_keys import IncomingKeys
from callwright.engines.media.jitter_buffer import JitterBuffer
from callwright.engines.media.latch import Latch, Source
from callwright.engines.media.media import MediaLost, RtpStream
from callwright.engines.media.mixer import Mixer
from callwright.engines.media.protection import Protection
from callwright.engines.media.receiver_statistics import ReceiverStatistics
from callwright.engines.media.reports import Reports
from callwright.engines.media.rtp import HEADER, MARKER, PLAIN, RTCP, payload_span
from callwright.engines.media.sender import Post, Sender
from callwright.engines.media.sent_stream import Transmit
from callwright.engines.media.shortcut import Shortcut
from callwright.engines.media.tally import Tally
from callwright.engines.port import LegId
from callwright.engines.quality import Quality

_COMFORT_NOISE = 13
"Payload type of what stands for silence (RFC 3389); we never offer it, some send it all the same."
_READ_HEADER = HEADER.unpack_from
_HEADER_SIZE = HEADER.size
HELD_FOR = 0.2
"""Seconds without a packet up to which its far end is the sole source. With the time between two
looks it is less than `latch.SILENT_FOR`: others are never refused who would have been heard."""


class LegMedia:
    __slots__ = (
        "_answered",
        "_buffer",
        "_codecs",
        "_ears",
        "_event_types",
        "_heard",
        "_heard_at",
        "_heard_keys",
        "_keys",
        "_latch",
        "_listeners",
        "_lost_after",
        "_lost_told",
        "_partner",
        "_plain_type",
        "_post",
        "_protection",
        "_stream",
        "_tally",
        "_tones_wanted",
        "_voice",
        "codec",
        "id",
        "reception",
        "reports",
        "sender",
        "shortcut",
    )

    def __init__(
        self,
        leg: LegId,
        *,
        buffer: bytearray,
        send_rtp: Transmit,
        send_rtcp: Transmit,
        post: Post,
        tally: Tally,
        lost_after: float,
        now: float,
    ) -> None:
        """``buffer`` is where incoming packets lie; legs share it. ``lost_after``: seconds."""
        self.id = leg
        self.sender = Sender(leg, send_rtp, post)
        self.reception = ReceiverStatistics()
        self.shortcut = Shortcut(self.reception, self._heard_elsewhere)
        self._protection = Protection(buffer, send_rtp, send_rtcp, tally)
        self.reports = Reports(self.sender, self.reception, self._protection.send_report, now)
        self._buffer = buffer
        self._post = post
        self._tally = tally
        self._lost_after = lost_after
        self._latch = Latch()
        self._keys = IncomingKeys(leg, self.sender, post)
        self._event_types: tuple[int | None, ...] = ()
        "Payload types under which telephone-events may come in."
        self._tones_wanted = False
        self._heard_keys: HeardKeys | None = None
        self._stream: RtpStream | None = None
        self.codec = PCMA
        "What the far end is sent, once it is connected."
        self._codecs: dict[int, Codec] = {}
        "By payload type, what may come in."
        self._plain_type = -1
        """Payload type of the packets that need nothing but to be counted, kept and relayed, which
        are nearly all; -1: there are none, each is looked at."""
        self._heard_at = now
        self._answered = False
        self._lost_told = False
        self._heard: tuple[LegMedia, ...] = ()
        self._partner: LegMedia | None = None
        # Of the legs that hear this one, and nobody else.
        self._ears: tuple[Sender, ...] = ()
        self._voice: JitterBuffer | None = None
        self._listeners = 0

    # What the leg is told.

    def connect(self, stream: RtpStream, now: float) -> None:
        """Raises ValueError for a codec that is not ours, or an impossible payload type."""
        codec = CODECS.get(stream.codec)
        if codec is None:
            raise ValueError(f"{stream.codec!r} is no codec of ours")
        for number in (stream.payload_type, stream.dtmf_payload_type or 0):
            if not 0 <= number < 0x80:
                raise ValueError(f"{number} is no RTP payload type")
        self.shortcut.end()
        if not (self._stream and self._stream.receives and self._stream.sends):
            self._heard_at = now  # nothing could be expected until now
        self._stream = stream
        if codec.clock != self.codec.clock:
            self.reception.clock = codec.clock
            self._keys.use_clock(codec.clock)
        self.codec = codec
        # A far end sends under its own number, or under ours, if it was we who offered.
        self._codecs = STATIC | {codec.payload_type: codec, stream.payload_type: codec}
        self._event_types = (stream.dtmf_payload_type, stream.own_dtmf_payload_type)
        self.sender.send_through(self._protection.use(stream.srtp))
        self.sender.is_plain = not self._protection.is_on
        self._choose_keys()
        self._latch.signalled(stream.remote, now, strict=not stream.symmetric)
        host, rtcp = stream.remote[0], stream.rtcp_port
        self.reports.told_of = (stream.remote, (host, rtcp)) if rtcp else None
        self.sender.connect(stream, codec, now)
        self.sender.send_to(self._latch.far)
        self._choose_plain()

    def _choose_plain(self) -> None:
        self.shortcut.end()
        stream = self._stream
        plain = (
            stream is not None
            and stream.receives
            and stream.payload_type not in self._event_types
            and not self._protection.is_on
            and self._heard_keys is None
        )
        self._plain_type = stream.payload_type if stream and plain else -1

    def listen_for_keys(self, *, wanted: bool) -> None:
        """Look for keys in the sound of a far end that has no telephone-events, or no longer."""
        self._tones_wanted = wanted
        self._choose_keys()

    def _choose_keys(self) -> None:
        """A far end that has telephone-events is taken by its word: its tones are not keys."""
        stream = self._stream
        if not self._tones_wanted or stream is None or stream.dtmf_payload_type is not None:
            self._heard_keys = None
        elif self._heard_keys is None:
            self._heard_keys = HeardKeys()
        self._choose_plain()

    def hear(self, speakers: Sequence["LegMedia"], partner: "LegMedia | None" = None) -> None:
        """Let this leg's far end hear others', in place of whom it heard before.

        One of them is relayed, several are mixed. The keys of ``partner`` are sent on, too.
        """
        if self._partner:
            self._partner._keys.to = None
        self._partner = partner
        if partner:
            partner._keys.to = self.sender
        before, self._heard = self._heard, tuple(speakers)
        if self._heard == before:
            return
        mixer = None
        if len(self._heard) == 1:
            self._heard[0].shortcut.end()
            self._heard[0]._ears += (self.sender,)
        elif self._heard:
            mixer = Mixer([speaker.listen() for speaker in self._heard])
        if len(before) == 1:
            before[0]._ears = tuple(ear for ear in before[0]._ears if ear is not self.sender)
        else:
            for speaker in before:
                speaker.unlisten()
        self.sender.bridge_changed(mixer)

    def listen(self) -> JitterBuffer:
        """Return what the far end says, for whoever mixes or records it; see `unlisten`."""
        self.shortcut.end()
        self._listeners += 1
        if self._voice is None:
            self._voice = JitterBuffer(self.reception, self.codec.rate)
        return self._voice

    def unlisten(self) -> None:
        """Give back what `listen` returned: without listeners nothing is kept."""
        self._listeners -= 1
        if not self._listeners:
            self._voice = None

    def sole_source(self, now: float) -> Source | None:
        """From where alone a packet can be taken now, so that the kernel may refuse all others.

        That is the address SDP has named while its packets come: whoever else wants to be believed
        must wait for its silence (see `Latch`). SRTP vouches for packets from anywhere.
        """
        if self._protection.is_on or now - self._heard_at >= HELD_FOR:
            return None
        return self._latch.sole

    def ear_of_plain(self, now: float) -> tuple[Sender, int] | None:
        """Who hears this leg packet for packet, if that is all that is done with its packets.

        With him, the payload type of those packets.
        """
        steady = self._latch.locked and now - self._heard_at < HELD_FOR
        if len(self._ears) != 1 or self._voice or self._plain_type < 0 or not steady:
            return None
        ear = self._ears[0]
        continues = ear.continues(self.codec, self.reception.ssrc)
        return (ear, self._plain_type) if continues else None

    def _heard_elsewhere(self, at: float) -> None:
        self._heard_at = max(self._heard_at, at)

    def answered(self, now: float) -> None:
        self._answered = True
        self._heard_at = now

    def tick(self, now: float, wall: float) -> None:
        """Look, now and then, whether a report is due and whether the far end has fallen silent."""
        stream = self._stream
        if stream is None:
            return
        if self.reports.is_due(now):
            self._catch_up()
            self.reports.tick(now, wall)
        elif self.shortcut.flow is not None:
            self._heard_elsewhere(self.shortcut.last_at)
        # Who has put us on hold owes us nothing, whether it still may send or not; nor does one
        # that has named no address, the hold of RFC 2543.
        talks = stream.receives and stream.sends
        owing = self._answered and talks and self._latch.far is not None
        if self._lost_told or not owing:
            return
        if now - self._heard_at >= self._lost_after:
            self._lost_told = True
            self._post(MediaLost(self.id))

    def take_back(self) -> None:
        """Relay by ourselves again, both ways."""
        self.shortcut.end()
        self.sender.take_back()

    def _catch_up(self) -> None:
        """Know what the kernel has relayed, both ways."""
        self.shortcut.catch_up()
        if self.sender.shortcut is not None:
            self.sender.shortcut.catch_up()

    def quality(self) -> Quality:
        self._catch_up()
        return self.reports.quality()

    # What comes in.

    def rtp_arrived(self, size: int, source: Source, now: float) -> None:
        """Take the packet in ``buffer[:size]``."""
        buffer = self._buffer
        if self.shortcut.flow is not None:
            self.shortcut.packet_came(buffer, source == self._latch.far)
        first, second, sequence, timestamp, ssrc = _READ_HEADER(buffer)
        latch = self._latch
        if (
            second & 0x7F == self._plain_type
            and first == PLAIN
            and latch.locked
            and source == latch.far
            and _HEADER_SIZE < size < len(buffer)
        ):
            self._heard_at = now
            newest = self.reception.take(ssrc, sequence, timestamp, now)
            if self._voice is not None:
                payload = bytes(buffer[_HEADER_SIZE:size])
                self._voice.take(payload, self.codec, timestamp, ssrc, now)
            if not newest:
                self._tally.overtaken += 1
                return
            for ear in self._ears:
                ear.relay_plain(buffer, size, self.codec, second & MARKER, timestamp, ssrc, now)
            return
        self._look_at(size, source, now)

    def _look_at(self, size: int, source: Source, now: float) -> None:
        """Take a packet that is not certain to be plain audio of the far end."""
        buffer = self._buffer
        stream = self._stream
        if stream is None:
            return
        if self._protection.is_on:
            size = self._protection.plain(size, rtcp=size > 1 and buffer[1] in RTCP)
            if not size:
                return
        if buffer[0] == PLAIN and HEADER.size <= size < len(buffer):
            span = (HEADER.size, size)
        else:
            found = payload_span(buffer, size) if size < len(buffer) else None
            if found is None:
                self._tally.malformed += 1
                return
            span = found
        _, second, sequence, timestamp, ssrc = HEADER.unpack_from(buffer)
        payload_type = second & 0x7F
        codec = self._codecs.get(payload_type)
        latch = self._latch
        if not (latch.locked and source == latch.far):
            if second in RTCP:
                self._report_arrived(size, source, now)
                return
            events = self._event_types
            known = codec is not None or payload_type in events or payload_type == _COMFORT_NOISE
            if not known or not latch.admits(
                source,
                ssrc,
                sequence,
                now,
                heard_at=self._heard_at,
                heard=self.reception.ssrc,
                authentic=self._protection.is_on,
            ):
                self._tally.forged += 1
                return
            self.shortcut.end()
            self.sender.send_to(latch.far)
        elif second in RTCP:
            self._report_arrived(size, source, now)
            return
        self._heard_at = now
        newest = self.reception.take(ssrc, sequence, timestamp, now)
        if not stream.receives:
            return
        if payload_type in self._event_types:
            payload = bytes(buffer[span[0] : span[1]])
            self._keys.event_came(payload, second & MARKER != 0, timestamp, ssrc, newest, now)
            return
        if codec is None:
            return  # comfort noise: the clock fills up with silence
        if self._voice is not None:
            payload = bytes(buffer[span[0] : span[1]])
            self._voice.take(payload, codec, timestamp, ssrc, now)
        if not newest:
            self._tally.overtaken += 1
            return
        if self._heard_keys is not None:
            payload = bytes(buffer[span[0] : span[1]])
            key = self._heard_keys.take(payload, codec, timestamp, ssrc)
            if key:
                self._keys.sounded(key, now)
        for ear in self._ears:
            ear.relay(buffer, span, codec, second & MARKER, timestamp, ssrc, now)

    def rtcp_arrived(self, size: int, source: Source, now: float) -> None:
        """Take the RTCP packet in ``buffer[:size]``."""
        size = self._protection.plain(size, rtcp=True)
        if size:
            self._report_arrived(size, source, now)

    def _report_arrived(self, size: int, source: Source, now: float) -> None:
        """Take a report, which must come from RTP's host."""
        far = self._latch.far
        if far is None or source[0] != far[0]:
            self._tally.forged += 1
        elif self.reports.arrived(memoryview(self._buffer)[:size], now):
            self._heard_at = now
        else:
            self._tally.malformed += 1

    def key_named(self, key: str, now: float) -> None:
        """Take a key that the far end has named by the signalling."""
        self._keys.named(key, now)
