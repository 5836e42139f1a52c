"""NAT keep-alive: phones behind a NAT are asked now and then, which keeps the way to them open.

Those that do not answer any more are taken off.
"""

from callwright.engines.sip.admission.bindings import Binding, Bindings
from callwright.engines.sip.transaction.options_ping import OptionsPing
from callwright.engines.sip.transaction.request_sender import RequestSender

GONE_AFTER = 2
"Unanswered questions in a row after which a phone is taken to be gone."


class NatKeepAlive:
    """Keeps the way to phones behind a NAT open, and forgets those that are gone."""

    def __init__(self, bindings: Bindings, every: float) -> None:
        self._bindings = bindings
        self._every = every

    def watch(self, binding: Binding, sender: RequestSender, now: float) -> None:
        """Ask a phone as long as this binding of its holds; a refresh makes a new one."""
        if not binding.natted:
            return
        missed = 0

        def told(round_trip: float | None, _reason: str, _now: float) -> None:
            nonlocal missed
            missed = 0 if round_trip is not None else missed + 1
            if missed >= GONE_AFTER:
                self._bindings.drop(binding)
            if not self._bindings.holds(binding):
                ping.stop()

        ping = OptionsPing(sender, binding.uri, binding.hop, self._every, told)
        sender.layer.at(now + self._every, ping.start)
