"""Driving a phone by baresip's remote control: commands to it, and what it tells as facts.

It is told what to do, and tells what happens, as JSON in netstrings on a TCP connection, as
baresip's module ctrl_tcp has it.
"""

import array
import asyncio
import json
import re
import wave
from abc import ABC, abstractmethod
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from demo.phones import phone, wav
from demo.phones.phone import Behaviour, Events, Fact, Key, PhoneFault, Recording
from demo.ports import free_port

STARTS_WITHIN = 60.0
ENDS_WITHIN = 5.0
CODECS = {
    "PCMA": "PCMA/8000/1",
    "PCMU": "PCMU/8000/1",
    "G722": "G722/16000/1",
    "opus": "opus/48000/2",
}
PACKET = 0.02
REGISTERS_FOR = 60
ACCOUNT = (
    "<sip:{number}@{domain}>;regint={regint};answermode={answers};dtmfmode=rtpevent;"
    "audio_codecs={codecs}{password}{srtp}"
)


class Driver(ABC):
    """A phone in a process of its own; see `demo.phones.phone.Phone`."""

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

        ``number`` is the user part of its URI. With ``registrar`` (host and port) it registers
        there by ``password`` as soon as it has started, and tells ``registered`` or
        ``not_registered``. Raises `PhoneFault` for a behaviour it is not capable of.
        """
        if not self.can(behaviour):
            raise PhoneFault(f"{type(self).__name__} cannot do this: {behaviour}")
        self.events = Events()
        self.program = ""
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
        self._refused = False
        "The call that is up was rejected by this phone."

    @property
    def pid(self) -> int:
        """Of the process that is the phone. Raises `PhoneFault` before it has been started."""
        if self._process is None:
            raise PhoneFault("it has not been started")
        return self._process.pid

    @classmethod
    @abstractmethod
    def can(cls, behaviour: Behaviour) -> bool:
        """Tell whether this phone can behave like this."""

    @abstractmethod
    def _prepare(self, control: int) -> Sequence[str]:
        """Write the phone's files; return its command, which listens for ours on ``control``."""

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
        self._port = self._port or free_port()
        control = free_port()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *self._prepare(control),
            stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            reader, self._writer = await asyncio.wait_for(
                self._connected(control, self._process), STARTS_WITHIN
            )
        except TimeoutError:
            await self.stop()
            raise PhoneFault(f"the phone did not start within {STARTS_WITHIN} s") from None
        except PhoneFault:
            await self.stop()
            raise
        self._reading = asyncio.create_task(self._read(reader))
        self._tell("listening", uri=self.uri, port=self._port)
        if self._registrar is not None:
            # Only now: it would tell of its success before there is anybody to hear it.
            self._command("uanew", self._account())

    async def call(self, uri: str) -> None:
        self._command("dial", uri)
        self._tell("calling")

    async def press(self, key: str) -> None:
        self._press(key)

    async def hold(self) -> None:
        self._command("hold")

    async def resume(self) -> None:
        self._command("resume")

    async def transfer(self, uri: str) -> None:
        self._command("transfer", uri)

    async def hang_up(self) -> None:
        self._command("hangup")

    async def stop(self) -> None:
        with suppress(PhoneFault, TimeoutError):
            if self._calls() > len(self.events.all("ended")):
                self._command("hangup")
                await self.events.wait("ended", within=ENDS_WITHIN, number=self._calls())
        for timer in self._timers:
            timer.cancel()
        with suppress(PhoneFault):
            self._command("quit")
        if self._process and self._process.returncode is None:
            try:
                await asyncio.wait_for(self._process.wait(), ENDS_WITHIN if self._writer else 0)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        try:
            if self._reading:
                await self._reading
        finally:
            if self._writer:
                self._writer.close()
                with suppress(ConnectionError):
                    await self._writer.wait_closed()

    # The program.

    @property
    def _codecs(self) -> list[str]:
        return [self._behaviour.codec] if self._behaviour.codec else ["PCMA", "PCMU"]

    @property
    def _rate(self) -> int:
        return int(CODECS[self._codecs[0]].split("/")[1])

    def _account(self) -> str:
        return ACCOUNT.format(
            number=self._number,
            domain=self._registrar or f"127.0.0.1:{self._port}",
            answers="manual" if self._behaviour.early_tone is None else "early",
            password=f";auth_pass={self._password}" if self._password else "",
            regint=REGISTERS_FOR if self._registrar else 0,
            codecs=",".join(CODECS[codec] for codec in self._codecs),
            srtp=";mediaenc=srtp-mand" if self._behaviour.srtp else "",
        )

    async def _connected(
        self, port: int, process: Process
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect as soon as the phone listens, which nothing else announces."""
        while process.returncode is None:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
        raise PhoneFault(f"the phone ended with status {process.returncode}; is a port in use?")

    def _command(self, command: str, parameters: str = "") -> None:
        if self._writer is None or self._writer.is_closing():
            raise PhoneFault("the phone is not running")
        line = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._writer.write(b"%d:%b," % (len(line), line))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int((await reader.readuntil(b":"))[:-1])
                line = (await reader.readexactly(length + 1))[:-1]
                self._take(json.loads(line))
        self.events.close("the phone has ended")

    # Its events.

    def _take(self, message: dict[str, object]) -> None:
        if message.get("response"):
            self._take_response(message)
            return
        parameter, outgoing = str(message.get("param", "")), message.get("direction") == "outgoing"
        tell = partial(self._tell, at=message.get("at"))
        match message.get("type"):
            case "REGISTER_OK":
                tell("registered")
            case "REGISTER_FAIL":
                tell("not_registered", reason=parameter)
            case "CALL_INCOMING":
                tell("invite", call_id=str(message.get("id", "")), caller=_user(parameter))
                # The same turn of its loop has sent 180, or 183.
                tell("ringing" if self._behaviour.early_tone is None else "early")
                self._refused = False
                self._later(self._behaviour.answers_after, self._decide)
            case "CALL_RINGING" if outgoing:
                tell("ringing")
            case "CALL_PROGRESS" if outgoing:
                tell("early")
            case "CALL_ESTABLISHED":
                tell("answered")
                for after, key in self._behaviour.keys:
                    self._later(after, partial(self._press, key))
                self._later(self._behaviour.hangs_up_after, partial(self._command, "hangup"))
            case "CALL_RTPESTAB":
                tell("first_rtp")
            case "CALL_DTMF_START":
                tell("key", key=parameter)
            case "CALL_DTMF_END":
                tell("key_ended")
            case "CALL_CLOSED":
                self._close(tell, parameter)

    def _take_response(self, message: dict[str, object]) -> None:
        command = str(message.get("token"))
        if message.get("ok") is not True:
            self._tell("refused", command=command, reason=str(message))
        elif command == "callstat":
            self._call_is_over()

    def _tell(self, name: str, *, at: object = None, **details: phone.Detail) -> None:
        """Tell of a fact; ``at`` is when, if the program has said so."""
        now = Fact.now(name, **details)
        late = now.at - at if isinstance(at, float) else 0.0
        self.events.tell(Fact(name, now.at - late, now.wall - late, details))

    def _press(self, key: str) -> None:
        self._command("sndcode", key)
        self._tell("key_sent", key=key)

    def _decide(self) -> None:
        if not self._behaviour.busy:
            self._command("accept")
            return
        self._command("hangup")
        self._refused = True
        self._tell("rejected", status=486)

    def _later(self, after: float | None, act: Callable[[], None]) -> None:
        if after is not None:
            self._timers.append(asyncio.get_running_loop().call_later(after, act))

    def _close(self, tell: Callable[..., None], reason: str) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._answered_now():
            tell("bye", reason=reason)
        elif found := re.match(r"([4-6]\d\d) ", reason):
            tell("rejected", status=int(found[1]), reason=reason)
        elif not self._refused:
            tell("cancelled", reason=reason)
        # Behind this command the call, with its recording, has been put away.
        self._command("callstat")

    def _calls(self) -> int:
        return len(self.events.all("invite")) + len(self.events.all("calling"))

    def _answered_now(self) -> bool:
        return len(self.events.all("answered")) > len(self.events.all("recorded"))

    def _call_is_over(self) -> None:
        if self._answered_now():
            self._keep_recording()
        self._tell("ended")

    def _keep_recording(self) -> None:
        done = len(self.events.all("recorded"))
        answered = self.events.all("answered")[done]
        started = [fact for fact in self.events.all("first_rtp") if fact.at >= answered.at]
        first = started[0] if started else answered
        samples, rate = array.array("h"), wav.RATE
        dumps = sorted(self._folder.glob("dump-*-dec.wav"))
        if dumps:
            # A later one is of the call that came right behind. Debian's baresip names them by the
            # second: one that came within the same has the file for itself, and begins it anew.
            try:
                samples, rate = wav.read(dumps[0])
            except (EOFError, wave.Error):
                self._tell("recording_lost", path=str(dumps[0]))
            else:
                dumps[0].unlink()
        self._fill_in_keys(samples, rate, first.at)
        path = self._folder / f"heard-{done + 1}.wav"
        wav.write(path, samples, rate)
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


def _user(uri: str) -> str:
    found = re.search(r"sips?:([^@<>;]*)@", uri)
    return found[1] if found else ""
