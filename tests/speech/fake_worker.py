"""A worker that does as the text says: ``python fake_worker.py FOLDER``.

``hang``, ``die``, ``babble`` (send no frame), ``flood`` (promise a huge frame) and ``refuse`` do so
every time, ``die once`` the first time only; any other text gives a WAV that holds the text. Every
job is noted as a line in FOLDER/jobs.
"""

import os
import signal
import sys
from pathlib import Path

from callwright.speech.frames import pack_reason, pack_wav, read_frame, unpack_job


def main(folder: Path) -> None:
    answers = sys.stdout.buffer
    while (payload := read_frame(sys.stdin.buffer)) is not None:
        job = unpack_job(payload)
        jobs = (folder / "jobs").read_text().splitlines() if (folder / "jobs").exists() else []
        with (folder / "jobs").open("a") as file:
            file.write(f"{job.text}\n")
        match job.text:
            case "hang":
                signal.pause()
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "die once" if job.text not in jobs:
                os.kill(os.getpid(), signal.SIGKILL)
            case "babble":
                answers.write(b"\0\0\0\5hello")
            case "flood":
                answers.write(b"\xff\xff\xff\xff" + bytes(1000))
            case "refuse":
                answers.write(pack_reason("it is too rude"))
            case text:
                answers.write(pack_wav(text.encode()))
        answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
