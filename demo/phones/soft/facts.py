"""Facts: one line of JSON for everything that happens on the phone."""

import json
import sys
import time
from typing import IO

Detail = str | int | float


class Facts:
    """Writes ``{"fact": "answered", "at": …, "wall": …, …}``.

    ``at`` is CLOCK_MONOTONIC in seconds, one clock for all programs of a machine; ``wall`` is UNIX
    time.
    """

    def __init__(self, out: IO[str] = sys.stdout) -> None:
        self._out = out

    def tell(self, fact: str, *, at: float | None = None, **details: Detail) -> None:
        now = time.monotonic()
        at = now if at is None else at
        line = {"fact": fact, "at": at, "wall": time.time() - (now - at), **details}
        print(json.dumps(line), file=self._out, flush=True)
