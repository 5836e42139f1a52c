"""SRTP: how one leg's packets are protected, and which that come in are genuine (RFC 3711).

The ciphers and the replay windows are libsrtp's. A packet whose tag is wrong, or that has come
before, is no packet of the leg's: it may neither be heard nor move the leg's far address.
"""

from collections import OrderedDict

import pylibsrtp

from callwright.engines.media.media import SrtpKeys, SrtpSuite
from callwright.engines.media.rtp import Buffer

_PROFILES = {
    SrtpSuite.AES_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    SrtpSuite.AES_32: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
REPLAY_WINDOW = 128
"Packets; as many may overtake one another."
_STREAMS_AT_MOST = 16
"SSRCs of the far end that libsrtp keeps a window for; it may change its SSRC, but not for ever."


class Srtp:
    """Both directions of a leg. What goes out of a direction lasts as long as its key."""

    __slots__ = ("_in", "_keys", "_out", "_streams")

    def __init__(self, keys: SrtpKeys) -> None:
        self._keys = keys
        self._out = _session(keys.suite, keys.ours, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self._begin_incoming()

    def _begin_incoming(self) -> None:
        keys = self._keys
        self._in = _session(keys.suite, keys.theirs, pylibsrtp.Policy.SSRC_ANY_INBOUND)
        self._streams: OrderedDict[bytes, None] = OrderedDict()

    def use(self, keys: SrtpKeys) -> None:
        """Take keys that were agreed on anew.

        A direction whose key is the same goes on: begun again, it would use up the same key stream
        twice, and let old packets in.
        """
        before, self._keys = self._keys, keys
        if (keys.suite, keys.ours) != (before.suite, before.ours):
            self._out = _session(keys.suite, keys.ours, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        if (keys.suite, keys.theirs) != (before.suite, before.theirs):
            self._begin_incoming()

    def protect(self, packet: Buffer) -> bytes | None:
        """Return an RTP packet as it goes out; None if it is too long for that."""
        try:
            return self._out.protect(bytes(packet))
        except (pylibsrtp.Error, ValueError):
            return None

    def protect_rtcp(self, packet: Buffer) -> bytes | None:
        """The same for a compound RTCP packet."""
        try:
            return self._out.protect_rtcp(bytes(packet))
        except (pylibsrtp.Error, ValueError):
            return None

    def unprotect(self, packet: bytes) -> bytes | None:
        """Return the RTP packet in what came in; None if it is forged, damaged or a repetition."""
        try:
            plain = self._in.unprotect(packet)
        except (pylibsrtp.Error, ValueError):
            return None
        self._note(plain[8:12])
        return plain

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """The same for a compound RTCP packet."""
        try:
            plain = self._in.unprotect_rtcp(packet)
        except (pylibsrtp.Error, ValueError):
            return None
        self._note(plain[4:8])
        return plain

    def _note(self, ssrc: bytes) -> None:
        streams = self._streams
        if ssrc in streams:
            return
        streams[ssrc] = None
        if len(streams) > _STREAMS_AT_MOST:
            oldest, _ = streams.popitem(last=False)
            self._in.remove_stream(int.from_bytes(oldest))


def _session(suite: SrtpSuite, key: bytes, direction: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=_PROFILES[suite])
    policy.window_size = REPLAY_WINDOW
    return pylibsrtp.Session(policy)
