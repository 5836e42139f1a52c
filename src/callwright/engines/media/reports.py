"""Reports: one leg's conversation in RTCP (RFC 3550 section 6.4)."""

from random import uniform
from secrets import token_hex

from callwright.engines.media import rtcp
from callwright.engines.media.latch import Source
from callwright.engines.media.quality import mean_opinion
from callwright.engines.media.receiver_statistics import ReceiverStatistics
from callwright.engines.media.rtp import Buffer
from callwright.engines.media.sender import Sender
from callwright.engines.media.sent_stream import Transmit
from callwright.engines.quality import Quality

EVERY = 5.0
"Seconds between reports, on average; spread by half so that legs do not report in step."


_REMEMBERED = 3
"Sender reports that a far end may still answer."


class Reports:
    __slots__ = (
        "_asked_at",
        "_asked_ntp",
        "_due",
        "_expected",
        "_name",
        "_received",
        "_reception",
        "_sender",
        "_sent",
        "_told",
        "_transmit",
        "_trips",
        "far_lost",
        "spoke",
        "told_of",
    )

    def __init__(
        self, sender: Sender, reception: ReceiverStatistics, transmit: Transmit, now: float
    ) -> None:
        self._sender = sender
        self._reception = reception
        self._transmit = transmit
        # A name that says nothing about the machine or the call (RFC 7022).
        self._name = token_hex(12)
        self._due = now + EVERY * uniform(0.25, 0.75)
        self._sent = self._expected = self._received = 0
        self._asked_ntp = 0
        self._asked_at = 0.0
        self._told: list[tuple[int, float]] = []
        "The last times we told in sender reports, as NTP, and when that was."
        self._trips: tuple[int, float] = (0, 0.0)
        "How many round trips were timed, and their seconds in all."
        self.told_of: tuple[Source, Source] | None = None
        "Addresses of the far end's RTP and RTCP, where SDP has said the second (RFC 3605)."
        self.spoke = False
        "Whether anything was sent."
        self.far_lost = 0
        "Packets of ours that the far end says it did not get."

    def arrived(self, data: Buffer, now: float) -> bool:
        """Read a packet from the far end; False if it is malformed."""
        report = rtcp.parse(data)
        if report is None:
            return False
        if report.ntp:
            self._asked_ntp, self._asked_at = report.ntp, now
        for block in report.blocks:
            if block.ssrc == self._sender.ssrc:
                self.far_lost = max(0, block.lost)
                self._time_trip(block, now)
        return True

    @property
    def round_trip(self) -> float | None:
        """Seconds, on average; None if the far end has not answered a report of ours."""
        count, seconds = self._trips
        return seconds / count if count else None

    def _time_trip(self, block: rtcp.ReportBlock, now: float) -> None:
        """See how long ago the report was sent that the far end has answered (6.4.1, figure 2)."""
        for ntp, at in self._told:
            if ntp == block.last_report:
                count, seconds = self._trips
                # A far end that says it held our report for longer than that is mistaken.
                took = max(0.0, now - at - block.since_last_report)
                self._trips = (count + 1, seconds + took)

    def quality(self) -> Quality:
        """How the leg's audio has come over, both ways."""
        reception, sent = self._reception, self._sender.sent
        far_lost = min(self.far_lost, sent)  # it may say whatever it likes
        opinion = None
        if reception.received:
            far_loss = far_lost / sent if sent else 0.0
            opinion = mean_opinion(
                loss=max(reception.lost / reception.expected, far_loss),
                delay=(self.round_trip or 0.0) / 2,
                jitter=reception.jitter,
            )
        return Quality(
            sent=sent,
            received=reception.received,
            lost=reception.lost,
            far_lost=far_lost,
            jitter=reception.jitter,
            round_trip=self.round_trip,
            mos=opinion,
        )

    def is_due(self, now: float) -> bool:
        return now >= self._due

    def tick(self, now: float, wall: float) -> None:
        """Send a report if one is due. ``wall``: seconds since 1970."""
        if now >= self._due:
            self._due = now + EVERY * uniform(0.5, 1.5)
            self._send(now, wall, bye=False)

    def leave(self, now: float, wall: float) -> None:
        """Say that the stream ends here, if it ever began (RFC 3550 section 6.3.7)."""
        if self.spoke or self._sender.sent:
            self._send(now, wall, bye=True)

    def _send(self, now: float, wall: float, *, bye: bool) -> None:
        to = self._address()
        if to is None:
            return
        sender = self._sender
        sent = None
        if sender.sent > self._sent:  # else we are no sender now, and report as a receiver
            self._sent = sender.sent
            sent = rtcp.SenderInfo(wall, sender.timestamp_at(now), sender.sent, sender.octets)
            self._told.append((sent.ntp_middle, now))
            del self._told[:-_REMEMBERED]
        self.spoke = True
        self._transmit(rtcp.build(sender.ssrc, self._name, sent, self._block(now), bye=bye), to)

    def _address(self) -> Source | None:
        """RTCP goes to the port after RTP's (RFC 3550 section 11), if SDP says no other."""
        far = self._sender.far
        if self.told_of is not None and self.told_of[0] == far:
            return self.told_of[1]
        return (far[0], far[1] + 1) if far and far[1] < 0xFFFF else None

    def _block(self, now: float) -> rtcp.ReportBlock | None:
        reception = self._reception
        if reception.ssrc is None:
            return None
        expected = reception.expected - self._expected
        received = reception.received - self._received
        self._expected, self._received = reception.expected, reception.received
        return rtcp.ReportBlock(
            ssrc=reception.ssrc,
            fraction_lost=max(0.0, (expected - received) / expected) if expected > 0 else 0.0,
            lost=reception.lost,
            highest=reception.highest,
            jitter=int(reception.jitter_units),
            last_report=self._asked_ntp,
            since_last_report=now - self._asked_at if self._asked_ntp else 0.0,
        )
