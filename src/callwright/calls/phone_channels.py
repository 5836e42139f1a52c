"""Channels: how many calls each phone, and each group, is in; a busy one is not rung once more."""

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from callwright.calls.leg import Leg
    from callwright.calls.plan import GroupRef, Target
    from callwright.calls.session import Session

K = TypeVar("K")


class PhoneChannels:
    """The legs that are up, by account and number of the phone, whichever way the call goes."""

    def __init__(self) -> None:
        self._legs: dict[tuple[int, str], list[Leg]] = {}
        self._of_groups: dict[int, list[Leg]] = {}

    def are_taken(self, session: "Session", target: "Target") -> bool:
        """Whether a phone, or the group it is rung for, is in as many calls as it may be."""
        if target.group and self._group_is_taken(session, target.group):
            return True
        if target.channels is None:
            return False
        legs = self._legs.get((session.caption.account, target.address.number), ())
        # One that we have given up is about to end, and keeps nobody from being rung.
        return sum(leg.cause is None for leg in legs) >= target.channels

    def _group_is_taken(self, session: "Session", group: "GroupRef") -> bool:
        """A call counts once, however many of the group's phones it rings."""
        legs = self._of_groups.get(group.id, ())
        calls = {leg.party.session.id for leg in legs if leg.cause is None}
        return session.id not in calls and len(calls) >= group.channels

    def take(self, account: int, leg: "Leg") -> None:
        """Count a leg that begins, until it is freed."""
        self._legs.setdefault((account, leg.target.address.number), []).append(leg)
        if group := leg.target.group:
            self._of_groups.setdefault(group.id, []).append(leg)

    def free(self, account: int, leg: "Leg") -> None:
        """Count a leg no more. To do so again does nothing."""
        _remove(self._legs, (account, leg.target.address.number), leg)
        if group := leg.target.group:
            _remove(self._of_groups, group.id, leg)


def _remove(counted: "dict[K, list[Leg]]", key: K, leg: "Leg") -> None:
    legs = counted.get(key, [])
    if leg in legs:
        legs.remove(leg)
        if not legs:
            del counted[key]
