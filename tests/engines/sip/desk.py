"""An engine on real sockets, with a media engine that only remembers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from callwright.config import SipSettings
from callwright.engines.port import Address, EngineEvent
from callwright.engines.sip.engine import SipEngine
from callwright.engines.sip.transaction.transactions import Timing
from tests.engines.sip.media import RememberingMedia, ids
from tests.engines.sip.phone import Phone
from tests.waiting import WITHIN


class Desk:
    """An engine that runs, and what it has told."""

    def __init__(
        self,
        media: RememberingMedia,
        settings: SipSettings,
        timing: Timing,
        journal: Path | None = None,
    ) -> None:
        self.media = media
        self.engine = SipEngine(settings, media, next_leg=ids(), timing=timing, journal=journal)
        self.events: list[EngineEvent] = []
        self._more = asyncio.Event()
        self.on_event: Callable[[EngineEvent], None] = lambda event: None

    def deliver(self, event: EngineEvent) -> None:
        self.events.append(event)
        self.on_event(event)
        self._more.set()

    async def event(self, wanted: EngineEvent) -> None:
        async with asyncio.timeout(WITHIN):
            while wanted not in self.events:
                self._more.clear()
                await self._more.wait()

    async def told(self, wanted: type[EngineEvent]) -> EngineEvent:
        async with asyncio.timeout(WITHIN):
            while True:
                for event in self.events:
                    if isinstance(event, wanted):
                        return event
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def running(
    *,
    media: RememberingMedia | None = None,
    settings: SipSettings | None = None,
    timing: Timing | None = None,
    journal: Path | None = None,
) -> AsyncIterator[Desk]:
    desk = Desk(
        media or RememberingMedia(),
        settings or SipSettings(port=0),
        timing or Timing(t1=0.02),
        journal,
    )
    ready = asyncio.Event()
    run = asyncio.create_task(desk.engine.run(desk.deliver, started=ready.set))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({run, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield desk
    finally:
        waiting.cancel()
        run.cancel()
        await asyncio.wait({run})


def to(phone: Phone) -> Address:
    return Address("25", phone=phone.uri)
