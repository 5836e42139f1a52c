"""The softphone: baresip's library from PyPI, a phone where none is installed."""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from demo.phones import wav
from demo.phones.driver import Driver
from demo.phones.phone import Behaviour

PROGRAM = Path(__file__).with_name("libbaresip.py")


class Softphone(Driver):
    """See `demo.phones.phone.Phone`."""

    @classmethod
    def can(cls, behaviour: Behaviour) -> bool:
        return not behaviour.srtp and behaviour.codec in (None, "PCMA", "PCMU")

    def _prepare(self, control: int) -> Sequence[str]:
        self.program = f"baresip-python {version('baresip-python')}"
        options = {
            "port": self._port,
            "control": control,
            # Whatever number is called, it is this phone.
            "account": f"{self._account()};catchall=yes",
            "folder": str(self._folder),
            "says": self._sound("says", self._behaviour.says),
            "early": self._sound("early", self._behaviour.early_tone),
        }
        # -P: what lies beside the program is not what it imports.
        return [sys.executable, "-P", str(PROGRAM), json.dumps(options)]

    def _sound(self, name: str, sound: int | Path | None) -> str:
        if isinstance(sound, Path):
            return str(sound.resolve())
        path = self._folder / f"{name}.wav"
        wav.write_tone(path, sound or 0, wav.RATE, seconds=1)
        return str(path)
