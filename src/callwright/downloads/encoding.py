"""Transcoding of files: how a WAV of ours becomes MP3 or Opus, for those who fetch it."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Literal


class AudioFormat(StrEnum):
    WAV = "wav"
    MP3 = "mp3"
    OPUS = "opus"


CONTENT_TYPES = {
    AudioFormat.WAV: "audio/wav",
    AudioFormat.MP3: "audio/mpeg",
    AudioFormat.OPUS: "audio/ogg",
}
# The format of the file, its codec, and bits per second for each channel: speech, well legible.
_CODECS: Mapping[AudioFormat, tuple[str, Literal["libmp3lame", "libopus"], int]] = {
    AudioFormat.MP3: ("mp3", "libmp3lame", 32_000),
    AudioFormat.OPUS: ("ogg", "libopus", 24_000),
}
_BLOCK = 1 << 16
"Samples read at once."


def encode(source: Path, target: Path, form: AudioFormat) -> None:
    """Write what ``source`` holds, a PCM WAV with 16 bit, to ``target``. Blocks.

    Raises `OSError`, and `ValueError` for a file that is no such WAV.
    """
    # Only here: it brings FFmpeg along, and runs in a process of its own.
    import wave

    import av
    from av.audio.frame import AudioFrame

    container, codec, bits = _CODECS[form]
    try:
        with wave.open(str(source), "rb") as wav:
            channels, rate = wav.getnchannels(), wav.getframerate()
            if wav.getsampwidth() != 2 or channels not in (1, 2):
                raise ValueError(f"{source.name} is no WAV of ours")
            layout = "stereo" if channels == 2 else "mono"

            def frames() -> Iterator[AudioFrame]:
                while samples := wav.readframes(_BLOCK):
                    frame = AudioFrame("s16", layout, len(samples) // (2 * channels))
                    frame.sample_rate = rate
                    frame.planes[0].update(samples)
                    yield frame

            with av.open(str(target), "w", format=container) as file:
                # Opus knows 8000 and 16000 Hz; MP3 has them as of MPEG-2.5.
                stream = file.add_stream(codec, rate=rate, layout=layout)
                stream.bit_rate = bits * channels
                for frame in frames():
                    file.mux(stream.encode(frame))
                file.mux(stream.encode(None))
    except (wave.Error, EOFError) as fault:
        raise ValueError(f"{source.name} is no WAV: {fault}") from fault
