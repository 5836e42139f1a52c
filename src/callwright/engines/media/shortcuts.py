"""The shortcuts of all legs: which talks the kernel is given, looked at now and then."""

import logging
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from callwright.engines.media.kernel.flow import FlowPath
from callwright.engines.media.kernel.relay import KernelRelay
from callwright.engines.media.latch import Source
from callwright.engines.media.leg import LegMedia
from callwright.engines.media.sender import Sender

log = logging.getLogger(__name__)

AT_ONCE = 24
"Shortcuts that are begun in one look: each takes some 100 µs, and packets wait."


class Shortcuts:
    def __init__(
        self,
        kernel: KernelRelay,
        drain: Callable[[], None],
        pause: Callable[[Sender], None],
        resume: Callable[[Sender], None],
    ) -> None:
        """``drain``: takes the packets that wait in the sockets. ``pause``, ``resume``: tell the
        slot clock that a sender has nothing to be asked for, and has again."""
        self._kernel = kernel
        self._drain = drain
        self._pause = pause
        self._resume = resume

    def __len__(self) -> int:
        """How many there are: two to a talk."""
        return len(self._kernel)

    def look(self, legs: Iterable[LegMedia], now: float) -> None:
        """Go on for a while, and begin those that are due."""
        self._kernel.prolong()
        begun = 0
        for leg in legs:
            if leg.shortcut.is_due(now) and begun < AT_ONCE and (found := leg.ear_of_plain(now)):
                begun += self._begin(leg, found, now)

    def close(self) -> None:
        """All legs must be closed."""
        self._kernel.close()

    def _begin(self, leg: LegMedia, found: tuple[Sender, int], now: float) -> bool:
        ear, payload_type = found
        path = self._path(leg.sender, ear)
        flow = self._kernel.flow() if path else None
        if path is None or flow is None:
            leg.shortcut.put_off()
            return False
        # A packet that waits in the socket yet would have to be overtaken by the next one: so that
        # one would not be relayed, nor any after it.
        self._drain()
        if leg.ear_of_plain(now) != found:
            flow.end()
            return False
        leg.shortcut.fill(flow, path, ear, leg.codec, payload_type)
        if not self._kernel.begin(flow, path):
            return False
        self._pause(ear)
        leg.shortcut.begin(flow, ear, self._resume)
        log.debug("leg %d is relayed by the kernel", leg.id)
        return True

    def _path(self, one: Sender, other: Sender) -> FlowPath | None:
        """The way from the far end of one to that of the other."""
        if one.far is None or other.far is None or one.local is None or other.local is None:
            return None
        here, there = self._kernel.route(one.far[0]), self._kernel.route(other.far[0])
        if here is None or there is None:
            return None
        came_to = _filled_in(one.local, here.source)
        goes_from = _filled_in(other.local, there.source)
        if came_to is None or goes_from is None:
            return None
        return FlowPath((one.far, came_to), (goes_from, other.far), there.device)


def _filled_in(local: Source, source: str | None) -> Source | None:
    """Who is bound to all addresses sends from the one that the route names."""
    if not ip_address(local[0]).is_unspecified:
        return local
    return (source, local[1]) if source else None
