"""Trunks: the list the engine was told, and all that goes by it.

By it we register and ask whether a trunk is there
(`callwright.engines.sip.trunks.trunk_registrations`), know the calls of trunks as theirs, and find
the credentials for a BYE to a call of the last run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from callwright.engines.network import Trunk, TrunkRegistration, TrunkState
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.trunks.trunk_hosts import follow_hosts
from callwright.engines.sip.trunks.trunk_registrations import (
    UNKNOWN_TO_IT,
    MakeSender,
    MonitoredTrunk,
    TrunkRegistrations,
)
from callwright.engines.sip.wire.hop import Hop


class Trunks:
    """May be told at any time; `begin` is called when the engine runs."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._trunks: dict[str, Trunk] = {}
        self._are_told = False
        self._registrations: TrunkRegistrations | None = None
        self._clock: Callable[[], float]
        self._changed = asyncio.Event()

    @property
    def named(self) -> Mapping[str, Trunk]:
        return self._trunks

    @property
    def told(self) -> Mapping[str, Trunk] | None:
        """By name; None until they have been told."""
        return self._trunks if self._are_told else None

    def use(self, trunks: Sequence[Trunk]) -> None:
        """Replace the list. What is to be sent for it waits in the layer."""
        self._trunks = {trunk.name: trunk for trunk in trunks}
        self._are_told = True
        self._admission.use_trunks(trunks)
        self._changed.set()
        if self._registrations is not None:
            self._registrations.use(trunks, self._clock())

    def begin(
        self, make_sender: MakeSender, random: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        """Register, and ask whether they are there. ``clock``: the loop's time in seconds."""
        self._clock = clock
        self._registrations = TrunkRegistrations(make_sender, random)
        self._registrations.use(list(self._trunks.values()), clock())

    async def follow_hosts(self, targets: Callable[[Hop], Awaitable[Sequence[Hop]]]) -> None:
        """Know by which addresses their calls come, until cancelled."""
        await follow_hosts(self._trunks_now, targets, self._admission.use_hosts, self._changed)

    def states(self) -> Sequence[TrunkState]:
        if self._registrations is None:
            return [TrunkState(name, TrunkRegistration.OFF) for name in self._trunks]
        return self._registrations.states(self._clock())

    def call_went_on(self, name: str | None) -> None:
        """Note that a trunk has taken a call of ours: it rings, or is answered."""
        if (trunk := self._monitored(name)) is not None:
            trunk.call_taken()

    def call_ended(self, name: str | None, answer: str) -> None:
        """Note how a call of ours ended; ``answer``: status and words of the trunk."""
        if (trunk := self._monitored(name)) is None:
            return
        if answer[:3] in UNKNOWN_TO_IT:
            trunk.call_refused(answer)
        elif answer[:1] in ("4", "6"):
            trunk.call_taken()

    def leave(self) -> None:
        """Sign off everywhere, because we stop."""
        if self._registrations is not None:
            self._registrations.leave(self._clock())

    def _monitored(self, name: str | None) -> MonitoredTrunk | None:
        if name is None or self._registrations is None:
            return None
        return self._registrations.named(name)

    def _trunks_now(self) -> Sequence[Trunk]:
        # Not a method of the mapping: that would go on showing the one it was taken from.
        return list(self._trunks.values())
