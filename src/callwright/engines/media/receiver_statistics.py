"""Receiver statistics: what came in of one stream, what is missing, how evenly it came.

RFC 3550 appendix A.1 (sequence numbers), A.3 (loss) and A.8 (jitter). Late packets that fill a gap
count as received, duplicates do not.
"""

from callwright.engines.media.g711 import RATE
from callwright.engines.media.kernel.flow import LastPacket, Progress

_DROPOUT = 3000
_MISORDER = 100
_GAP_KEPT = 100
"Longest gap whose packets may still come late; a longer one is counted as lost at once."


class ReceiverStatistics:
    __slots__ = (
        "_arrived",
        "_base",
        "_expected_before",
        "_missing",
        "_resync",
        "_timestamp",
        "clock",
        "highest",
        "jitter_units",
        "received",
        "ssrc",
    )

    def __init__(self) -> None:
        self.ssrc: int | None = None
        "Of the stream being received; None before its first packet."
        self.received = 0
        self.highest = 0
        "Highest sequence number so far, extended beyond 16 bits (RFC 3550 section 6.4.1)."
        self.clock = RATE
        "Timestamp units a second."
        self.jitter_units = 0.0
        "Inter-arrival jitter in timestamp units."
        self._base = 0
        self._expected_before = 0
        self._resync = -1
        self._missing: set[int] = set()
        self._timestamp = 0
        self._arrived = 0.0

    @property
    def expected(self) -> int:
        if self.ssrc is None:
            return self._expected_before
        return self._expected_before + self.highest - self._base + 1

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.received)

    @property
    def jitter(self) -> float:
        """In seconds."""
        return self.jitter_units / self.clock

    def take(self, ssrc: int, sequence: int, timestamp: int, now: float) -> bool:
        """Note one packet; return whether it is newer than all before it."""
        step = (sequence - self.highest) & 0xFFFF
        if ssrc == self.ssrc and step == 1:  # nearly always
            self.highest += 1
        elif not self._takes_jump(ssrc, sequence, step, timestamp, now):
            return False
        self.received += 1
        lapse = (timestamp - self._timestamp) & 0xFFFFFFFF
        if 0 < lapse < 0x80000000:
            spread = (now - self._arrived) * self.clock - lapse
            self.jitter_units += ((spread if spread > 0.0 else -spread) - self.jitter_units) / 16
            self._arrived = now
            self._timestamp = timestamp
        elif lapse:  # the far end has set its clock back
            self._arrived = now
            self._timestamp = timestamp
        return True

    def last(self, units: int) -> LastPacket:
        """What there is to know of the last packet, for who takes the next; see `taken_elsewhere`.

        ``units``: timestamp units of a packet, if they are not its bytes.
        """
        return LastPacket(
            rate=self.clock,
            units=units,
            timestamp=self._timestamp,
            arrived=self._arrived,
            jitter=self.jitter_units,
        )

    def taken_elsewhere(self, packets: int, progress: Progress, gap: range) -> None:
        """Note ``packets`` that the kernel has taken, the last of which is told of.

        ``gap``: sequence numbers that were missing, if they have not been told before.
        """
        self.highest += (progress.sequence - self.highest) & 0xFFFF
        if gap:
            first = self.highest - (progress.sequence - gap.start & 0xFFFF)
            self._missing = {seen for seen in self._missing if seen > self.highest - _MISORDER}
            self._missing.update(range(first, first + len(gap)))
        self.received += packets
        self.jitter_units = progress.jitter
        self._timestamp, self._arrived = progress.timestamp, progress.arrived

    def _takes_jump(self, ssrc: int, sequence: int, step: int, timestamp: int, now: float) -> bool:
        """Deal with a new stream, a gap, a late packet, a duplicate or a restart."""
        if ssrc != self.ssrc:
            self._begin(ssrc, sequence, timestamp, now)
            return True
        if 0 < step < _DROPOUT:
            if step <= _GAP_KEPT:
                self._missing = {seen for seen in self._missing if seen > self.highest - _MISORDER}
                self._missing.update(range(self.highest + 1, self.highest + step))
            self.highest += step
            return True
        if step == 0 or step > 0x10000 - _MISORDER:
            late = self.highest - ((0x10000 - step) & 0xFFFF)
            if late in self._missing:
                self._missing.remove(late)
                self.received += 1
            return False
        if sequence == self._resync:  # a second packet after the jump: the far end began anew
            self._begin(ssrc, sequence, timestamp, now)
            return True
        self._resync = (sequence + 1) & 0xFFFF
        return False

    def _begin(self, ssrc: int, sequence: int, timestamp: int, now: float) -> None:
        self._expected_before = self.expected
        self.ssrc = ssrc
        self.highest = self._base = sequence
        self._resync = -1
        self._missing.clear()
        self._timestamp = timestamp
        self._arrived = now
