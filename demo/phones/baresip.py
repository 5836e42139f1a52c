"""Driving Debian's baresip 1.0.0: a phone that shares nothing with us, not even an author.

It has no sound card: it speaks from a WAV file (aufile) and hears into one (sndfile), which needs
a player to pull the audio through, so it plays into a bridge nobody listens to. It is told what to
do, and tells what happens, as JSON in netstrings on a TCP connection (ctrl_tcp).

What it cannot do: delay its 180, send early media, or refuse with another status than 486.
"""

import array
import asyncio
import json
import math
import re
import shutil
import socket
import subprocess
import sys
import wave
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from demo.phones import phone
from demo.phones.phone import Behaviour, Events, Fact, Key, PhoneFault, Recording

STARTS_WITHIN = 60.0
ENDS_WITHIN = 5.0
RATE = 8000
CODECS = {
    "PCMA": "PCMA/8000/1",
    "PCMU": "PCMU/8000/1",
    "G722": "G722/16000/1",
    "opus": "opus/48000/2",
}
PACKET = 0.02
REGISTERS_FOR = 60
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
ACCOUNT = (
    "<sip:{number}@{domain}>;regint={regint};answermode=manual;dtmfmode=rtpevent;"
    "audio_codecs={codecs}{password}{srtp}"
)
MODULES = Path("/usr/lib/baresip/modules")


def installed() -> bool:
    return shutil.which("baresip") is not None and MODULES.is_dir()


def can(behaviour: Behaviour) -> bool:
    """Tell whether baresip can behave like this."""
    return (
        behaviour.rejects in (None, 486)
        and behaviour.early_tone is None
        and behaviour.rings_after == 0
        and not behaviour.sounds_keys
    )


class Baresip:
    """See `demo.phones.phone.Phone`."""

    def __init__(
        self,
        folder: Path,
        behaviour: Behaviour,
        *,
        number: str = "phone",
        port: int = 0,
        registrar: str | None = None,
        password: str = "",
    ) -> None:
        """``folder``: recordings and the configuration go there.

        ``number`` must be the user part it is called by, else it answers 404. With ``registrar``
        (host and port) it registers there by ``password`` as soon as it has started, and tells
        ``registered`` or ``not_registered``. Raises `PhoneFault` for a behaviour it is not capable
        of.
        """
        if not can(behaviour):
            raise PhoneFault(f"baresip cannot do this: {behaviour}")
        self.events = Events()
        self.program = "baresip"
        self._folder = folder.resolve()
        self._behaviour = behaviour
        self._number = number
        self._port = port
        self._registrar = registrar
        self._password = password
        self._process: Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._calls = 0

    @property
    def uri(self) -> str:
        return f"sip:{self._number}@127.0.0.1:{self._port}"

    @property
    def keys(self) -> Sequence[Key]:
        return phone.keys(self.events)

    @property
    def heard(self) -> Recording | None:
        return phone.heard(self.events)

    async def start(self) -> None:
        self._port = self._port or _free_port()
        control = _free_port()
        self._configure(control)
        self.program = f"baresip {_version()}".strip()
        self._process = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(self._folder), "-4",
            stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            reader, self._writer = await asyncio.wait_for(
                self._connected(control, self._process), STARTS_WITHIN
            )
        except TimeoutError:
            await self.stop()
            raise PhoneFault(f"baresip did not start within {STARTS_WITHIN} s") from None
        except PhoneFault:
            await self.stop()
            raise
        self._reading = asyncio.create_task(self._read(reader))
        self.events.tell(Fact.now("listening", uri=self.uri, port=self._port))
        if self._registrar is not None:
            # Only now: it would tell of its success before there is anybody to hear it.
            self._command("uanew", self._account())

    async def call(self, uri: str) -> None:
        self._command("dial", uri)

    async def press(self, key: str) -> None:
        self._command("sndcode", key)
        self.events.tell(Fact.now("key_sent", key=key))

    async def hang_up(self) -> None:
        self._command("hangup")

    async def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._writer:
            with suppress(PhoneFault):
                self._command("quit")
        if self._process:
            try:
                await asyncio.wait_for(self._process.wait(), ENDS_WITHIN if self._writer else 0)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._reading:
            await self._reading
        if self._writer:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()

    # The program.

    def _configure(self, control: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        says = self._behaviour.says
        rate = RATE
        if not isinstance(says, Path):
            frequency, says = says or 0, self._folder / "says.wav"
            rate = int(CODECS[self._codecs[0]].split("/")[1])
            _write_tone(says, frequency, rate)
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

    @property
    def _codecs(self) -> list[str]:
        return [self._behaviour.codec] if self._behaviour.codec else ["PCMA", "PCMU"]

    def _account(self) -> str:
        return ACCOUNT.format(
            number=self._number,
            domain=self._registrar or f"127.0.0.1:{self._port}",
            password=f";auth_pass={self._password}" if self._password else "",
            regint=REGISTERS_FOR if self._registrar else 0,
            codecs=",".join(CODECS[codec] for codec in self._codecs),
            srtp=";mediaenc=srtp-mand" if self._behaviour.srtp else "",
        )

    async def _connected(
        self, port: int, process: Process
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect as soon as baresip listens, which nothing else announces."""
        while process.returncode is None:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
        raise PhoneFault(f"baresip ended with status {process.returncode}; is a port in use?")

    def _command(self, command: str, parameters: str = "") -> None:
        if self._writer is None or self._writer.is_closing():
            raise PhoneFault("baresip is not running")
        line = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._writer.write(b"%d:%b," % (len(line), line))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int((await reader.readuntil(b":"))[:-1])
                line = (await reader.readexactly(length + 1))[:-1]
                self._take(json.loads(line))
        self.events.close("baresip has ended")

    # Its events.

    def _take(self, message: dict[str, object]) -> None:
        if message.get("response"):
            if message.get("ok") is not True:
                self.events.tell(
                    Fact.now("refused", command=str(message.get("token")), reason=str(message))
                )
            elif message.get("token") == "callstat":
                self._call_is_over()
            return
        parameter, outgoing = str(message.get("param", "")), message.get("direction") == "outgoing"
        call = str(message.get("id", ""))
        match message.get("type"):
            case "REGISTER_OK":
                self.events.tell(Fact.now("registered"))
            case "REGISTER_FAIL":
                self.events.tell(Fact.now("not_registered", reason=parameter))
            case "CALL_INCOMING":
                self.events.tell(Fact.now("invite", call_id=call, caller=_user(parameter)))
                # The same turn of its loop has sent 180.
                self.events.tell(Fact.now("ringing"))
                self._later(self._behaviour.answers_after, self._answer)
            case "CALL_RINGING" if outgoing:
                self.events.tell(Fact.now("ringing"))
            case "CALL_PROGRESS":
                self.events.tell(Fact.now("early"))
            case "CALL_ESTABLISHED":
                self.events.tell(Fact.now("answered"))
                for after, key in self._behaviour.keys:
                    self._later(after, partial(self._press, key))
                self._later(self._behaviour.hangs_up_after, lambda: self._command("hangup"))
            case "CALL_RTPESTAB":
                self.events.tell(Fact.now("first_rtp"))
            case "CALL_DTMF_START":
                self.events.tell(Fact.now("key", key=parameter, how="rfc4733"))
            case "CALL_DTMF_END":
                self.events.tell(Fact.now("key_ended"))
            case "CALL_CLOSED":
                self._close(parameter)

    def _press(self, key: str) -> None:
        self._command("sndcode", key)
        self.events.tell(Fact.now("key_sent", key=key))

    def _answer(self) -> None:
        if self._behaviour.rejects is None:
            self._command("accept")
        else:
            self._command("hangup")
            self.events.tell(Fact.now("rejected", status=self._behaviour.rejects))

    def _later(self, after: float | None, act: Callable[[], None]) -> None:
        if after is not None:
            self._timers.append(asyncio.get_running_loop().call_later(after, act))

    def _close(self, reason: str) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._answered_now():
            self.events.tell(Fact.now("bye", reason=reason))
        elif found := re.match(r"([4-6]\d\d) ", reason):
            self.events.tell(Fact.now("rejected", status=int(found[1]), reason=reason))
        else:
            self.events.tell(Fact.now("cancelled", reason=reason))
        # Behind this command the call, with its recording, has been put away.
        self._command("callstat")

    def _answered_now(self) -> bool:
        return len(self.events.all("answered")) > len(self.events.all("recorded"))

    def _call_is_over(self) -> None:
        if self._answered_now():
            self._keep_recording()
        self.events.tell(Fact.now("ended"))

    def _keep_recording(self) -> None:
        answered = self.events.all("answered")[-1]
        started = [fact for fact in self.events.all("first_rtp") if fact.at >= answered.at]
        first = started[0] if started else answered
        samples, rate = array.array("h"), RATE
        dumps = sorted(self._folder.glob("dump-*-dec.wav"))
        if dumps:
            with closing(wave.open(str(dumps[-1]), "rb")) as file:
                samples.frombytes(file.readframes(file.getnframes()))
                # One of several channels is enough: Opus is dumped in stereo, which it is not.
                samples, rate = samples[:: file.getnchannels()], file.getframerate()
            for dump in self._folder.glob("dump-*.wav"):
                dump.unlink()
        self._fill_in_keys(samples, rate, first.at)
        self._calls += 1
        path = self._folder / f"heard-{self._calls}.wav"
        _write(path, samples, rate)
        details: dict[str, phone.Detail] = {"path": str(path), "seconds": len(samples) / rate}
        self.events.tell(Fact("recorded", first.at, first.wall, details))

    def _fill_in_keys(self, samples: "array.array[int]", rate: int, start: float) -> None:
        """Put silence where keys were heard: it records none of the packets they came in."""
        ends = [fact.at for fact in self.events.all("key_ended")]
        for key in self.events.all("key"):
            if key.at < start:
                continue
            end = min((end for end in ends if end >= key.at), default=key.at)
            place = round((key.at - start) * rate)
            silence = array.array("h", bytes(2 * round((end - key.at + PACKET) * rate)))
            samples[place:place] = silence


def _free_port() -> int:
    """Find a UDP port P that is free, also for TCP, where P + 1 is free as well.

    baresip listens on TCP and UDP, and on the next port for TLS, whether it is wanted or not.
    """
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            port: int = udp.getsockname()[1]
            try:
                for number in (port, port + 1):
                    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
                        tcp.bind(("127.0.0.1", number))
            except (OSError, OverflowError):
                continue
            return port
    raise PhoneFault("no free port")


def _version() -> str:
    # Its help goes on standard error, with a status that says nothing.
    told = subprocess.run(["baresip", "-h"], capture_output=True, text=True, check=False)
    found = re.search(r"baresip v(\S+)", told.stdout + told.stderr)
    return found[1] if found else ""


def _user(uri: str) -> str:
    found = re.search(r"sips?:([^@<>;]*)@", uri)
    return found[1] if found else ""


def _write_tone(path: Path, frequency: int, rate: int) -> None:
    turn = 2 * math.pi * frequency / rate
    second = array.array("h", (round(8192 * math.sin(turn * n)) for n in range(rate)))
    _write(path, second * SAYS_FOR, rate)


def _write(path: Path, samples: "array.array[int]", rate: int) -> None:
    if sys.byteorder == "big":
        samples.byteswap()
    with closing(wave.open(str(path), "wb")) as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
