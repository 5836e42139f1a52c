"""Debian's baresip 1.0.0: a phone that shares nothing with us, not even an author.

It has no sound card: it speaks from a WAV file (aufile) and hears into one (sndfile), which needs
a player to pull the audio through, so it plays into a bridge nobody listens to.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from demo.phones import wav
from demo.phones.driver import Driver
from demo.phones.phone import Behaviour

# It loads the file whole, and hangs nothing up at its end, but is silent from there on.
SAYS_FOR = 120

CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
call_max_calls 1
audio_player aubridge,nobody
audio_source aufile,{says}
audio_alert aubridge,nobody
audio_buffer 20-160
ausrc_srate {rate}
ausrc_channels 1
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
# No delay: what is recorded was heard when its packet came.
jitter_buffer_delay 0-1
rtcp_mux no
# Out of the way of Callwright, whose range begins above.
rtp_ports 10000-16383
module_path {modules}
module g711.so
module g722.so
module opus.so
module srtp.so
module sndfile.so
module aufile.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
menu_bell no
"""
MODULES = Path("/usr/lib/baresip/modules")


def installed() -> bool:
    return shutil.which("baresip") is not None and MODULES.is_dir()


class Baresip(Driver):
    """See `demo.phones.phone.Phone`; called by another number than its own, it answers 404."""

    @classmethod
    def can(cls, behaviour: Behaviour) -> bool:
        return behaviour.early_tone is None

    def _prepare(self, control: int) -> Sequence[str]:
        self.program = f"baresip {_version()}".strip()
        says, rate = self._behaviour.says, wav.RATE
        if not isinstance(says, Path):
            frequency, says, rate = says or 0, self._folder / "says.wav", self._rate
            wav.write_tone(says, frequency, rate, seconds=SAYS_FOR)
        config = CONFIG.format(
            port=self._port,
            control=control,
            says=says.resolve(),
            rate=rate,
            modules=MODULES,
            folder=self._folder,
        )
        (self._folder / "config").write_text(config)
        (self._folder / "accounts").write_text("" if self._registrar else self._account() + "\n")
        return ["baresip", "-f", str(self._folder), "-4"]


def _version() -> str:
    # Its help goes on standard error, with a status that says nothing.
    told = subprocess.run(["baresip", "-h"], capture_output=True, text=True, check=False)
    found = re.search(r"baresip v(\S+)", told.stdout + told.stderr)
    return found[1] if found else ""
