"""Quality of a leg: how its audio came over, in figures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """How a leg's audio came over. Counts are packets."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    "Missing of what the far end sent."
    far_lost: int = 0
    "Missing of what we sent, as the far end's last report says; 0 if it made none."
    jitter: float = 0.0
    "Of the far end's packets: RFC 3550 section 6.4.1, in seconds."
    round_trip: float | None = None
    "Seconds to the far end and back, on average; None if it made no reports."
    mos: float | None = None
    "Mean opinion score, 1 (bad) to 4.5, estimated for the worse direction; None: nothing came."
