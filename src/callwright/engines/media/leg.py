"""One leg's incoming media: whose packets are taken, what they say, who gets to hear them.

The other direction is `Sender`'s. No sockets and no clock: packets and ``now`` come in.
"""

from collections.abc import Sequence

from callwright.engines.media.codec import CODECS, PCMA, STATIC, Codec
from callwright.engines.media.dtmf import KeyReceiver, is_key
from callwright.engines.media.heard_keys import HeardKeys
from callwright.engines.media.jitter_buffer import JitterBuffer
from callwright.engines.media.key_presses import KeyPresses, Means
from callwright.engines.media.latch import Latch, Source
from callwright.engines.media.media import MediaLost, RtpStream, SrtpKeys
from callwright.engines.media.mixer import Mixer
from callwright.engines.media.quality import mean_opinion
from callwright.engines.media.receiver_statistics import ReceiverStatistics
from callwright.engines.media.reports import Reports
from callwright.engines.media.rtp import HEADER, MARKER, PLAIN, Buffer, payload_span
from callwright.engines.media.sender import Post, Sender, Transmit
from callwright.engines.media.srtp import Srtp
from callwright.engines.media.tally import Tally
from callwright.engines.port import DtmfReceived, LegId
from callwright.engines.quality import Quality

_COMFORT_NOISE = 13
"Payload type of what stands for silence (RFC 3389); we never offer it, some send it all the same."
_RTCP = range(192, 224)
"Second byte of RTCP that comes in on RTP's port (RFC 5761 section 4)."


class LegMedia:
    __slots__ = (
        "_answered",
        "_buffer",
        "_codecs",
        "_ears",
        "_event_begins",
        "_event_types",
        "_events_to",
        "_heard",
        "_heard_at",
        "_heard_keys",
        "_keys",
        "_keys_to",
        "_latch",
        "_listeners",
        "_lost_after",
        "_lost_told",
        "_partner",
        "_post",
        "_presses",
        "_send_rtcp",
        "_send_rtp",
        "_srtp",
        "_stream",
        "_tally",
        "_tones_wanted",
        "_voice",
        "codec",
        "id",
        "reception",
        "reports",
        "sender",
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
        self.reports = Reports(self.sender, self.reception, self._send_report, now)
        self._send_rtp = send_rtp
        self._send_rtcp = send_rtcp
        self._srtp: Srtp | None = None
        self._buffer = buffer
        self._post = post
        self._tally = tally
        self._lost_after = lost_after
        self._latch = Latch()
        self._keys = KeyReceiver()
        self._presses = KeyPresses()
        self._event_types: tuple[int | None, ...] = ()
        "Payload types under which telephone-events may come in."
        self._events_to: Sender | None = None
        "To whom the event that is coming in is sent on, packet for packet."
        self._event_begins = False
        "Nothing of it has been sent on yet."
        self._tones_wanted = False
        self._heard_keys: HeardKeys | None = None
        self._stream: RtpStream | None = None
        self.codec = PCMA
        "What the far end is sent, once it is connected."
        self._codecs: dict[int, Codec] = {}
        "By payload type, what may come in."
        self._heard_at = now
        self._answered = False
        self._lost_told = False
        self._heard: tuple[LegMedia, ...] = ()
        self._partner: LegMedia | None = None
        # Of the legs that hear this one, and nobody else; and of the one that gets its keys.
        self._ears: tuple[Sender, ...] = ()
        self._keys_to: Sender | None = None
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
        if not (self._stream and self._stream.receives and self._stream.sends):
            self._heard_at = now  # nothing could be expected until now
        self._stream = stream
        if codec.clock != self.codec.clock:
            self.reception.clock = codec.clock
            self._keys = KeyReceiver(codec.clock)
        self.codec = codec
        # A far end sends under its own number, or under ours, if it was we who offered.
        self._codecs = STATIC | {codec.payload_type: codec, stream.payload_type: codec}
        self._event_types = (stream.dtmf_payload_type, stream.own_dtmf_payload_type)
        self._protect(stream.srtp)
        self._choose_keys()
        self._latch.signalled(stream.remote, now, strict=not stream.symmetric)
        host, rtcp = stream.remote[0], stream.rtcp_port
        self.reports.told_of = (stream.remote, (host, rtcp)) if rtcp else None
        self.sender.connect(stream, codec, now)
        self.sender.send_to(self._latch.far)

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

    def _protect(self, keys: SrtpKeys | None) -> None:
        if keys is None:
            self._srtp = None
        elif self._srtp is None:
            self._srtp = Srtp(keys)
        else:
            self._srtp.use(keys)
        self.sender.send_through(self._send_rtp if keys is None else self._send_protected)

    def hear(self, speakers: Sequence["LegMedia"], partner: "LegMedia | None" = None) -> None:
        """Let this leg's far end hear others', in place of whom it heard before.

        One of them is relayed, several are mixed. The keys of ``partner`` are sent on, too.
        """
        if self._partner:
            self._partner._keys_to = None
        self._partner = partner
        if partner:
            partner._keys_to = self.sender
        before, self._heard = self._heard, tuple(speakers)
        if self._heard == before:
            return
        mixer = None
        if len(self._heard) == 1:
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
        self._listeners += 1
        if self._voice is None:
            self._voice = JitterBuffer(self.reception, self.codec.rate)
        return self._voice

    def unlisten(self) -> None:
        """Give back what `listen` returned: without listeners nothing is kept."""
        self._listeners -= 1
        if not self._listeners:
            self._voice = None

    def answered(self, now: float) -> None:
        self._answered = True
        self._heard_at = now

    def tick(self, now: float, wall: float) -> None:
        """Look, now and then, whether a report is due and whether the far end has fallen silent."""
        stream = self._stream
        if stream is None:
            return
        self.reports.tick(now, wall)
        # Who has put us on hold owes us nothing, whether it still may send or not; nor does one
        # that has named no address, the hold of RFC 2543.
        talks = stream.receives and stream.sends
        owing = self._answered and talks and self._latch.far is not None
        if self._lost_told or not owing:
            return
        if now - self._heard_at >= self._lost_after:
            self._lost_told = True
            self._post(MediaLost(self.id))

    def quality(self) -> Quality:
        reception, reports, sent = self.reception, self.reports, self.sender.sent
        far_lost = min(reports.far_lost, sent)  # it may say whatever it likes
        opinion = None
        if reception.received:
            far_loss = far_lost / sent if sent else 0.0
            opinion = mean_opinion(
                loss=max(reception.lost / reception.expected, far_loss),
                delay=(reports.round_trip or 0.0) / 2,
                jitter=reception.jitter,
            )
        return Quality(
            sent=sent,
            received=reception.received,
            lost=reception.lost,
            far_lost=far_lost,
            jitter=reception.jitter,
            round_trip=reports.round_trip,
            mos=opinion,
        )

    # What comes in.

    def rtp_arrived(self, size: int, source: Source, now: float) -> None:
        """Take the packet in ``buffer[:size]``."""
        buffer = self._buffer
        stream = self._stream
        if stream is None:
            return
        if self._srtp is not None:
            size = self._unprotected(self._srtp, size, rtcp=size > 1 and buffer[1] in _RTCP)
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
            if second in _RTCP:
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
                authentic=self._srtp is not None,
            ):
                self._tally.forged += 1
                return
            self.sender.send_to(latch.far)
        elif second in _RTCP:
            self._report_arrived(size, source, now)
            return
        self._heard_at = now
        newest = self.reception.take(ssrc, sequence, timestamp, now)
        if not stream.receives:
            return
        if payload_type in self._event_types:
            self._event_arrived(span, second & MARKER, timestamp, ssrc, newest, now)
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
            if key and self._presses.is_new(key, Means.TONE, now):
                self._post(DtmfReceived(self.id, key))
        for ear in self._ears:
            ear.relay(buffer, span, codec, second & MARKER, timestamp, ssrc, now)

    def rtcp_arrived(self, size: int, source: Source, now: float) -> None:
        """Take the RTCP packet in ``buffer[:size]``."""
        if self._srtp is not None:
            size = self._unprotected(self._srtp, size, rtcp=True)
        if size:
            self._report_arrived(size, source, now)

    def _unprotected(self, srtp: Srtp, size: int, *, rtcp: bool) -> int:
        """Put the packet that is protected in ``buffer`` in its place; return its size, or 0."""
        protected = bytes(self._buffer[:size])
        plain = srtp.unprotect_rtcp(protected) if rtcp else srtp.unprotect(protected)
        if plain is None:
            self._tally.unauthentic += 1
            return 0
        self._buffer[: len(plain)] = plain
        return len(plain)

    def _report_arrived(self, size: int, source: Source, now: float) -> None:
        """Take a report, which must come from RTP's host."""
        far = self._latch.far
        if far is None or source[0] != far[0]:
            self._tally.forged += 1
        elif self.reports.arrived(memoryview(self._buffer)[:size], now):
            self._heard_at = now
        else:
            self._tally.malformed += 1

    def _event_arrived(
        self,
        span: tuple[int, int],
        marker: int,
        timestamp: int,
        ssrc: int,
        newest: bool,
        now: float,
    ) -> None:
        payload = bytes(self._buffer[span[0] : span[1]])
        if not is_key(payload):
            return
        ear = self._keys_to
        if key := self._keys.take(ssrc, timestamp, bool(marker), payload):
            self._events_to = None
            if self._presses.is_new(key, Means.EVENT, now):
                self._post(DtmfReceived(self.id, key))
                if ear is not None and ear.takes_events_of(self.sender):
                    self._events_to, self._event_begins = ear, True
                elif ear is not None:
                    # It has another clock or no telephone-events, or hears more than us.
                    ear.press(key, announced=False)
        else:
            self._presses.goes_on(now)
        if ear is None or ear is not self._events_to or not ear.takes_events_of(self.sender):
            return  # a key is for whoever hears its beginning
        if newest:
            ear.relay_event(payload, timestamp, ssrc, now, begins=self._event_begins)
            self._event_begins = False

    def key_named(self, key: str, now: float) -> None:
        """Take a key that the far end has named by the signalling."""
        if self._presses.is_new(key, Means.INFO, now):
            self._post(DtmfReceived(self.id, key))
            if self._keys_to is not None:
                self._keys_to.press(key, announced=False)

    # What goes out.

    def _send_protected(self, packet: Buffer, to: Source) -> None:
        protected = self._srtp.protect(packet) if self._srtp else None
        if protected is not None:
            self._send_rtp(protected, to)

    def _send_report(self, packet: Buffer, to: Source) -> None:
        protected = self._srtp.protect_rtcp(packet) if self._srtp else packet
        if protected is not None:
            self._send_rtcp(protected, to)
