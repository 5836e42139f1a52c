"""Codecs: what we speak, and what each of them is on the wire and as sound.

The clock is that of RTP timestamps and need not be the rate of the sound: G.722's is 8000 although
it carries 16000 samples a second (RFC 3551 section 4.5.2), and that of Opus is 48000 whatever it
carries (RFC 7587 section 4.1).
"""

from dataclasses import dataclass

from callwright.engines.media.g711 import SILENCE, Law

PACKETS_A_SECOND = 50
"Every packet we make is 20 ms long."


@dataclass(frozen=True, slots=True, eq=False)
class Codec:
    """A codec. There is one object of each, to be compared by ``is``."""

    name: str
    "Its encoding name in SDP, in the case its RFC writes it."
    payload_type: int
    "The static one of RFC 3551; for a dynamic one, 96 and above, the number we propose."
    clock: int
    "RTP timestamp units a second."
    rate: int
    "Samples a second of its sound: 8000, or 16000 if it is wideband."
    silence: bytes
    "A packet of 20 ms of silence, whatever went before it."
    bytewise: bool = True
    "Each byte is one unit of the clock, so that its sound can be cut anywhere."
    channels: int | None = None
    "As rtpmap must say it; None: not at all."
    parameters: str = ""
    "What we say of ourselves in fmtp."
    law: Law | None = None
    "If it is one of G.711."

    @property
    def frame(self) -> int:
        """Timestamp units in a packet of 20 ms."""
        return self.clock // PACKETS_A_SECOND

    @property
    def is_static(self) -> bool:
        """Whether its payload type means it without being said in SDP."""
        return self.payload_type < 96


PCMA = Codec("PCMA", 8, 8000, 8000, SILENCE[Law.A], law=Law.A)
PCMU = Codec("PCMU", 0, 8000, 8000, SILENCE[Law.U], law=Law.U)
# This byte decodes to nothing from a decoder's first state, and brings one in any other to within
# -60 dB of silence in 20 ms; the codes an encoder gives for silence wander and would be heard.
G722 = Codec("G722", 9, 8000, 16000, b"\xfd" * 160)
# RFC 7587 section 7: always 48000 and two channels in rtpmap; fmtp says what is really wanted, and
# saying nothing of stereo means mono. The silence is one CELT frame without a single pulse.
OPUS = Codec(
    "opus",
    111,
    48000,
    16000,
    b"\xf8\xff\xfe",
    bytewise=False,
    channels=2,
    parameters="useinbandfec=1",
)

CODECS = {codec.name: codec for codec in (PCMA, PCMU, G722, OPUS)}
"By the names that settings and streams use."

STATIC = {codec.payload_type: codec for codec in CODECS.values() if codec.is_static}
