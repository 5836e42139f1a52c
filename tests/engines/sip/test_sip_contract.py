"""The SIP engine keeps the engine contract, with real packets between it and its phones."""

import asyncio
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from callwright.config import SipSettings
from callwright.engines.media.media import MediaEngine
from callwright.engines.network import Trunk
from callwright.engines.port import Address, Media
from callwright.engines.simulated.far_end import Act
from callwright.engines.sip.engine import SipEngine
from tests.engines.commands import WatchedEngine
from tests.engines.contract import CLAUSES, INBOUND, Heard, Line
from tests.engines.media.engines import rtp_engine
from tests.engines.sip.media import ids
from tests.engines.sip.phone import Phone
from tests.engines.sip.stream_phone import StreamPhone

pytestmark = pytest.mark.anyio


class SipLine:
    def __init__(
        self, folder: Path, phones: AsyncExitStack, media: MediaEngine, kind: type[Phone]
    ) -> None:
        self.heard = Heard()
        self.sip = SipEngine(SipSettings(port=0), media, next_leg=ids())
        self.engine = WatchedEngine(self.sip, self.heard)
        self._folder = folder
        self._phones = phones
        self._kind = kind

    async def phone(self, *acts: tuple[float, Act]) -> Address:
        phone = await self._phones.enter_async_context(self._kind(acts))
        return Address("79260000000", phone=phone.uri)

    async def call_in(self, caller: str, called: str, *acts: tuple[float, Act]) -> None:
        self.engine.use_trunks([Trunk(INBOUND, "127.0.0.1")])
        phone = await self._phones.enter_async_context(self._kind(acts))
        if isinstance(phone, StreamPhone):
            await phone.connect(self.sip.address)
        phone.call(self.sip.address, caller=caller, called=called)

    def file(self, name: str) -> Path:
        return self._folder / name

    def media(self, seconds: float) -> Media:
        path = self._folder / f"{seconds}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(b"\0\1" * round(seconds * 16000))
        return Media(path)


@asynccontextmanager
async def line(
    folder: Path, media: MediaEngine, kind: type[Phone] = Phone
) -> AsyncIterator[SipLine]:
    async with AsyncExitStack() as phones:
        one = SipLine(folder, phones, media, kind)
        ready = asyncio.Event()
        run = asyncio.create_task(one.engine.run(one.heard.deliver, started=ready.set))
        await ready.wait()
        try:
            yield one
        finally:
            run.cancel()
            await asyncio.wait({run})


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
async def test_clause(clause: Callable[[Line], Awaitable[None]], tmp_path: Path) -> None:
    media = rtp_engine()
    async with line(tmp_path, media) as one:
        await clause(one)
