"""The engine of the sandbox: simulated phones that do what their numbers, or a script, say."""

from collections.abc import Callable

from callwright.engines.port import Deliver, EngineEvent, LegId, LegReleased
from callwright.engines.simulated.engine import SimulatedEngine
from callwright.sandbox.behaviour import Phones

TRUNK = "sandbox"
"The trunk that calls come in by."


class SandboxEngine(SimulatedEngine):
    """``next_leg`` gives ids for calls that come in. Every number leads to a phone."""

    def __init__(self, next_leg: Callable[[], LegId], phones: Phones) -> None:
        super().__init__(otherwise=phones.next_call, all_reachable=True)
        self.when_ended: Callable[[LegId], None] = lambda _leg: None
        "Told of every leg's end."
        self._next_leg = next_leg

    async def run(self, deliver: Deliver, *, started: Callable[[], None]) -> None:
        def heard(event: EngineEvent) -> None:
            deliver(event)
            if isinstance(event, LegReleased):
                self.when_ended(event.leg)

        await super().run(heard, started=started)

    def call_in(self, *, caller: str, called: str) -> LegId:
        """Let a contact call one of our numbers."""
        leg = self._next_leg()
        self.offer(leg, caller=caller, called=called, trunk=TRUNK)
        return leg
