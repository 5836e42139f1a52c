"""The engine on the clock of the loop it runs on, be it one that jumps."""

import asyncio

from callwright.engines.media.engine import RtpEngine
from tests.autojump import AutojumpLoop
from tests.rtp_ports import own_ports


def rtp_engine(
    host: str = "127.0.0.1",
    advertise: str | None = None,
    ports: tuple[int, int] | None = None,
    lost_after: float = 30.0,
) -> RtpEngine:
    """``ports``: of the worker's own; None: all of them."""
    loop = asyncio.get_running_loop()
    engine = RtpEngine(host, advertise, ports or own_ports(), lost_after, loop.time)
    if isinstance(loop, AutojumpLoop):
        loop.clock.working = lambda: engine.recording_backlog > 0
    return engine
