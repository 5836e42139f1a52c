"""The speech worker: what it says is framed, and it never outlives its service."""

import io
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from callwright.speech.frames import Job, pack_job, read_frame, unpack_answer
from callwright.speech.language import DEFAULT, VOICES
from callwright.speech.process import COMMAND
from callwright.speech.synthesiser import CannotSpeak
from callwright.speech.worker import spoken
from tests.waiting import WITHIN


def work(*jobs: Job) -> list[bytes]:
    """Run the real worker over ``jobs`` and return its answers; it ends with its input."""
    done = subprocess.run(
        COMMAND,
        input=b"".join(map(pack_job, jobs)),
        capture_output=True,
        timeout=WITHIN,
        check=True,
    )
    assert done.stderr == b""
    output = io.BytesIO(done.stdout)
    return [answer for _ in jobs if (answer := read_frame(output)) is not None]


def seconds(wav: bytes) -> float:
    with wave.open(io.BytesIO(wav), "rb") as file:
        return file.getnframes() / file.getframerate()


def test_it_answers_every_job_in_order_and_ends_with_its_input() -> None:
    voices = {*VOICES.values(), DEFAULT, "uk"}
    short, long, *numbers = work(
        Job("Да", "ru", 10),
        Job("Добрый день, вы позвонили в аптеку на улице Ленина", "ru", 10),
        *(Job("1", voice, 10) for voice in voices),
    )
    assert 0.1 < seconds(unpack_answer(short)) < 1.5 < seconds(unpack_answer(long)) < 8
    assert len(numbers) == len(voices)
    for number in numbers:
        assert 0.1 < seconds(unpack_answer(number)) < 2


def test_markup_is_read_out_not_obeyed() -> None:
    """A pause of an hour must not come out of forty characters."""
    ssml, plain = work(Job('<speak><break time="3600s"/>да</speak>', "ru", 10), Job("да", "ru", 10))
    assert seconds(unpack_answer(plain)) < seconds(unpack_answer(ssml)) < 30


def test_what_has_no_sound_and_no_voice_is_refused_with_the_reason() -> None:
    no_voice, still_there = work(Job("да", "../../etc/passwd", 10), Job("да", "ru", 10))
    with pytest.raises(CannotSpeak, match="no voice"):
        unpack_answer(no_voice)
    assert seconds(unpack_answer(still_there)) > 0.1


class Empty:
    def speak(self, text: str, voice: str, target: Path) -> None:
        with wave.open(str(target), "wb") as file:
            file.setparams((1, 2, 22050, 0, "NONE", ""))


def test_a_synthesiser_without_a_sound_is_refused_with_the_reason() -> None:
    with pytest.raises(CannotSpeak, match="no sound"):
        spoken(Empty(), Job("да", "ru", 10))


HANGS = """
import io, signal, sys
from callwright.speech.frames import Job, pack_job
from callwright.speech.worker import serve

class Hangs:
    def speak(self, text, voice, target):
        while True:
            signal.pause()

serve(Hangs(), io.BytesIO(pack_job(Job("да", "ru", 0.1))), sys.stdout.buffer)
"""


def test_a_worker_that_hangs_ends_itself_when_nobody_kills_it(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", HANGS]
    done = subprocess.run(command, timeout=WITHIN, check=False, env=environment)
    assert done.returncode == -signal.SIGALRM
