"""Asterisk with a controller of its ARI, as whoever builds a call API on it has them."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryDirectory

import psutil

from bench.peers.contender import spent
from bench.peers.far_ends import HOST, FarEnds
from demo.ports import free_port
from demo.service import DemoFault

UNPACKED = Path(__file__).parents[2] / ".peers"
UP_WITHIN = 30.0

MODULES = [
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_timing_timerfd",
    "res_http_websocket",
    "res_websocket_client",
    "res_crypto",
    "res_geolocation",
    "res_statsd",
    "res_stasis",
    "res_stasis_answer",
    "res_stasis_playback",
    "res_stasis_recording",
    "res_stasis_snoop",
    "res_ari",
    "res_ari_model",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
    "res_ari_recordings",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_session",
    "res_pjsip_pubsub",
    "res_pjsip_outbound_publish",
    "res_pjsip_exten_state",
    "res_pjsip_caller_id",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_nat",
    "res_pjsip_outbound_authenticator_digest",
    "res_pjsip_rfc3326",
    "res_pjsip_sdp_rtp",
    "res_pjsip_dlg_options",
    "res_rtp_asterisk",
    "chan_pjsip",
    "app_stasis",
    "bridge_simple",
    "bridge_native_rtp",
    "bridge_softmix",
    "codec_alaw",
    "codec_ulaw",
    "pbx_config",
]

_PJSIP = """
[udp]
type=transport
protocol=udp
bind={host}:{port}
"""
_ENDPOINT = """
[{name}]
type=endpoint
context=none
disallow=all
allow=alaw
direct_media=no
dtmf_mode=rfc4733
aors={name}
[{name}]
type=aor
contact=sip:{host}:{port}
qualify_frequency=0
"""


class Asterisk:
    name = "Asterisk 22 + ARI controller"

    def __init__(self, engine: psutil.Process, controller: asyncio.subprocess.Process) -> None:
        self._processes = [engine, psutil.Process(controller.pid)]
        self._controller = controller
        self._calls: dict[int, asyncio.Future[bool]] = {}

    async def call(self, number: int) -> None:
        done = self._calls[number] = asyncio.get_running_loop().create_future()
        assert self._controller.stdin
        self._controller.stdin.write(b"%d\n" % number)
        if not await done:
            raise DemoFault(f"Asterisk: call {number} failed")

    def cpu(self) -> float:
        return spent(self._processes)

    async def listen(self) -> None:
        assert self._controller.stdout
        while line := await self._controller.stdout.readline():
            *refused, number = line.split()
            self._calls.pop(int(number)).set_result(not refused)


@asynccontextmanager
async def asterisk(phones: FarEnds) -> AsyncIterator[Asterisk]:
    """Run one while the block runs. Raises `DemoFault` where there is none."""
    program = shutil.which("asterisk", path=str(UNPACKED / "bin")) or shutil.which("asterisk")
    if program is None:
        raise DemoFault("Asterisk is needed: scripts/setup_asterisk.sh")
    with TemporaryDirectory(prefix="asterisk-") as name:
        ari = free_port()
        _configure(Path(name), program, ari, phones)
        engine = await asyncio.create_subprocess_exec(
            *(program, "-C", f"{name}/etc/asterisk.conf", "-f", "-v"),
            stdin=DEVNULL,
            stdout=PIPE,
            limit=1 << 20,
        )
        try:
            assert engine.stdout
            async with asyncio.timeout(UP_WITHIN):
                await engine.stdout.readuntil(b"Asterisk Ready.")
            emptying = asyncio.create_task(engine.stdout.read())  # a full pipe would stop it
            async with _controlled(engine, ari) as contender:
                yield contender
            emptying.cancel()
        finally:
            if engine.returncode is None:
                engine.kill()
            await engine.wait()


@asynccontextmanager
async def _controlled(engine: asyncio.subprocess.Process, ari: int) -> AsyncIterator[Asterisk]:
    program = str(Path(__file__).with_name("controller.py"))
    controller = await asyncio.create_subprocess_exec(
        sys.executable, program, str(ari), stdin=PIPE, stdout=PIPE
    )
    try:
        assert controller.stdout
        async with asyncio.timeout(UP_WITHIN):
            await controller.stdout.readline()
        contender = Asterisk(psutil.Process(engine.pid), controller)
        listening = asyncio.create_task(contender.listen())
        yield contender
        listening.cancel()
    finally:
        if controller.returncode is None:
            controller.kill()
        await controller.wait()


def _configure(folder: Path, program: str, ari: int, phones: FarEnds) -> None:
    root = UNPACKED / "asterisk" if str(UNPACKED) in program else Path("/")
    modules = next(root.glob("usr/lib/*/asterisk/modules"))
    places = ("etc", "varlib", "db", "key", "agi", "spool", "run", "log", "cache")
    for place in places:
        (folder / place).mkdir()
    directories = [f"ast{place}dir => {folder / place}" for place in places]
    directories += [f"astmoddir => {modules}", f"astdatadir => {root / 'usr/share/asterisk'}"]
    ends = {"employees": phones.employees, "contacts": phones.contacts}
    endpoints = [_ENDPOINT.format(name=name, host=HOST, port=port) for name, port in ends.items()]
    there = [name for name in MODULES if (modules / f"{name}.so").exists()]
    files = {
        "asterisk.conf": "\n".join(["[directories]", *directories, ""]),
        "modules.conf": "\n".join(
            ["[modules]", "autoload=no", *(f"load={name}.so" for name in there), ""]
        ),
        "logger.conf": "[general]\n[logfiles]\nconsole => notice,warning,error\n",
        "http.conf": f"[general]\nenabled=yes\nbindaddr={HOST}\nbindport={ari}\n",
        "ari.conf": "[general]\nenabled=yes\n[bench]\ntype=user\npassword=bench\n",
        "rtp.conf": "[general]\nrtpstart=20000\nrtpend=29999\nrtpchecksums=no\nicesupport=no\n",
        "pjsip.conf": "".join([_PJSIP.format(host=HOST, port=free_port()), *endpoints]),
        "extensions.conf": "[none]\n",
    }
    for file in ("features", "acl", "udptl", "geolocation", "pjproject", "ccss", "stasis", "dsp"):
        files[f"{file}.conf"] = "[general]\n"
    files |= {"cdr.conf": "[general]\nenable=no\n", "cel.conf": "[general]\nenable=no\n"}
    for file, text in files.items():
        (folder / "etc" / file).write_text(text)
