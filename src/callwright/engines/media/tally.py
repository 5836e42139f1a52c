"""Tally of the packets that came to nothing."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Packets that were dropped, over all legs."""

    malformed: int = 0
    forged: int = 0
    "From an address that is not the leg's far end."
    unauthentic: int = 0
    "Not protected by the leg's keys (SRTP), or protected by them but sent before."
    overtaken: int = 0
    "Duplicates, and those that came after later ones; no bridge sends them on."
