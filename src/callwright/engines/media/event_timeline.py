"""Telephone-event timeline: which timestamps relayed events bear in our stream (RFC 4733).

All packets of an event bear the timestamp of its beginning (section 2.1), and a far end takes two
timestamps for two keys. So the way from the other's timestamps to ours is kept for each event, from
its first packet to its last, whatever becomes of the audio around it: far ends send audio of the
same timestamp before or after, or none for so long that silence fills in.
"""

from callwright.engines.media.rtp import WORD


class EventTimeline:
    __slots__ = ("_latest", "_offset", "_ssrc", "_timestamp")

    def __init__(self) -> None:
        self._ssrc: int | None = None
        "Of the event that is under way; None: there is none, or its beginning was not sent on."
        self._timestamp = 0
        self._offset = 0
        self._latest: int | None = None
        "In our stream: where the last event began."

    def begin(self, ssrc: int, timestamp: int, placed: int, frame: int) -> None:
        """Take a new event, which begins at ``placed``, or a frame later if the last one has."""
        if placed == self._latest:
            placed += frame
        self._ssrc = ssrc
        self._timestamp = timestamp
        self._offset = placed - timestamp

    def forget(self) -> None:
        """Leave out what is left of the event."""
        self._ssrc = None

    def place(self, ssrc: int, timestamp: int) -> int | None:
        """Return the timestamp in our stream of a packet of the event; None: it is of no event.

        One later than the event's is that of its next segment (section 2.5.1.3).
        """
        since = ((timestamp - self._timestamp + 0x80000000) & WORD) - 0x80000000
        if ssrc != self._ssrc or since < 0:
            return None
        self._timestamp = timestamp
        self._latest = (timestamp + self._offset) & WORD
        return self._latest
