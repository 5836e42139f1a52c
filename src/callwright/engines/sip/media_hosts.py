"""Media hosts: names in c= of SDP, looked up while the audio waits (RFC 8866 section 5.7)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from callwright.engines.media.media import RtpStream
from callwright.engines.port import LegId
from callwright.engines.sip.wire.hop import Hop, is_address


class MediaHosts:
    """Connects audio: at once, and again when a name is found.

    Until then packets that come may show where the far end is, as behind a NAT.
    """

    def __init__(
        self,
        connect: Callable[[LegId, RtpStream], None],
        targets: Callable[[Hop], Awaitable[Sequence[Hop]]],
    ) -> None:
        """``targets`` finds where a hop is, best first; never raises."""
        self._connect = connect
        self._targets = targets
        self._looking: dict[LegId, asyncio.Task[None]] = {}

    def connect(self, leg: LegId, stream: RtpStream) -> None:
        self.forget(leg)
        self._connect(leg, stream)
        if not is_address(stream.remote[0]):
            self._looking[leg] = asyncio.create_task(self._look_up(leg, stream))

    def forget(self, leg: LegId) -> None:
        """Look nothing up for a leg any more: it is over, or its audio goes elsewhere."""
        if (looking := self._looking.pop(leg, None)) is not None:
            looking.cancel()

    async def _look_up(self, leg: LegId, stream: RtpStream) -> None:
        name, port = stream.remote
        found = await self._targets(Hop(name, port))
        del self._looking[leg]
        if found:
            self._connect(leg, replace(stream, remote=(found[0].host, port)))
