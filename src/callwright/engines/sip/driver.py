"""The driver of the user agent: gives it what comes in and the time, and sends what it says."""

import asyncio
import contextvars
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

from callwright.config import SipSettings
from callwright.engines.sip.transaction.acknowledgement import Acknowledgement
from callwright.engines.sip.transaction.failover import OutgoingRequest
from callwright.engines.sip.transport.connection_places import KnownPeers
from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.transport.transports import Transports
from callwright.engines.sip.user_agent import UserAgent
from callwright.engines.sip.wire.hop import Hop

if TYPE_CHECKING:
    from callwright.engines.sip.transport.resolver import Resolver

HELD_AT_MOST = 0.2
"Seconds an ACK may wait for the disk: less than until the far end repeats its 2xx."


class Driver:
    """The sockets, and the one timer. To be made inside the running event loop."""

    def __init__(
        self,
        settings: SipSettings,
        resolver: "Resolver | None",
        agent: Callable[[Transports], UserAgent],
        *,
        after_input: Callable[[], None],
        peers: KnownPeers,
        on_record: Callable[[str, Callable[[], None]], bool],
    ) -> None:
        """``agent`` makes the user agent once the sockets are bound. Raises `OSError`.

        ``after_input`` is called when the agent has taken an input: to flush, and to tell.
        ``peers``: who is known here, and no stranger.
        ``on_record``: see `callwright.engines.sip.journal_file.JournalFile.when_written`.
        """
        self._on_record = on_record
        self._held: dict[int, tuple[Datagram, asyncio.TimerHandle]] = {}
        "ACKs that wait for their call to be on record, by a number of their own."
        self._numbers = itertools.count()
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._after_input = after_input
        self._wake: asyncio.TimerHandle | None = None
        self._wakes_at = 0.0
        self._finding: set[asyncio.Task[None]] = set()
        self.transports = Transports(
            settings,
            received=self._received,
            unsent=self._unsent,
            returned=self._returned,
            peers=peers,
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
            datagram = layer.to_send.popleft()
            if not isinstance(datagram.sender, Acknowledgement) or not self._holds(datagram):
                self.transports.send(datagram)
        due = layer.next_timer()
        if due is not None and (self._wake is None or due < self._wakes_at):
            if self._wake is not None:
                self._wake.cancel()
            self._wake, self._wakes_at = self._loop.call_at(due, self._on_timer), due

    def _holds(self, datagram: Datagram) -> bool:
        """Keep an ACK back until the journal has its call, so that a crash finds it there.

        With the ACK the far end is sure of the call; without one it gives up by itself (RFC 3261
        13.3.1.4). A disk that is slow is not waited for.
        """
        assert isinstance(datagram.sender, Acknowledgement)
        number = next(self._numbers)
        if not self._on_record(datagram.sender.ack.call_id, lambda: self._let_go(number)):
            return False
        timer = self._loop.call_later(HELD_AT_MOST, self._let_go, number, context=self._context)
        self._held[number] = datagram, timer
        return True

    def _let_go(self, number: int) -> None:
        held = self._held.pop(number, None)
        if held is not None:
            datagram, timer = held
            timer.cancel()
            self.transports.send(datagram)

    def close(self) -> None:
        for _, timer in self._held.values():
            timer.cancel()
        self._held.clear()
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
