"""Trunk registrations: our registration at each trunk, and whether it answers."""

import logging
from collections.abc import Callable, Sequence

from callwright.engines.network import Trunk, TrunkRegistration, TrunkState
from callwright.engines.sip.transaction.options_ping import OptionsPing
from callwright.engines.sip.transaction.request_sender import RequestSender
from callwright.engines.sip.trunks.registration import Registration
from callwright.engines.sip.trunks.trunk_identity import account_uri
from callwright.engines.sip.trunks.trunk_uri import Unroutable, trunk_hop, trunk_uri

log = logging.getLogger(__name__)

UNKNOWN_TO_IT = frozenset({"401", "403", "407"})
"Statuses of a trunk that does not take a request for ours."

MakeSender = Callable[[Trunk], RequestSender]


class MonitoredTrunk:
    """One trunk as it is set up now."""

    def __init__(
        self, trunk: Trunk, make_sender: MakeSender, random: Callable[[], float], now: float
    ) -> None:
        self.trunk = trunk
        self._reachable: bool | None = None
        self._round_trip: float | None = None
        self._detail = ""
        self._ping_refusal = ""
        self._call_refusal = ""
        self._registration: Registration | None = None
        self._ping: OptionsPing | None = None
        try:
            hop = trunk_hop(trunk)
        except Unroutable as fault:
            self._detail = str(fault)
            return
        if trunk.register:
            self._registration = Registration(make_sender(trunk), trunk, hop, random)
            self._registration.start(now)
        if trunk.options_ping is not None:
            uri = trunk_uri(trunk)
            self._ping = OptionsPing(
                make_sender(trunk),
                uri,
                hop,
                trunk.options_ping,
                self._pinged,
                from_uri=account_uri(trunk),
            )
            self._ping.start(now)

    def state(self, now: float) -> TrunkState:
        registration = self._registration
        if registration is None:
            state, left, detail = TrunkRegistration.OFF, None, self._detail
        else:
            state, detail = registration.state, registration.detail or self._detail
            left = max(0.0, registration.ends - now) if registration.ends is not None else None
        return TrunkState(
            self.trunk.name,
            state,
            registered_for=left,
            reachable=self._reachable,
            round_trip=self._round_trip,
            detail=detail,
            ping_refusal=self._ping_refusal,
            call_refusal=self._call_refusal,
        )

    def call_taken(self) -> None:
        """Note that a call of ours is the trunk's affair, whatever becomes of it."""
        self._call_refusal = ""

    def call_refused(self, answer: str) -> None:
        """Note that a call of ours was not taken for ours."""
        if answer != self._call_refusal:
            hint = (
                "" if self.trunk.from_user else "; it may know us by the user in From (from_user)"
            )
            log.warning("trunk %s refuses our calls: %s%s", self.trunk.name, answer, hint)
        self._call_refusal = answer

    def leave(self, now: float) -> None:
        if self._registration is not None:
            self._registration.leave(now)
        if self._ping is not None:
            self._ping.stop()

    def _pinged(self, round_trip: float | None, reason: str, now: float) -> None:
        was, self._reachable = self._reachable, round_trip is not None
        if was is not self._reachable:
            if round_trip is None:
                log.warning("trunk %s does not answer: %s", self.trunk.name, reason)
            elif was is not None:
                log.info("trunk %s answers again", self.trunk.name)
                if self._registration is not None:
                    self._registration.found_again(now)
        self._round_trip = round_trip
        answered = round_trip is not None
        self._detail = "" if answered else reason
        refusal = reason if answered else ""
        if refusal != self._ping_refusal and refusal[:3] in UNKNOWN_TO_IT:
            log.warning("trunk %s refuses our OPTIONS: %s", self.trunk.name, refusal)
        self._ping_refusal = refusal


class TrunkRegistrations:
    """All trunks. A change of one leaves the others as they are."""

    def __init__(self, make_sender: MakeSender, random: Callable[[], float]) -> None:
        self._make_sender = make_sender
        self._random = random
        self._trunks: list[MonitoredTrunk] = []

    def use(self, trunks: Sequence[Trunk], now: float) -> None:
        """Replace the trunks: leave those that are gone or set up otherwise, begin the new ones."""
        stay = {one.trunk.name: one for one in self._trunks if one.trunk in trunks}
        for one in self._trunks:
            if one.trunk.name not in stay:
                one.leave(now)
        self._trunks = [
            stay.get(trunk.name) or MonitoredTrunk(trunk, self._make_sender, self._random, now)
            for trunk in trunks
        ]

    def named(self, name: str) -> MonitoredTrunk | None:
        return next((one for one in self._trunks if one.trunk.name == name), None)

    def states(self, now: float) -> Sequence[TrunkState]:
        return [one.state(now) for one in self._trunks]

    def leave(self, now: float) -> None:
        """Leave them all, because we stop."""
        for one in self._trunks:
            one.leave(now)
