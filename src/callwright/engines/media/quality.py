"""Voice quality (MOS): how a leg sounded, estimated from what its packets went through.

The E-model of ITU-T G.107 with every parameter it does not measure at its default: of the
transmission rating only delay (Idd) and loss (Ie,eff) are taken off. It says what a listener would
have said of the line, not of the speaker, the phone or the room. Its scale is that of narrow-band
telephony: a wideband codec sounds better than it says.
"""

from math import log2
from typing import NamedTuple

_CLEAN = 93.2
"The rating R of a connection with all parameters at their defaults (G.107 clause 7.7)."
_ON_THE_WAY = 0.04
"Seconds every leg adds: one packet of 20 ms, and one that waits in the far end's buffer."


class Impairment(NamedTuple):
    """What a codec takes off, and how well it bears loss (G.113 appendix I)."""

    equipment: float
    "Ie: taken off even without loss."
    robustness: float
    "Bpl: the higher, the less a lost packet is heard."


G711 = Impairment(0.0, 25.1)
"With the concealment of its appendix I, as phones have it; without any, Bpl would be 4.3."


def mean_opinion(
    *, loss: float, delay: float, jitter: float = 0.0, codec: Impairment = G711
) -> float:
    """Estimate the mean opinion score, 1 (bad) to 4.5, of one direction of a leg.

    ``loss``: share of packets that did not come, 0 to 1, taken as random. ``delay``: seconds one
    way on the network. ``jitter``: seconds; a buffer that evens it out waits twice as long.
    """
    waited = delay + _ON_THE_WAY + 2 * jitter
    rating = _CLEAN - _of_delay(waited) - _of_loss(min(1.0, max(0.0, loss)), codec)
    return opinion_of(rating)


def opinion_of(rating: float) -> float:
    """Turn a rating R into a mean opinion score (G.107 annex B)."""
    if rating <= 0.0:
        return 1.0
    if rating >= 100.0:
        return 4.5
    opinion = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
    return max(1.0, opinion)  # below 6.5 the curve dips under its own end


def _of_delay(seconds: float) -> float:
    """Idd, the impairment of absolute delay without echo (G.107 clause 7.4)."""
    if seconds <= 0.1:
        return 0.0
    x = log2(seconds / 0.1)
    return float(25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2))


def _of_loss(loss: float, codec: Impairment) -> float:
    """Ie,eff, of a codec under random loss: BurstR is 1 (G.107 clause 7.5)."""
    percent = 100 * loss
    return codec.equipment + (95 - codec.equipment) * percent / (percent + codec.robustness)
