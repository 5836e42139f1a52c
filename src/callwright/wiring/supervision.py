"""Supervision: what no call needs is started again when it fails, and takes nothing with it."""

import logging
from collections.abc import Awaitable, Callable

import anyio

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"Seconds before what has failed is started again; twice as long each time."
SETTLED_AFTER = 300.0
"Seconds after which what has failed before counts as well again."


async def supervised(what: str, serve: Callable[[], Awaitable[None]]) -> None:
    """Run ``serve`` to its end, and again whenever it fails; ``what`` is its name in the log.

    For tasks beside the calls: logs, clean-up, figures, deliveries, speech. Whatever they raise is
    a fault of ours or of the machine, and neither ends anybody's call.
    """
    pause = FIRST_PAUSE
    while True:
        began = anyio.current_time()
        try:
            await serve()
        except Exception:
            if anyio.current_time() - began >= SETTLED_AFTER:
                pause = FIRST_PAUSE
            log.exception("%s has failed, and is started again in %.0f s", what, pause)
        else:
            return
        await anyio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
