"""Recorded calls, as ``get.call`` gave them, and phones that heard what they had to."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from callwright.drawing.call import Call, Sound, Who, spans
from demo.sound import Heard
from demo.verdict import Phone

RECORDED = Path(__file__).with_name("timelines")
RATE = 8000


@pytest.fixture
def recorded() -> Callable[[str], Call]:
    """A recorded call by the name of its file."""
    return lambda name: Call.model_validate_json((RECORDED / f"{name}.json").read_bytes())


@pytest.fixture
def phones() -> Callable[[Call], dict[Who, Phone]]:
    """Two phones of a call, each with a recording of the sounds its timeline names."""
    return lambda call: {
        Who.EMPLOYEE: Phone(
            "79260000001",
            "baresip 1.0.0",
            "a low tone",
            440,
            heard(call, Who.EMPLOYEE, 660),
            shown="79260000000",
        ),
        Who.CONTACT: Phone(
            "79260000000",
            "baresip-python 0.5.2a3",
            "a high tone",
            660,
            heard(call, Who.CONTACT, 440),
            keys="123",
            shown="74993720692",
        ),
    }


def heard(call: Call, who: Who, other_tone: float) -> Heard | None:
    """Noise for messages, music at 330 Hz, and the other phone's tone for the talk."""
    answered = call.first("leg_answered", who)
    if answered is None:
        return None
    begin = answered.offset
    samples = np.zeros(round((call.duration - begin) * RATE), np.float32)
    noise = np.random.default_rng(0)
    for span in spans(call, who):
        first, last = (max(0, round((at - begin) * RATE)) for at in (span.start, span.end))
        time = np.arange(last - first) / RATE
        match span.sound:
            case Sound.MESSAGE:
                samples[first:last] = 0.2 * noise.standard_normal(last - first)
            case Sound.MUSIC:
                samples[first:last] = 0.2 * np.sin(2 * np.pi * 330 * time)
            case Sound.TALK:
                samples[first:last] = 0.3 * np.sin(2 * np.pi * other_tone * time)
            case _:
                pass
    return Heard(samples, RATE, begin)
