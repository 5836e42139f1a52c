"""Channels of phones: how many calls each phone is in, so that a busy one is not rung once more."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callwright.calls.leg import Leg
    from callwright.calls.plan import Target


class PhoneChannels:
    """The legs that are up, by account and number of the phone, whichever way the call goes."""

    def __init__(self) -> None:
        self._legs: dict[tuple[int, str], list[Leg]] = {}

    def are_taken(self, account: int, target: "Target") -> bool:
        """Whether a phone is in as many calls as it may be."""
        if target.channels is None:
            return False
        legs = self._legs.get((account, target.address.number), ())
        # One that we have given up is about to end, and keeps nobody from being rung.
        return sum(leg.cause is None for leg in legs) >= target.channels

    def take(self, account: int, leg: "Leg") -> None:
        """Count a leg that begins, until it is freed."""
        self._legs.setdefault((account, leg.target.address.number), []).append(leg)

    def free(self, account: int, leg: "Leg") -> None:
        """Count a leg no more. To do so again does nothing."""
        phone = account, leg.target.address.number
        legs = self._legs.get(phone, [])
        if leg in legs:
            legs.remove(leg)
            if not legs:
                del self._legs[phone]
