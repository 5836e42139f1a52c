"""The shortcut: what a leg's far end says, on its way to the one who hears it past this process.

The kernel relays then, as `Sender.relay_plain` would. Whatever changes who hears what, or how,
ends it first; the kernel ends it by itself for a packet that is not simply the next one. Both sides
then know all that was relayed, and go on behind it: for the far ends nothing has happened.
"""

from collections.abc import Callable

from callwright.engines.media.codec import Codec
from callwright.engines.media.kernel.flow import Flow, FlowPath, Stream
from callwright.engines.media.receiver_statistics import ReceiverStatistics
from callwright.engines.media.rtp import PLAIN, RTCP
from callwright.engines.media.sender import Sender

GONE_AFTER = 0.2
"""Seconds without a packet after which, at the next look, it is given up. Longer than until silence
is sent otherwise: a pause of the network is none of the far end's."""
LOOKS_BEFORE = 4
"Looks (a second) that a talk must have gone on as it is."
LOOKS_AT_MOST = 256
"The same (a minute) for one whose shortcuts have ended by themselves."
LOOKS_OF_A_GOOD_ONE = 40
"Looks (ten seconds) after which an end by itself is held to be the first."


class Shortcut:
    """Of one leg, for good; begun and ended any number of times. See `ShortWay`."""

    __slots__ = (
        "_before",
        "_ear",
        "_ended",
        "_gap",
        "_heard",
        "_looks",
        "_octets",
        "_packets",
        "_reception",
        "flow",
    )

    def __init__(self, reception: ReceiverStatistics, heard: Callable[[float], None]) -> None:
        """``heard``: told when the last packet came, in loop time."""
        self._reception = reception
        self._heard = heard
        self.flow: Flow | None = None
        "None: it is not taken."
        self._ear: Sender
        self._ended: Callable[[Sender], None]
        self._packets = self._octets = 0
        self._gap = range(0)
        self._before = LOOKS_BEFORE
        self._looks = 0
        "Since it began, or ended."

    @property
    def last_at(self) -> float:
        """See `ShortWay`. Only while it is taken."""
        assert self.flow is not None
        return self.flow.last_at

    def is_due(self, now: float) -> bool:
        """Whether it may begin, at this look; one that the far end has left is given up."""
        self._looks += 1
        if self.flow is None:
            return self._looks > self._before
        if now - self.flow.last_at > GONE_AFTER:
            self.give_up()
        return False

    def put_off(self) -> None:
        """Let a minute pass until it is due again: it cannot be had."""
        self._looks = 0
        self._before = LOOKS_AT_MOST

    def fill(
        self, flow: Flow, path: FlowPath, ear: Sender, codec: Codec, payload_type: int
    ) -> None:
        """Say in ``flow`` how packets of ``payload_type`` go on to ``ear``."""
        reception = self._reception
        assert reception.ssrc is not None
        outgoing, timestamp_due = ear.relayed_as
        sequence = reception.highest & 0xFFFF
        incoming = Stream(payload_type, reception.ssrc, sequence, timestamp_due)
        units = 0 if codec.bytewise else codec.frame
        flow.fill(path, incoming, outgoing, reception.last(units))

    def begin(self, flow: Flow, ear: Sender, ended: Callable[[Sender], None]) -> None:
        """Take what has been filled, and begun. ``ended``: told when ``ear`` sends again."""
        self.flow, self._ear, self._ended = flow, ear, ended
        self._packets = self._octets = self._looks = 0
        self._gap = range(0)
        ear.shortcut = self

    def catch_up(self) -> None:
        """Let receiver and sender know what has been relayed."""
        flow = self.flow
        if flow is None:
            return
        progress = flow.progress
        packets = progress.packets - self._packets
        if not packets:
            return
        ear = self._ear
        ear.sent += packets
        ear.octets += progress.octets - self._octets
        self._packets, self._octets = progress.packets, progress.octets
        ear.relayed_elsewhere(progress.out_sequence, progress.timestamp_due, progress.arrived)
        gap = progress.gap if progress.gap != self._gap else range(0)
        self._gap = progress.gap
        self._reception.taken_elsewhere(packets, progress, gap)
        self._heard(progress.arrived)

    def end(self) -> None:
        """See `ShortWay`. It is due again when the talk has gone on as it is for a second."""
        self._looks = 0
        self._before = LOOKS_BEFORE
        if self.flow is not None:
            self.flow.end()
            self.catch_up()
            self.flow = None
            self._ear.shortcut = None
            self._ended(self._ear)

    def packet_came(self, buffer: bytearray, of_far_end: bool) -> None:
        """Look at a packet that has taken the long way; if it is to go on, so do all others."""
        flow = self.flow
        if flow is None:
            return
        self.catch_up()
        sequence = buffer[2] << 8 | buffer[3]
        step = (sequence - self._reception.highest) & 0xFFFF
        is_audio = buffer[0] >> 6 == PLAIN >> 6 and buffer[1] not in RTCP
        if not flow.is_active or (of_far_end and is_audio and 0 < step < 0x8000):
            self.give_up()

    def give_up(self) -> None:
        """End for what the far end does: it must go on evenly for longer now to begin anew."""
        again = LOOKS_BEFORE if self._looks >= LOOKS_OF_A_GOOD_ONE else self._before * 2
        self.end()
        self._before = min(again, LOOKS_AT_MOST)
