"""The sender: what one leg is sent, one stream whatever its source.

Every 20 ms the slot clock asks for a packet: of a key, else of the playback, else of several others
mixed, else of silence. In between, what a single other says is sent on as it comes, and then the
clock's packet is left out. All of it goes out under one SSRC, sequence numbers run on by one, and
timestamps follow the time that has passed, so that a far end hears one stream and never has to
guess.

No sockets and no clock: ``now`` comes in, packets go out through ``transmit``.
"""

from collections.abc import Callable
from random import getrandbits

from callwright.engines.media import opus
from callwright.engines.media.codec import PCMA, Codec
from callwright.engines.media.event_timeline import EventTimeline
from callwright.engines.media.g711 import TRANSLATION
from callwright.engines.media.kernel.flow import Stream
from callwright.engines.media.key_queue import KeyQueue
from callwright.engines.media.latch import Source
from callwright.engines.media.media import MediaEvent, RtpStream
from callwright.engines.media.mixer import Mixer
from callwright.engines.media.player import Playback
from callwright.engines.media.rtp import HEADER, MARKER, PLAIN, WORD
from callwright.engines.media.sent_stream import SentStream, Transmit
from callwright.engines.media.transcode import Transcoder
from callwright.engines.port import LegId, PlaybackFinished

Post = Callable[[MediaEvent], None]

_WRITE_HEADER = HEADER.pack_into
_HEADER_SIZE = HEADER.size

QUIET_AFTER = 0.06
"Seconds without a packet from the bridge after which the clock sends silence again."

_BURST = 32
_BURST_PER_FRAME = 4
"Packets a bridge may bring at once, and per 20 ms: no flood and no ring of legs gets through."


class Sender(SentStream):
    __slots__ = (
        "_allowance",
        "_codec",
        "_events",
        "_keys",
        "_leg",
        "_mixer",
        "_offset",
        "_playback",
        "_post",
        "_relayed",
        "_relayed_at",
        "_relaying",
        "_sends",
        "_transcoder",
        "bridged_through",
        "connected",
    )

    def __init__(self, leg: LegId, transmit: Transmit, post: Post) -> None:
        super().__init__(transmit)
        self._leg = leg
        self._post = post
        self.connected = False
        self.bridged_through = False
        "Whether packets of the bridge are sent on at the moment."
        self._sends = False
        self._codec = PCMA
        # Sources.
        self._playback: Playback | None = None
        self._keys = KeyQueue(leg, post)
        self._events = EventTimeline()
        self._relaying: int | None = None
        self._relayed = PCMA
        "Codec of the stream being relayed."
        self._transcoder: Transcoder | None = None
        self._offset = 0
        self._relayed_at = -1.0
        self._mixer: Mixer | None = None
        self._allowance = _BURST

    # What the leg is told.

    def connect(self, stream: RtpStream, codec: Codec, now: float) -> None:
        self.take_back()
        if self.connected and codec.clock != self._clock:
            self._begin_another_stream()
        if not self.connected:
            self.connected = True
            self._began = now
        self._codec = codec
        self._clock = codec.clock
        self._frame = codec.frame
        self._payload_type = stream.payload_type
        self._keys.event_type = stream.dtmf_payload_type
        self._keys.event_clock = stream.dtmf_clock
        self._keys.by_info = stream.keys_by_info
        self._sends = stream.sends
        self._choose()

    def _begin_another_stream(self) -> None:
        """Timestamps of another clock need another SSRC (RFC 7160 section 4.1)."""
        self.ssrc = getrandbits(32)
        self._draw()
        self._spurt = True
        self._keys.cut()
        self._events.forget()
        self._relaying = None
        self.connected = False

    def send_to(self, far: Source | None) -> None:
        if far != self.far:
            self.take_back()
            self.far = far
            self._choose()

    def play(self, playback: Playback) -> Playback | None:
        """Play in place of what is played now, which is returned."""
        self.take_back()
        replaced, self._playback = self._playback, playback
        self._spurt = True
        self._choose()
        return replaced

    def stop(self, playback: Playback) -> None:
        if playback is self._playback:
            self._playback = None
            self._choose()

    def press(self, key: str, *, announced: bool = True) -> None:
        """See `KeyQueue.press`."""
        self.take_back()
        self._keys.press(key, announced=announced)
        self._choose()

    def bridge_changed(self, mixer: Mixer | None = None) -> None:
        """Whatever was relayed or mixed up to now is over; the next packet begins a new spurt.

        ``mixer``: what the clock sends in place of silence, if several are heard.
        """
        self.take_back()
        self._mixer = mixer
        self._events.forget()
        self._relaying = None
        self._transcoder = None
        self._relayed_at = -1.0

    # What the slot clock asks for.

    def tick(self, due: float) -> bool:
        """Send what is due every 20 ms; return whether anything was sent."""
        if self._allowance < _BURST:
            self._allowance += _BURST_PER_FRAME
        if not self._sends or self.far is None:
            if self._playback and self.connected:
                self._playback_frame(self._playback)  # nobody listens, but it must come to its end
            return False
        spoken_for = due - self._relayed_at < QUIET_AFTER
        if spoken_for and self._playback is None and not self._keys.busy:
            return False
        if due < self._began:
            return False
        if not self._keep_time(due) and not self._keys.begins_event:
            return False
        frame = self._playback_frame(self._playback) if self._playback else None
        if self._keys.busy and self._send_key():
            return True
        if frame is None:
            if spoken_for:
                return False
            codec = self._codec
            frame = self._mixer.packet(due, codec) if self._mixer else codec.silence
        self._send_audio(frame)
        return True

    def _playback_frame(self, playback: Playback) -> bytes | None:
        frame = playback.next_frame(self._codec)
        if frame is None:
            self.stop(playback)
            if not playback.loop:
                self._post(PlaybackFinished(self._leg, playback.id))
        return frame

    def _send_key(self) -> bool:
        """Send the next step of a key, or nothing in the pause after one."""
        keys = self._keys
        begins = keys.between_keys
        payload = keys.step(self._codec, self._next)
        if not keys.busy:
            self._choose()
        if payload is None:
            return False
        if keys.payload_type is None:
            self._send_audio(payload)
            return True
        if begins:
            # Only the first packet of a key is marked (RFC 4733 section 2.3.1).
            self._spurt = True
        self._send(payload, keys.payload_type, keys.timestamp)
        self._relaying = None
        return True

    def _send_audio(self, frame: bytes) -> None:
        self._send(frame, self._payload_type, self._next)
        self._next = (self._next + self._frame) & WORD
        self._relaying = None

    # What a bridge brings.

    def relay(
        self,
        buffer: bytearray,
        span: tuple[int, int],
        codec: Codec,
        marker: int,
        timestamp: int,
        ssrc: int,
        now: float,
    ) -> None:
        """Send on one audio packet, which is newer than those before it and lies in ``buffer``.

        ``marker`` is 0 or `MARKER`; the rest are its own.
        """
        self._relayed_at = now
        begin, end = span
        if not self.bridged_through or begin >= end or not self._allows():
            return
        ours = self._codec
        if codec is not ours and not (codec.law and ours.law):
            self._transcode(bytes(buffer[begin:end]), codec, timestamp, ssrc, now)
            return
        units = end - begin if ours.bytewise else opus.duration(buffer, begin, end)
        if not units:
            return
        if ssrc != self._relaying or codec is not self._relayed:
            marker = self._anchor(ssrc, codec, timestamp, now)
        placed = (timestamp + self._offset) & WORD
        if (placed - self._next) & WORD >= self._clock:  # a break in the far end's stream
            marker = self._anchor(ssrc, codec, timestamp, now)
            placed = self._next
        self._next = (placed + units) & WORD
        payload = bytes(buffer[begin:end])
        self._spurt = marker != 0
        if codec.law and ours.law:
            payload = payload.translate(TRANSLATION[codec.law, ours.law])
        self._send(payload, self._payload_type, placed)

    def relay_plain(
        self,
        buffer: bytearray,
        end: int,
        codec: Codec,
        marker: int,
        timestamp: int,
        ssrc: int,
        now: float,
    ) -> None:
        """As `relay`, where the payload follows the header and goes on to ``end``.

        Nearly every packet that is relayed continues the one before it, and is through here.
        """
        placed = (timestamp + self._offset) & WORD
        if (
            ssrc != self._relaying
            or codec is not self._codec
            or codec is not self._relayed
            or not codec.bytewise
            or self.far is None
            or not self.bridged_through
            or self._allowance <= 0
            or (placed - self._next) & WORD >= self._clock
        ):
            self.relay(buffer, (_HEADER_SIZE, end), codec, marker, timestamp, ssrc, now)
            return
        self._relayed_at = now
        self._allowance -= 1
        size = end - _HEADER_SIZE
        self._next = (placed + size) & WORD
        self._sequence = sequence = (self._sequence + 1) & 0xFFFF
        self.sent += 1
        self.octets += size
        second = self._payload_type | marker
        _WRITE_HEADER(buffer, 0, PLAIN, second, sequence, placed, self.ssrc)
        self._transmit(buffer[:end], self.far)

    def _transcode(
        self, payload: bytes, codec: Codec, timestamp: int, ssrc: int, now: float
    ) -> None:
        transcoder = self._transcoder
        if transcoder is None or not transcoder.is_of(ssrc, codec, self._codec):
            self._transcoder = transcoder = Transcoder(ssrc, codec, self._codec)
            self._relaying = None
        for number, (at, packet) in enumerate(transcoder.take(payload, timestamp)):
            if number and not self._allows():  # one packet may become six
                return
            jumps = (at + self._offset - self._next) & WORD >= self._clock
            if ssrc != self._relaying or jumps:
                self._anchor(ssrc, codec, at, now)
                self._spurt = True
            placed = (at + self._offset) & WORD
            self._next = (placed + self._frame) & WORD
            self._send(packet, self._payload_type, placed)

    def relay_event(
        self, payload: bytes, timestamp: int, ssrc: int, now: float, *, begins: bool
    ) -> None:
        """Send on a packet of a key, unless its first (``begins``) could not be."""
        self._relayed_at = now
        event_type = self._keys.event_type
        if not self.bridged_through or event_type is None or not self._allows():
            if begins:
                self._events.forget()
            return
        if begins:
            placed = self._begin_event(timestamp, ssrc, now)
            self._events.begin(ssrc, timestamp, placed, self._frame)
        if (at := self._events.place(ssrc, timestamp)) is None:
            return
        self._spurt = begins
        self._send(payload, event_type, at)

    def _begin_event(self, timestamp: int, ssrc: int, now: float) -> int:
        """Find the place of a new event; the time it takes is still that of the audio beside it."""
        placed = (timestamp + self._offset) & WORD
        ahead = ((placed - self._next + 0x80000000) & WORD) - 0x80000000
        if ssrc != self._relaying or abs(ahead) >= self._clock:
            self._keep_time(now)
            return self._next
        if ahead > 0:
            self._next = placed
        return placed

    def takes_events_of(self, other: "Sender") -> bool:
        """Whether telephone-events of another leg's far end can be sent on as they are.

        Not in between what is mixed.
        """
        return (
            self._keys.event_type is not None
            and self._mixer is None
            and other._clock == self._clock
            and other._keys.event_clock == self._keys.event_clock
        )

    def continues(self, codec: Codec, ssrc: int | None) -> bool:
        """Whether the next packet of that stream is sent on with another header, and no more."""
        return (
            self.bridged_through
            and self.is_plain
            and ssrc is not None
            and ssrc == self._relaying
            and codec is self._codec
            and codec is self._relayed
            and not self._spurt
        )

    def relayed_elsewhere(self, sequence: int, timestamp_due: int, at: float) -> None:
        """Go on behind packets of the relayed stream that the kernel has sent on.

        ``timestamp_due``: of the relayed stream. ``at``: when the last of them came, in loop time.
        """
        self._sequence = sequence
        self._next = (timestamp_due + self._offset) & WORD
        self._relayed_at = at

    @property
    def relayed_as(self) -> tuple[Stream, int]:
        """How a relayed stream goes out, and where its next packet begins."""
        out = Stream(self._payload_type, self.ssrc, self._sequence, self._offset & WORD)
        return out, (self._next - self._offset) & WORD

    def _anchor(self, ssrc: int, codec: Codec, timestamp: int, now: float) -> int:
        """Put a relayed stream on our time line from ``now`` on; return the mark this deserves."""
        self._keep_time(now)
        self._relaying = ssrc
        self._relayed = codec
        self._offset = self._next - timestamp
        return MARKER

    def _allows(self) -> bool:
        self._allowance -= 1
        if self._allowance >= 0:
            return True
        self._allowance = 0
        return False

    # Whose turn it is.

    def _choose(self) -> None:
        """See whether the bridge may speak: not over a playback or a key."""
        self.bridged_through = (
            self._sends and self.far is not None and self._playback is None and not self._keys.busy
        )
