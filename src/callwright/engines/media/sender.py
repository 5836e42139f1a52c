"""The sender: what one leg is sent, one stream whatever its source.

Every 20 ms the slot clock asks for a packet: of a key, else of the playback, else of silence. In
between, what a bridge brings is sent on as it comes, and then the clock's packet is left out. All
of it goes out under one SSRC, sequence numbers run on by one, and timestamps follow the time that
has passed, so that a far end hears one stream and never has to guess.

No sockets and no clock: ``now`` comes in, packets go out through ``transmit``.
"""

import logging
from collections import deque
from collections.abc import Callable
from random import getrandbits

from callwright.engines.media.dtmf import event_payloads
from callwright.engines.media.g711 import FRAME, RATE, SILENCE, TRANSLATION, Law
from callwright.engines.media.latch import Source
from callwright.engines.media.media import MediaEvent, Stream
from callwright.engines.media.player import Playback
from callwright.engines.media.rtp import HEADER, MARKER, PLAIN, WORD, Buffer
from callwright.engines.media.tones import tone_frames
from callwright.engines.port import DtmfSent, LegId, PlaybackFinished

log = logging.getLogger(__name__)

Transmit = Callable[[Buffer, Source], object]
Post = Callable[[MediaEvent], None]

KEYS_WAITING = 256
"Keys that may wait on one leg; more are dropped."
QUIET_AFTER = 0.06
"Seconds without a packet from the bridge after which the clock sends silence again."

_LEAD = FRAME // 2
"How far a stream may run ahead of the time before a frame is left out."
_DRIFT = 2 * FRAME
"Further ahead than switching sources can bring it: the other clock is fast, ours gives way."
_JUMP = RATE
"A relayed timestamp that goes on by more than a second is a break in the far end's stream."
_BURST = 32
_BURST_PER_FRAME = 4
"Packets a bridge may bring at once, and per 20 ms: no flood and no ring of legs gets through."


class Sender:
    __slots__ = (
        "_allowance",
        "_began",
        "_event_type",
        "_frames",
        "_key_timestamp",
        "_key_type",
        "_keys",
        "_law",
        "_leg",
        "_next",
        "_offset",
        "_payload_type",
        "_playback",
        "_post",
        "_relayed_at",
        "_relaying",
        "_sends",
        "_sequence",
        "_spurt",
        "_transmit",
        "_zero",
        "bridged_through",
        "connected",
        "far",
        "octets",
        "sent",
        "ssrc",
    )

    def __init__(self, leg: LegId, transmit: Transmit, post: Post) -> None:
        self._leg = leg
        self._transmit = transmit
        self._post = post
        self.ssrc = getrandbits(32)
        self.sent = 0
        self.octets = 0
        "Payload bytes sent, for RTCP."
        self.far: Source | None = None
        "Where packets go; see `send_to`."
        self.connected = False
        self.bridged_through = False
        "Whether packets of the bridge are sent on at the moment."
        self._sends = False
        self._law = Law.A
        self._payload_type = 8
        self._event_type: int | None = None
        # The time line: the timestamp at `_began`, and the one after all that has been sent.
        self._zero = self._next = getrandbits(32)
        self._began = 0.0
        self._sequence = getrandbits(16)
        self._spurt = True
        # Sources.
        self._playback: Playback | None = None
        self._keys: deque[tuple[str, bool]] = deque()
        self._frames: deque[bytes | None] = deque()
        self._key_type: int | None = None
        "Payload type of the key being sent; None: it is sent as tones."
        self._key_timestamp = 0
        self._relaying: int | None = None
        self._offset = 0
        self._relayed_at = -1.0
        self._allowance = _BURST

    # What the leg is told.

    def connect(self, stream: Stream, law: Law, now: float) -> None:
        self._law = law
        self._payload_type = stream.payload_type
        self._event_type = stream.dtmf_payload_type
        self._sends = stream.sends
        if not self.connected:
            self.connected = True
            self._began = now
        self._choose()

    def send_to(self, far: Source | None) -> None:
        if far != self.far:
            self.far = far
            self._choose()

    def play(self, playback: Playback) -> Playback | None:
        """Play in place of what is played now, which is returned."""
        replaced, self._playback = self._playback, playback
        self._spurt = True
        self._choose()
        return replaced

    def stop(self, playback: Playback) -> None:
        if playback is self._playback:
            self._playback = None
            self._choose()

    def press(self, key: str, *, announced: bool = True) -> None:
        """Send a key after those that are waiting; ``announced`` ones are told by `DtmfSent`."""
        if len(self._keys) >= KEYS_WAITING:
            log.warning("leg %d: too many keys waiting, one is dropped", self._leg)
            return
        self._keys.append((key, announced))
        self._choose()

    def bridge_changed(self) -> None:
        """Whatever was relayed up to now is over; the next packet begins a new spurt."""
        self._relaying = None
        self._relayed_at = -1.0

    def timestamp_at(self, now: float) -> int:
        """Return the stream's timestamp at a time, for RTCP."""
        return (self._zero + round((now - self._began) * RATE)) & WORD

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
        if spoken_for and self._playback is None and not self._frames and not self._keys:
            return False
        if due < self._began or not self._keep_time(due):
            return False
        frame = self._playback_frame(self._playback) if self._playback else None
        if (self._frames or self._keys) and self._send_key():
            return True
        if frame is None:
            if spoken_for:
                return False
            frame = SILENCE[self._law]
        self._send_audio(frame)
        return True

    def _playback_frame(self, playback: Playback) -> bytes | None:
        frame = playback.next_frame(self._law)
        if frame is None:
            self.stop(playback)
            if not playback.loop:
                self._post(PlaybackFinished(self._leg, playback.id))
        return frame

    def _send_key(self) -> bool:
        """Send the next step of a key, or nothing in the pause after one."""
        if not self._frames:
            self._begin_key()
        payload = self._frames.popleft()
        if not self._frames:
            self._choose()
        if payload is None:
            return False
        if self._key_type is None:
            self._send_audio(payload)
        else:
            self._send(payload, self._key_type, self._key_timestamp)
            self._relaying = None
        return True

    def _begin_key(self) -> None:
        key, announced = self._keys.popleft()
        self._key_type = self._event_type
        if self._key_type is None:
            self._frames.extend(tone_frames(key, self._law))
        else:
            self._frames.extend(event_payloads(key))
            self._key_timestamp = self._next
            # Only the first packet of a key is marked (RFC 4733 section 2.3.1).
            self._spurt = True
        if announced:
            self._post(DtmfSent(self._leg, key))

    def _send_audio(self, frame: bytes) -> None:
        self._send(frame, self._payload_type, self._next)
        self._next = (self._next + FRAME) & WORD
        self._relaying = None

    # What a bridge brings.

    def relay(
        self,
        buffer: bytearray,
        span: tuple[int, int],
        law: Law,
        marker: int,
        timestamp: int,
        ssrc: int,
        now: float,
    ) -> None:
        """Send on one audio packet, which is newer than those before it and lies in ``buffer``.

        Its header there is overwritten. ``marker`` is 0 or `MARKER`; the rest are its own.
        """
        self._relayed_at = now
        begin, end = span
        if not self.bridged_through or begin >= end or not self._allows():
            return
        if ssrc != self._relaying:
            marker = self._anchor(ssrc, timestamp, now)
        placed = (timestamp + self._offset) & WORD
        if (placed - self._next) & WORD >= _JUMP:
            marker = self._anchor(ssrc, timestamp, now)
            placed = self._next
        self._next = (placed + end - begin) & WORD
        if law is self._law and begin == HEADER.size:
            self._sequence = sequence = (self._sequence + 1) & 0xFFFF
            self.sent += 1
            self.octets += end - begin
            second = self._payload_type | marker
            HEADER.pack_into(buffer, 0, PLAIN, second, sequence, placed, self.ssrc)
            assert self.far is not None
            self._transmit(memoryview(buffer)[:end], self.far)
            return
        payload = bytes(buffer[begin:end])
        self._spurt = marker != 0
        self._send(payload.translate(TRANSLATION[law, self._law]), self._payload_type, placed)

    def relay_event(
        self, payload: bytes, marker: int, timestamp: int, ssrc: int, now: float
    ) -> None:
        """Send on one telephone-event packet under the number that this far end has for them."""
        self._relayed_at = now
        if not self.bridged_through or self._event_type is None or not self._allows():
            return
        if ssrc != self._relaying:
            self._anchor(ssrc, timestamp, now)
        placed = (timestamp + self._offset) & WORD
        # The packets of a key keep its timestamp while the time, and perhaps audio, goes on.
        if (placed - self._next + 60 * RATE) & WORD >= 61 * RATE:
            self._anchor(ssrc, timestamp, now)
            placed = self._next
        if (placed - self._next) & WORD < _JUMP:
            self._next = (placed + FRAME) & WORD
        self._spurt = marker != 0
        self._send(payload, self._event_type, placed)

    @property
    def takes_events(self) -> bool:
        return self._event_type is not None

    def _anchor(self, ssrc: int, timestamp: int, now: float) -> int:
        """Put a relayed stream on our time line from ``now`` on; return the mark this deserves."""
        self._keep_time(now)
        self._relaying = ssrc
        self._offset = self._next - timestamp
        return MARKER

    def _allows(self) -> bool:
        self._allowance -= 1
        if self._allowance >= 0:
            return True
        self._allowance = 0
        return False

    # The one stream.

    def _choose(self) -> None:
        """See whether the bridge may speak: not over a playback or a key."""
        self.bridged_through = (
            self._sends
            and self.far is not None
            and self._playback is None
            and not self._keys
            and not self._frames
        )

    def _keep_time(self, now: float) -> bool:
        """Bring the next timestamp up to the time; False if the stream is too far ahead of it.

        Less than a frame behind or ahead is left alone, so that samples follow one another.
        """
        elapsed = self._zero + int((now - self._began) * RATE + 0.5)
        lag = ((elapsed - self._next + 0x80000000) & WORD) - 0x80000000
        if lag >= FRAME:
            self._next = (self._next + lag // FRAME * FRAME) & WORD
        elif lag < -_DRIFT:
            self._began += lag / RATE
        elif lag < -_LEAD:
            return False
        return True

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
