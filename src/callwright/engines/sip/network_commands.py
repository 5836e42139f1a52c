"""Network commands: which trunks and phones there are, and how it stands with them.

Of `callwright.engines.port.Engine`, whose contract says what they do.
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence

from callwright.engines.media.media import MediaEngine
from callwright.engines.network import Registered, SipAccount, Trunk, TrunkState
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.leg_commands import LegCommands
from callwright.engines.sip.metrics import figures_of
from callwright.engines.sip.trunks.trunks import Trunks
from callwright.figures import Figure, Measured


class NetworkCommands(LegCommands):
    def __init__(self, media: MediaEngine, admission: Admission) -> None:
        super().__init__(media)
        self._admission = admission
        self._trunks = Trunks(admission)

    @property
    @abstractmethod
    def dropped(self) -> Counter[str]:
        """Messages and datagrams that came to nothing, by reason."""

    @abstractmethod
    def _trunks_changed(self) -> None:
        """Called when the list of trunks has been replaced."""

    def use_trunks(self, trunks: Sequence[Trunk]) -> None:
        self._trunks.use(trunks)
        self._trunks_changed()

    def use_phones(self, phones: Sequence[SipAccount]) -> None:
        self._admission.use_phones(phones)

    def registered(self, number: str) -> Sequence[Registered]:
        now = self._loop.time()
        return [
            Registered(binding.origin.source.host, now - binding.made)
            for binding in self._admission.bindings.of(number, now)
        ]

    def trunk_states(self) -> Sequence[TrunkState]:
        return self._trunks.states()

    def figures(self) -> Iterator[Figure]:
        """See `callwright.figures.Measured`."""
        yield from figures_of(self.trunk_states(), self._admission, self.dropped.total())
        if isinstance(self._media, Measured):
            yield from self._media.figures()
