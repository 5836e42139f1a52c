"""DTMF as telephone-events: how a key is written and recognised in RTP (RFC 4733).

A key is 100 ms long and 60 ms apart from the next, in steps of a 20 ms packet: eight steps from
one key to the next (choreography 3).
"""

from struct import Struct

from callwright.engines.media.codec import PACKETS_A_SECOND
from callwright.engines.media.g711 import RATE

KEYS = "0123456789*#ABCD"
"In the order of their event codes, 0 to 15 (RFC 4733 table 7)."

STEPS = 8
"Packets' time from the beginning of one key to that of the next: 160 ms."
TONE_STEPS = 5
"Of these, how many the key sounds: 100 ms."

_EVENT = Struct("!BBH")
_END = 0x80
_VOLUME = 10
"Power in dBm0 without its sign (RFC 4733 section 2.3.4)."


def event_payloads(key: str, clock: int = RATE) -> tuple[bytes | None, ...]:
    """Return the payloads of one key, one for each of `STEPS`; None where audio may go again.

    ``clock``: units a second of the durations, as rtpmap has it for telephone-event.
    The end is sent three times at the interval of the updates (RFC 4733 section 2.5.1.4).
    """
    code = KEYS.index(key)
    frame = clock // PACKETS_A_SECOND
    length = TONE_STEPS * frame
    sounding = [_EVENT.pack(code, _VOLUME, frame * step) for step in range(1, TONE_STEPS)]
    end = _EVENT.pack(code, _END | _VOLUME, length)
    return (*sounding, end, end, end, None)


def is_key(payload: bytes) -> bool:
    """Whether a telephone-event is a key, and not a flash or a tone of the line."""
    return len(payload) >= _EVENT.size and payload[0] < len(KEYS)


class KeyReceiver:
    """Tells the keys of one incoming stream apart, each reported once.

    A key is known by its timestamp, which all its packets share, and it counts from the first of
    them that gets through: the packets of its beginning and of its end may be lost or doubled.
    """

    __slots__ = ("_code", "_duration", "_ended", "_long_ago", "_slack", "_ssrc", "_timestamp")

    def __init__(self, clock: int = RATE) -> None:
        """``clock``: timestamp units a second."""
        self._slack = clock // PACKETS_A_SECOND * 3 // 2
        self._long_ago = 5 * clock
        self._ssrc = -1
        self._timestamp = 0
        self._code = -1
        self._duration = 0
        self._ended = True

    def take(self, ssrc: int, timestamp: int, marker: bool, payload: bytes) -> str | None:
        """Read one telephone-event packet; return the key if it is a new one."""
        if not is_key(payload):
            return None
        code, flags, duration = _EVENT.unpack_from(payload)
        ended = bool(flags & _END)
        if ssrc != self._ssrc:
            self._ssrc = ssrc
        else:
            since = (timestamp - self._timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            if -self._long_ago < since <= 0:
                if since == 0:
                    self._duration = max(self._duration, duration)
                    self._ended = self._ended or ended
                return None
            if not marker and self._goes_on(code, since):
                self._timestamp = timestamp
                self._duration = duration
                self._ended = ended
                return None
        self._timestamp = timestamp
        self._code = code
        self._duration = duration
        self._ended = ended
        return KEYS[code]

    def _goes_on(self, code: int, since: int) -> bool:
        """Whether a later timestamp is only the next segment of the key being held.

        A key longer than 65535 units goes on in a new segment which begins where the last one
        ended (RFC 4733 section 2.5.1.3). Some gateways move the timestamp with every packet of a
        key, which looks the same. Two presses are further apart than that.
        """
        return code == self._code and not self._ended and since <= self._duration + self._slack
