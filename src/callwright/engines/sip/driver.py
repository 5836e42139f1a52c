"""The driver of the user agent: gives it what comes in and the time, and sends what it says."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING

from callwright.config import SipSettings
from callwright.engines.sip.transaction.failover import OutgoingRequest
from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.transport.transports import Transports
from callwright.engines.sip.user_agent import UserAgent
from callwright.engines.sip.wire.hop import Hop

if TYPE_CHECKING:
    from callwright.engines.sip.transport.resolver import Resolver


class Driver:
    """The sockets, and the one timer. To be made inside the running event loop."""

    def __init__(
        self,
        settings: SipSettings,
        resolver: "Resolver | None",
        agent: Callable[[Transports], UserAgent],
        *,
        after_input: Callable[[], None],
        knows: Callable[[Hop], bool],
    ) -> None:
        """``agent`` makes the user agent once the sockets are bound. Raises `OSError`.

        ``after_input`` is called when the agent has taken an input: to flush, and to tell.
        ``knows``: see `callwright.engines.sip.transport.connection_places.ConnectionPlaces`.
        """
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._after_input = after_input
        self._wake: asyncio.TimerHandle | None = None
        self._finding: set[asyncio.Task[None]] = set()
        self.transports = Transports(
            settings,
            received=self._received,
            unsent=self._unsent,
            returned=self._returned,
            knows=knows,
            resolver=resolver,
        )
        self.agent = agent(self.transports)

    def flush(self) -> None:
        """Send what the agent has to say, find where it goes, and be woken when it wants."""
        layer = self.agent.layer
        while layer.to_find:
            finding = self._find(layer.to_find.popleft())
            task = self._loop.create_task(finding, context=self._context)
            self._finding.add(task)
            task.add_done_callback(self._finding.discard)
        while layer.to_send:
            self.transports.send(layer.to_send.popleft())
        due = layer.next_timer()
        if due is not None and (self._wake is None or due < self._wake.when()):
            if self._wake is not None:
                self._wake.cancel()
            self._wake = self._loop.call_at(due, self._on_timer)

    def close(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
        for task in self._finding:
            task.cancel()
        self.transports.close()

    def _received(self, batch: list[tuple[bytes, Hop]]) -> None:
        now = self._loop.time()
        for data, source in batch:
            self.agent.receive(data, source, now)
        self._after_input()

    def _unsent(self, datagrams: list[Datagram]) -> None:
        now = self._loop.time()
        for datagram in datagrams:
            self.agent.layer.unsent(datagram, now)
        self._after_input()

    def _returned(self, quoted: bytes, hop: Hop) -> None:
        self.agent.layer.returned(quoted, hop, self._loop.time())
        self._after_input()

    def _on_timer(self) -> None:
        self._wake = None
        self.agent.layer.on_timer(self._loop.time())
        self._after_input()

    async def _find(self, outgoing: OutgoingRequest) -> None:
        targets = await self.transports.targets(outgoing.hop)
        self.agent.layer.found(outgoing, targets, self._loop.time())
        self._after_input()
