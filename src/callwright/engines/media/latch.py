"""Symmetric RTP latching: which address a leg's packets go to and are taken from.

SDP names an address, but behind a NAT the far end's packets come from another one. The source of
the first packets is therefore believed, for a short while; then the door is locked, so that nobody
can steal the stream by sending into it (RTP bleed). An address that SDP itself named needs no
probation.
"""

from ipaddress import ip_address

WITHIN_PACKETS = 25
WITHIN_SECONDS = 1.0

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


class Latch:
    __slots__ = ("_lock_after", "_packets", "_signalled", "far", "locked")

    def __init__(self) -> None:
        self.far: Source | None = None
        "Where packets go; None until it is known."
        self.locked = False
        self._signalled: Source | None = None
        self._packets = 0
        self._lock_after = 0.0

    def signalled(self, remote: Source) -> None:
        """Take the address of an SDP; a new one opens the latch again."""
        if remote == self._signalled:
            return
        self._signalled = remote
        self.far = reachable(remote)
        self.locked = False
        self._packets = 0

    def admits(self, source: Source, now: float) -> bool:
        """Whether a valid packet from ``source`` belongs to the leg."""
        if self.locked:
            return source == self.far
        if self._packets == 0:
            self._lock_after = now + WITHIN_SECONDS
        elif now >= self._lock_after and source != self.far:
            self.locked = True
            return False
        self._packets += 1
        self.far = source
        self.locked = (
            source == self._signalled or self._packets >= WITHIN_PACKETS or now >= self._lock_after
        )
        return True
