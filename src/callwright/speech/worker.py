"""The speech worker: a process that synthesises one text after another, and may die of it.

Started by `callwright.speech.process` as ``python -m callwright.speech.worker``, never by hand. It
reads jobs from standard input and ends when that does, that is, also when the service has died.
"""

import os
import resource
import signal
import sys
import tempfile
from pathlib import Path
from typing import IO

from callwright.directory.audio import NotAudio, TooLong, normalise
from callwright.speech.espeak import SECONDS_AT_MOST, Espeak
from callwright.speech.frames import Job, pack_reason, pack_wav, read_frame, unpack_job
from callwright.speech.synthesiser import CannotSpeak, Synthesiser

MEMORY_AT_MOST = 2 << 30
# The service kills a worker that is late; the alarm is for one whose service is no more.
GRACE = 1.0


def main() -> None:
    # What a library prints must not come between the frames.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_AT_MOST, MEMORY_AT_MOST))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with answers:
        serve(Espeak(), sys.stdin.buffer, answers)


def serve(synthesiser: Synthesiser, jobs: IO[bytes], answers: IO[bytes]) -> None:
    """Answer jobs until there are no more."""
    while (payload := read_frame(jobs)) is not None:
        job = unpack_job(payload)
        # The default action of SIGALRM ends the process, even inside a C library that hangs.
        signal.setitimer(signal.ITIMER_REAL, job.within + GRACE)
        try:
            answer = pack_wav(spoken(synthesiser, job))
        except CannotSpeak as reason:
            answer = pack_reason(str(reason))
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(answer)
        answers.flush()


def spoken(synthesiser: Synthesiser, job: Job) -> bytes:
    """Return the text as WAV, ready to be played. Raises `CannotSpeak`."""
    with tempfile.TemporaryDirectory() as folder:
        raw, wav = Path(folder, "raw"), Path(folder, "spoken.wav")
        synthesiser.speak(job.text, job.voice, raw)
        try:
            normalise(raw, wav, at_most=SECONDS_AT_MOST)
        except (NotAudio, TooLong) as reason:
            raise CannotSpeak(f"the text gives no sound: {reason}") from reason
        return wav.read_bytes()


if __name__ == "__main__":
    main()
