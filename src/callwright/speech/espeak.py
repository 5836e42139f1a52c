"""espeak-ng, the synthesiser that comes with the package: small, quick, offline."""

import ctypes
import os
import wave
from contextlib import closing
from pathlib import Path

import espeakng_loader

from callwright.speech.synthesiser import CannotSpeak

# speak_lib.h of espeak-ng 1.52.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
CHARS_UTF8 = 1
POS_CHARACTER = 1
EE_OK = 0

SECONDS_AT_MOST = 600
"A text of 500 characters takes a minute; numbers spoken in words take longer than they look."

_Heard = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Espeak:
    """The library, loaded into this process. One per process: it keeps its state in globals."""

    def __init__(self) -> None:
        # The library cuts the path of its data at 160 bytes; a name in the working directory fits.
        data = Path(espeakng_loader.get_data_path())
        os.chdir(data.parent)
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._rate: int = self._library.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS, 0, b".", INITIALIZE_DONT_EXIT
        )
        if self._rate <= 0:
            raise RuntimeError(f"espeak-ng cannot use its data in {data}")
        self._sound = bytearray()
        self._callback = _Heard(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, target: Path) -> None:
        """Write ``text`` to ``target`` as WAV, mono, 16 bit. Raises `CannotSpeak`."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != EE_OK:
            raise CannotSpeak(f"espeak-ng has no voice {voice!r}")
        self._sound.clear()
        data = text.encode() + b"\0"
        # Plain text: neither espeakSSML nor espeakPHONEMES is among the flags.
        status = self._library.espeak_Synth(
            data, ctypes.c_size_t(len(data)), 0, POS_CHARACTER, 0, CHARS_UTF8, None, None
        )
        if status != EE_OK:
            raise CannotSpeak(f"espeak-ng refused the text (error {status})")
        if len(self._sound) > self._bytes_at_most:
            raise CannotSpeak(f"it takes longer than {SECONDS_AT_MOST} s to say")
        with closing(wave.open(str(target), "wb")) as file:
            file.setparams((1, 2, self._rate, 0, "NONE", ""))
            file.writeframes(self._sound)

    @property
    def _bytes_at_most(self) -> int:
        return SECONDS_AT_MOST * self._rate * 2

    def _hear(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: object) -> int:
        """Take a piece of sound; a return value of 1 stops the synthesis."""
        if count > 0:
            self._sound += ctypes.string_at(samples, count * 2)
        return int(len(self._sound) > self._bytes_at_most)
