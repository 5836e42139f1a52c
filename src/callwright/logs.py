"""Logs: how lines are written, for people or for programs."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Literal

FIELDS = (
    "account",
    "session",
    "leg",
    "event",
    "offset",
    "method",
    "outcome",
    "duration",
    "address",
)
"What a line may say of itself beside its text, by ``extra``; in JSON a field of its own."

Format = Literal["text", "json"]


class JsonLines(logging.Formatter):
    """A record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        for name in FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                line[name] = value
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        # ASCII: half a UTF-16 pair out of a far end's mouth must not make a line unwritable.
        return json.dumps(line, default=str)


def set_up(form: Format, level: str | int | None = None, *, of_worker: bool = False) -> None:
    """Write the log of this process to stderr. Lines of a worker say which process they are of."""
    process = f"[{os.getpid()}]" if of_worker else ""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLines()
        if form == "json"
        else logging.Formatter(f"%(asctime)s %(levelname)s %(name)s{process}: %(message)s")
    )
    logging.basicConfig(handlers=[handler], level=level, force=of_worker)


def form() -> Format:
    """How the log of this process is written."""
    handlers = logging.getLogger().handlers
    return "json" if any(isinstance(one.formatter, JsonLines) for one in handlers) else "text"
