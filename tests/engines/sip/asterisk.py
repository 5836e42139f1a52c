"""An Asterisk of its own, as whoever sets one up by its sample files has it."""

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from callwright.engines.network import Trunk
from demo.ports import free_port
from tests.peers import UNPACKED, program_of_peer
from tests.rtp_ports import free_range
from tests.waiting import WITHIN

HOST = "127.0.0.1"
PASSWORD = "unsecurepassword"
FOLDERS = ("etc", "var", "spool", "run", "log", "cache", "keys")

MODULES = """
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd res_crypto res_pjproject
res_statsd res_http_websocket res_geolocation res_pjsip res_pjsip_session res_pjsip_pubsub
res_pjsip_outbound_publish res_pjsip_exten_state res_pjsip_authenticator_digest
res_pjsip_outbound_authenticator_digest res_pjsip_caller_id res_pjsip_endpoint_identifier_user
res_pjsip_nat res_pjsip_registrar res_pjsip_sdp_rtp res_pjsip_dlg_options res_rtp_asterisk
chan_pjsip codec_alaw codec_ulaw bridge_simple app_dial pbx_config func_callerid
"""

# As in the samples: the phone is found by the user in From, and the caller id trusted.
PJSIP = """
[udp]
type=transport
protocol=udp
bind={host}:{port}
[6001]
type=endpoint
context=phones
disallow=all
allow=alaw
auth=6001
aors=6001
trust_id_inbound=yes
[6001]
type=auth
auth_type=digest
username=6001
password={password}
[6001]
type=aor
max_contacts=1
"""

# Whoever calls 7926… is put through to another number behind the same trunk, as he is; calls to
# 7927… come from the number that was called, to 7928… from a third, and to 7929… from none.
DIALPLAN = """
[phones]
exten => _7926X.,1,Dial(PJSIP/74993720692@6001)
exten => _7927X.,1,Set(CALLERID(num)=${EXTEN})
same => n,Dial(PJSIP/74993720692@6001)
exten => _7928X.,1,Set(CALLERID(num)=74951112233)
same => n,Dial(PJSIP/74993720692@6001)
exten => _7929X.,1,Set(CALLERID(pres)=prohib)
same => n,Dial(PJSIP/74993720692@6001)
"""


@dataclass(frozen=True, slots=True)
class Asterisk:
    port: int
    "Of SIP, at `HOST`."

    @property
    def trunk(self) -> Trunk:
        """The trunk of its one phone, set up as a carrier's would be."""
        return Trunk("pbx", HOST, self.port, user="6001", password=PASSWORD, register=True)


@contextlib.asynccontextmanager
async def asterisk() -> AsyncIterator[Asterisk]:
    """Run one while the block runs."""
    program = program_of_peer("asterisk")
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="asterisk-") as folder:
        port = free_port()
        _configure(Path(folder), port, _root_of(Path(program)))
        running = await asyncio.create_subprocess_exec(
            program,
            *("-C", f"{folder}/etc/asterisk.conf", "-f", "-v"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=1 << 20,
        )
        assert running.stdout is not None
        try:
            async with asyncio.timeout(WITHIN):
                await running.stdout.readuntil(b"Asterisk Ready.")
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(running.stdout.read())  # until its end: a full pipe would stop it
                try:
                    yield Asterisk(port)
                finally:
                    running.send_signal(signal.SIGTERM)
        finally:
            if running.returncode is None:
                running.kill()
            await running.wait()


def _root_of(program: Path) -> Path:
    """Where its modules and its data are."""
    return UNPACKED.parent / "asterisk" if program.parent == UNPACKED else Path("/")


def _configure(folder: Path, port: int, root: Path) -> None:
    for name in FOLDERS:
        (folder / name).mkdir()
    first, last = free_range(64)
    modules = next(root.glob("usr/lib/*/asterisk/modules"))
    places = {
        "astetcdir": "etc",
        "astvarlibdir": "var",
        "astdbdir": "var",
        "astkeydir": "keys",
        "astagidir": "var",
        "astspooldir": "spool",
        "astrundir": "run",
        "astlogdir": "log",
        "astcachedir": "cache",
    }
    lines = [f"{name} => {folder / place}" for name, place in places.items()]
    lines += [f"astmoddir => {modules}", f"astdatadir => {root / 'usr/share/asterisk'}"]
    files = {
        "asterisk.conf": "\n".join(["[directories]", *lines, ""]),
        "modules.conf": "\n".join(
            ["[modules]", "autoload=no", *(f"load={name}.so" for name in MODULES.split()), ""]
        ),
        "logger.conf": "[general]\n[logfiles]\nconsole => notice,warning,error,verbose\n",
        "rtp.conf": f"[general]\nrtpstart={first}\nrtpend={last}\n",
        "pjsip.conf": PJSIP.format(host=HOST, port=port, password=PASSWORD),
        "extensions.conf": DIALPLAN,
    }
    for name, text in files.items():
        (folder / "etc" / name).write_text(text)
