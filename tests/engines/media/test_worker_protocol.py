"""Every command and event there and back, whatever they have come to be."""

from pathlib import Path
from typing import get_args
from unittest.mock import create_autospec

import pytest

from callwright.engines.media.media import (
    MediaEngine,
    MediaEvent,
    MediaWorkerLost,
    RtpStream,
)
from callwright.engines.media.worker_protocol import (
    BadLine,
    carry_out,
    event_line,
    line,
    read_event,
    read_leg,
    read_qualities,
)
from callwright.engines.port import DtmfFailed, DtmfSent, LegId, Media, PlaybackFinished, PlaybackId
from callwright.engines.quality import Quality

LEG = LegId(1 << 60)


def parts(said: bytes) -> tuple[bytes, bytes]:
    assert b"\n" not in said
    name, _, words = said.partition(b" ")
    return name, words


@pytest.mark.parametrize(
    ("name", "plain", "named"),
    [
        ("connect", (LEG, RtpStream(("192.0.2.1", 4000), "PCMA", 8, 101, sends=False)), {}),
        ("play", (LEG, PlaybackId(7), Media(Path("/a folder/ü\nß.wav"))), {"loop": True}),
        ("send_key", (LEG, "#"), {}),
        ("bridge", (1, 2, 3), {}),
        ("close", (LEG,), {}),
    ],
)
def test_a_command_is_given_as_it_was(
    name: str, plain: tuple[object, ...], named: dict[str, object]
) -> None:
    engine = create_autospec(MediaEngine, instance=True)
    carry_out(engine, *parts(line(name, (*plain, *named.values()))))
    getattr(engine, name).assert_called_once_with(*plain, **named)


@pytest.mark.parametrize(
    "event",
    [
        DtmfSent(LEG, "*"),
        DtmfFailed(LEG, "*", "why"),
        PlaybackFinished(LEG, PlaybackId(5)),
        MediaWorkerLost(LEG),
    ],
)
def test_an_event_comes_as_it_was(event: MediaEvent) -> None:
    assert read_event(*parts(event_line(event))) == event


def test_every_event_is_known() -> None:
    for kind in get_args(MediaEvent):
        with pytest.raises(BadLine, match="validation error"):
            read_event(kind.__name__.encode(), b"{}")


def test_qualities_come_as_they_were() -> None:
    told = [(LEG, Quality(1, 2, 3, 4, 0.005, 0.06, 4.1)), (LegId(2), Quality())]
    assert read_qualities(parts(line("qualities", told))[1]) == told


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (b"run", b"[]"),
        (b"__class__", b"[]"),
        (b"_at", b"[]"),
        (b"\xff", b"[]"),
        (b"send_key", b'[1, "2", 3]'),
        (b"send_key", b"[1]"),
        (b"send_key", b'["one", "1"]'),
        (b"send_key", b"[1, "),
        (b"play", b"[1, 2, null, true]"),
    ],
)
def test_a_line_that_says_nothing_is_a_bad_line(name: bytes, words: bytes) -> None:
    engine = create_autospec(MediaEngine, instance=True)
    with pytest.raises(BadLine):
        carry_out(engine, name, words)
    assert engine.mock_calls == []


def test_nonsense_from_a_worker_is_a_bad_line() -> None:
    for name, words in ((b"DtmfSent", b'{"leg": 1}'), (b"Exit", b"{}"), (b"", b"")):
        with pytest.raises(BadLine):
            read_event(name, words)
    for words in (b"", b"{}", b'"x"', b"[[1]]"):
        with pytest.raises(BadLine):
            read_qualities(words)
        with pytest.raises(BadLine):
            read_leg(words)
