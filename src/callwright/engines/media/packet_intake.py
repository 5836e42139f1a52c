"""How packets come in: each wakes the event loop; or, at many, they are collected as it waits."""

import asyncio
import logging
from collections.abc import Callable

from callwright.engines.media.packet_loop import NAP, PacketLoop
from callwright.engines.media.port import AT_ONCE, Watch

log = logging.getLogger(__name__)

_ROUNDS = 4
COLLECT_FROM = 400
"Packets between two choices (1600 a second, 16 bridged calls)."


class PacketIntake:
    """Takes what comes to the sockets of ``watch``.

    ``now``: the loop's time; ``has_news``: whether events have come of packets, for which the loop
    is to turn.
    """

    def __init__(
        self, watch: Watch, now: Callable[[], float], has_news: Callable[[], bool]
    ) -> None:
        self._watch = watch
        self._now = now
        self._has_news = has_news
        self._taken = 0
        self._collecting: PacketLoop | None = None
        self._collected_at = 0.0

    @property
    def collecting(self) -> bool:
        """Whether so many packets come that they do not wake the loop each."""
        return self._collecting is not None

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._watch.fileno(), self._packets_came)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watch.fileno())
        if self._collecting:
            self._collecting.collect_by(None)

    def choose(self) -> None:
        """A turn of the loop for each packet costs more than the packet: at many, collect them."""
        packets, self._taken = self._taken, 0
        loop = asyncio.get_running_loop()
        if self._collecting is None and packets > COLLECT_FROM and isinstance(loop, PacketLoop):
            loop.remove_reader(self._watch.fileno())
            loop.collect_by(self._collect)
            self._collecting = loop
        elif self._collecting and packets < COLLECT_FROM // 2:
            self._collecting.collect_by(None)
            self._collecting = None
            loop.add_reader(self._watch.fileno(), self._packets_came)

    def keep_time(self) -> None:
        """Collect what has come, if the last time is a nap ago; for whoever holds the loop long."""
        if self._collecting and self._now() - self._collected_at >= NAP:
            self._collect()

    def drain(self) -> None:
        """Take what waits in the sockets at this moment."""
        for _ in range(_ROUNDS):
            came = self._watch.take(self._now())
            self._taken += came
            if not came:
                return

    def _packets_came(self) -> None:
        self._taken += self._watch.take(self._now())

    def _collect(self) -> bool:
        """Take the packets that have come; return whether events have come of them."""
        self._collected_at = self._now()
        try:
            for _ in range(_ROUNDS):  # no more: the slot clock must come to its turn
                came = self._watch.take(self._now())
                self._taken += came
                if came < AT_ONCE:
                    break
        except Exception:  # the loop is not to end over one packet
            log.exception("a packet could not be taken")
        return self._has_news()
