"""Media files on disk: how a file somebody names becomes a file the line is played from."""

import hashlib
import shutil
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path


class MediaFault(Exception):
    """The file cannot be taken. The message says why."""


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """Audio in the media folder, named by what it was made from, so that no name ever changes."""

    sha256: str
    "Of the file it was made from."
    file_name: str
    "In the media folder."
    duration: float
    "Seconds."
    size: int
    "Bytes of the normalised WAV."


def take_in(source: Path, folder: Path, *, at_most: float, keep: bool = True) -> StoredMedia:
    """Normalise ``source`` into the media folder, unless that was done before. Blocks.

    ``at_most``: longest audio that is taken, in seconds. With ``keep`` false everything is tried
    and nothing is left behind. Raises `MediaFault`.
    """
    # Only here: it brings FFmpeg along, which most of those who know of media have no use for.
    from callwright.directory.audio import NotAudio, TooLong, normalise

    try:
        with source.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        target = folder / f"{sha256}.wav"
        if target.exists():
            if keep:
                target.touch()  # It is not to be taken for an orphan before its row is there.
            return _stored(sha256, target)
        if keep:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            normalise(source, target, at_most=at_most)
            return _stored(sha256, target)
        with tempfile.TemporaryDirectory() as elsewhere:
            tried = Path(elsewhere) / target.name
            normalise(source, tried, at_most=at_most)
            return _stored(sha256, tried)
    except (NotAudio, TooLong) as fault:
        raise MediaFault(str(fault)) from fault
    except OSError as fault:
        raise MediaFault(fault.strerror or str(fault)) from fault


def put_in(normalised: Path, folder: Path) -> StoredMedia:
    """Copy a WAV that is normalised already into the media folder. Raises `OSError`."""
    sha256 = hashlib.sha256(normalised.read_bytes()).hexdigest()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{sha256}.wav"
    shutil.copyfile(normalised, target)
    return _stored(sha256, target)


def _stored(sha256: str, file: Path) -> StoredMedia:
    with wave.open(str(file), "rb") as audio:
        duration = audio.getnframes() / audio.getframerate()
    return StoredMedia(sha256, file.name, duration, file.stat().st_size)
