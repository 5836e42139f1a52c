import io
import json
import logging
from datetime import datetime

import pytest

from callwright.calls.narration import narrate
from callwright.logs import JsonLines
from tests.storage.stories import later, started


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(written: io.StringIO) -> logging.Logger:
    """A logger of its own, which writes JSON."""
    log = logging.Logger("callwright.test")
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    return log


def test_a_line_is_one_object_with_its_ids_as_fields(
    log: logging.Logger, written: io.StringIO
) -> None:
    log.warning("%d: %s\nbroke", 7, "it", extra={"session": 7, "leg": 9, "secret": "x"})
    [line] = written.getvalue().splitlines()
    said = json.loads(line)
    assert datetime.fromisoformat(said.pop("time")).tzinfo
    assert said.pop("process") > 0
    assert said == {
        "level": "warning",
        "logger": "callwright.test",
        "message": "7: it\nbroke",
        "session": 7,
        "leg": 9,
    }


def test_a_traceback_stays_in_its_line(log: logging.Logger, written: io.StringIO) -> None:
    try:
        raise ValueError("half a pair: \ud83d")
    except ValueError:
        log.exception("it broke")
    [line] = written.getvalue().splitlines()
    assert "ValueError: half a pair" in json.loads(line)["exception"]
    line.encode("ascii")


def test_the_story_of_a_call_has_its_ids_as_fields(
    monkeypatch: pytest.MonkeyPatch, written: io.StringIO
) -> None:
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    calls = logging.getLogger("callwright.calls")
    monkeypatch.setattr(calls, "handlers", [handler])
    monkeypatch.setattr(calls, "propagate", False)
    calls.setLevel(logging.INFO)
    try:
        for event in [started(1), *later(1)]:
            narrate(event)
    finally:
        calls.setLevel(logging.NOTSET)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert {line["session"] for line in lines} == {1}
    assert [line["leg"] for line in lines if line["event"] == "LegAnswered"] == [11, 12]
    assert "79260000001" not in written.getvalue()
