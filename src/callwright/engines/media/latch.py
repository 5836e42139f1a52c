"""Symmetric RTP latching: which address a leg's packets go to and are taken from (RFC 4961).

SDP names an address, but behind a NAT the far end's packets come from another one. Whoever comes
first is not for that reason the far end (RTP bleed): one packet, sprayed over the ports of the
range, must not take a call away. So

- the address that SDP has named needs no proof, and wins whenever it speaks;
- any other must show `PROOF` packets in order, of one SSRC, within `PROVEN_WITHIN`, and is believed
  only while nobody else is;
- a stream that falls silent and goes on from a new port, as after a change of a NAT's mind, is
  followed by the same proof, if it goes on under its SSRC;
- the address that a re-INVITE has left is no candidate for `LEFT_FOR`: late packets of it may still
  be on their way;
- what SRTP has authenticated is proof enough.

Where a far end is known to say the truth, all of that can be had without: *strict*, packets are
taken from the address that SDP has named and from no other, whatever they can show.

What a host on the path could forge as well, SRTP alone keeps out (RFC 7362 section 4).
"""

from dataclasses import dataclass
from ipaddress import ip_address

PROOF = 4
"Packets in order that an address SDP has not named must show. They are not heard."
PROVEN_WITHIN = 0.5
"Seconds; packets are 100 ms long at most."
SILENT_FOR = 0.5
"Seconds without a packet from where the stream came before another place is looked at."
LEFT_FOR = 1.0
"Seconds in which late packets may still come from where the far end was before a re-INVITE."
CANDIDATES_AT_MOST = 64
"Addresses under proof at a time: whoever sprays from many ports must not cost memory."

Source = tuple[str, int]


def reachable(remote: Source) -> Source | None:
    """Return ``remote`` if RTP may be sent there.

    SDP may name a host (which would have to be looked up), nobody (0.0.0.0, the old way to hold),
    a group or everybody: then packets must come before any are sent.
    """
    host, port = remote
    try:
        address = ip_address(host)
    except ValueError:
        return None
    nobody = address.is_unspecified or address.is_multicast
    # What IPv6 reserves holds ::1, and is mostly not yet given out rather than nobody's.
    if nobody or (address.version == 4 and address.is_reserved) or not 0 < port < 0x10000:
        return None
    return (str(address), port)


@dataclass(slots=True)
class _Candidate:
    ssrc: int
    next: int
    "Sequence number of the packet that would be in order."
    shown: int
    since: float


class Latch:
    __slots__ = ("_candidates", "_left", "_left_until", "_signalled", "_strict", "far", "locked")

    def __init__(self) -> None:
        self.far: Source | None = None
        "Where packets go; None until it is known."
        self.locked = False
        "Packets of ``far`` are taken without a further look."
        self._strict = False
        self._signalled: Source | None = None
        self._left: Source | None = None
        self._left_until = 0.0
        self._candidates: dict[Source, _Candidate] = {}

    @property
    def sole(self) -> Source | None:
        """Where packets come from, if no other address can win while they do."""
        return self.far if self.locked and self.far == self._signalled else None

    def signalled(self, remote: Source, now: float, *, strict: bool = False) -> None:
        """Take the address of an SDP; a new one opens the latch again."""
        if remote == self._signalled and strict is self._strict:
            return
        self._strict = strict
        self._left, self._left_until = self.far, now + LEFT_FOR
        self._signalled = remote
        self.far = reachable(remote)
        self.locked = False
        self._candidates.clear()

    def admits(
        self,
        source: Source,
        ssrc: int,
        sequence: int,
        now: float,
        *,
        heard_at: float,
        heard: int | None,
        authentic: bool = False,
    ) -> bool:
        """Whether a valid packet from ``source`` belongs to the leg; if so, it is ``far`` now.

        ``heard_at``: when a packet was last taken, in loop time. ``heard``: the SSRC of what was
        taken last. ``authentic``: SRTP has vouched for the packet.
        """
        if source == self._signalled or (self.locked and source == self.far):
            self._lock(source)
            return True
        if self._strict:
            return False
        if source == self._left and now < self._left_until:
            return False
        if authentic:
            self._lock(source)
            return True
        if self.locked and (now - heard_at < SILENT_FOR or ssrc != heard):
            return False
        if self._has_proved(source, ssrc, sequence, now):
            self._lock(source)
            return True
        return False

    def _lock(self, source: Source) -> None:
        self.far = source
        self.locked = True
        self._candidates.clear()

    def _has_proved(self, source: Source, ssrc: int, sequence: int, now: float) -> bool:
        shown = self._candidates.get(source)
        if (
            shown is None
            or now - shown.since > PROVEN_WITHIN
            or (shown.ssrc, shown.next)
            != (
                ssrc,
                sequence,
            )
        ):
            if shown is None and len(self._candidates) == CANDIDATES_AT_MOST:
                least = min(self._candidates, key=lambda one: self._candidates[one].shown)
                del self._candidates[least]
            shown = self._candidates[source] = _Candidate(ssrc, sequence, 0, now)
        shown.next = (sequence + 1) & 0xFFFF
        shown.shown += 1
        return shown.shown >= PROOF
