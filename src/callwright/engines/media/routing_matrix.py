"""Routing matrix: who hears whom, as bridges, mutes and coaches have it.

Legs are numbers here; what their sound takes to get there is the switch's affair.
"""

from callwright.engines.port import BridgeId, CoachMode, LegId


class RoutingMatrix:
    __slots__ = ("_bridge_of", "_bridges", "_coaches", "_coaching", "_muted")

    def __init__(self) -> None:
        self._bridges: dict[BridgeId, tuple[LegId, LegId]] = {}
        self._bridge_of: dict[LegId, BridgeId] = {}
        self._muted: set[LegId] = set()
        self._coaching: dict[LegId, tuple[LegId, CoachMode]] = {}
        "By coach: whom it coaches, and how."
        self._coaches: dict[LegId, dict[LegId, None]] = {}
        "By the coached: its coaches, in the order they came."

    # What is asked.

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        """Each leg is in one bridge at a time: what either was in is over."""
        for old in (bridge, self._bridge_of.get(one), self._bridge_of.get(other)):
            if old is not None:
                self.unbridge(old)
        self._bridges[bridge] = (one, other)
        self._bridge_of[one] = self._bridge_of[other] = bridge

    def unbridge(self, bridge: BridgeId) -> None:
        for leg in self._bridges.pop(bridge, ()):
            del self._bridge_of[leg]

    def mute(self, leg: LegId, *, muted: bool) -> None:
        if muted:
            self._muted.add(leg)
        else:
            self._muted.discard(leg)

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        if ear in self._coaching and self._coaching[ear][0] != to:
            self.stop_coaching(ear)
        self._coaching[ear] = (to, mode)
        self._coaches.setdefault(to, {})[ear] = None

    def stop_coaching(self, ear: LegId) -> None:
        if ear in self._coaching:
            to, _ = self._coaching.pop(ear)
            del self._coaches[to][ear]
            if not self._coaches[to]:
                del self._coaches[to]

    def leave(self, leg: LegId) -> None:
        """Forget a leg, with its bridge and whom it coaches or is coached by."""
        if leg in self._bridge_of:
            self.unbridge(self._bridge_of[leg])
        self.stop_coaching(leg)
        for coach in tuple(self._coaches.get(leg, ())):
            self.stop_coaching(coach)
        self._muted.discard(leg)

    # What comes of it.

    def bridged(self, bridge: BridgeId) -> tuple[LegId, ...]:
        """The two legs of a bridge, if there is one."""
        return self._bridges.get(bridge, ())

    def peer(self, leg: LegId) -> LegId | None:
        """The leg that is bridged with this one."""
        bridge = self._bridge_of.get(leg)
        if bridge is None:
            return None
        one, other = self._bridges[bridge]
        return other if leg == one else one

    def is_muted(self, leg: LegId) -> bool:
        return leg in self._muted

    def says(self, one: LegId, other: LegId) -> bool:
        """Whether ``one`` is heard by ``other`` as its partner, not as its coach."""
        return self.peer(one) == other and one not in self._muted

    def speakers(self, ear: LegId) -> tuple[LegId, ...]:
        """Everybody that a leg hears."""
        peer = self.peer(ear)
        # A dict keeps the order and names nobody twice.
        heard: dict[LegId | None, None] = {peer: None}
        if ear in self._coaching:
            to, _ = self._coaching[ear]
            heard |= {to: None, self.peer(to): None}
        for coached in (ear, peer):
            for coach in self._coaches.get(coached, ()) if coached is not None else ():
                _, mode = self._coaching[coach]
                if mode is CoachMode.BARGE or (mode is CoachMode.WHISPER and coached == ear):
                    heard[coach] = None
        return tuple(leg for leg in heard if leg not in (None, ear) and leg not in self._muted)

    def circle(self, *legs: LegId) -> set[LegId]:
        """These legs and everybody who may hear or be heard by them, however far around."""
        found: set[LegId] = set()
        beyond = list(legs)
        while beyond:
            leg = beyond.pop()
            if leg in found:
                continue
            found.add(leg)
            peer = self.peer(leg)
            if peer is not None:
                beyond.append(peer)
            if leg in self._coaching:
                beyond.append(self._coaching[leg][0])
            beyond.extend(self._coaches.get(leg, ()))
        return found
