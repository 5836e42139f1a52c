"""A phone made of baresip's library (``baresip-python``), as a program.

It is told what to do, and tells what happens, as baresip with its module ctrl_tcp does. Its one
argument is JSON, see `Options`. It ends with the connection it is controlled by.
"""

import asyncio
import json
import sys
import time
import wave
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from baresip import (
    AudioNotActive,
    AudioRestarted,
    BaresipError,
    Call,
    CallState,
    Config,
    Event,
    Runtime,
    StackEvent,
    UserAgent,
)

RATE = 8000
CONTROLLED_WITHIN = 20.0
PACKET = 0.02
AHEAD = 1.0
"Seconds of sound that are given to the library beforehand, lest it be silent when we are late."
CONFIG = """\
sip_listen 127.0.0.1:{port}
# No delay: what is recorded was heard when its packet came.
audio_jitter_buffer_type off
rtcp_mux no
# Out of the way of Callwright, whose range begins above.
rtp_ports 10000-16383
"""


@dataclass(frozen=True, slots=True)
class Options:
    port: int
    "Of SIP, on 127.0.0.1."
    control: int
    "TCP port where commands are taken."
    account: str
    "As in baresip's file of accounts."
    folder: str
    "Recordings go there, as ``dump-0001-dec.wav`` and so on."
    says: str
    "WAV (8000 Hz, mono, 16 bit) that is said again and again."
    early: str
    "The same, before the call is answered, where the account has early media."


class Sound:
    """A WAV that goes round and round."""

    def __init__(self, path: str) -> None:
        """Raises OSError, EOFError, `wave.Error`."""
        with closing(wave.open(path, "rb")) as file:
            if file.getparams()[:3] != (1, 2, RATE):
                raise wave.Error(f"{path}: not mono, 16 bit, {RATE} Hz")
            self._samples = file.readframes(file.getnframes())
        self._at = 0

    def next(self, size: int) -> bytes:
        """Return so many bytes more."""
        piece = self._samples[self._at : self._at + size]
        while len(piece) < size:
            piece += self._samples[: size - len(piece)]
        self._at = (self._at + size) % len(self._samples)
        return piece


class Phone:
    def __init__(self, options: Options, runtime: Runtime, agent: UserAgent) -> None:
        self._options = options
        self._runtime = runtime
        self._agent = agent
        self._call: Call | None = None
        self._talking: dict[Call, asyncio.Task[None]] = {}
        self._calls = 0
        self._incoming: set[int] = set()
        "Handles of calls that have come in."

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Obey the commands of one connection until it ends, or tells to quit."""
        self._writer = writer
        self._agent.on_incoming(self._begin)
        self._runtime.subscribe(self._tell)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int((await reader.readuntil(b":"))[:-1])
                command = json.loads((await reader.readexactly(length + 1))[:-1])
                if command["command"] == "quit":
                    return
                try:
                    await self._obey(command["command"], command["params"])
                except (BaresipError, ValueError) as fault:
                    self._send(response=True, ok=False, data=str(fault), token=command["token"])
                else:
                    self._send(response=True, ok=True, data="", token=command["token"])

    async def _obey(self, command: str, parameter: str) -> None:
        """Raises `BaresipError`, ValueError."""
        call = self._call
        match command:
            case "dial":
                self._begin(await self._agent.dial(parameter))
            case "accept" if call:
                await call.answer()
            case "hangup" if call:
                await (call.reject() if call.state is CallState.INCOMING else call.hangup())
            case "sndcode" if call:
                await call.send_dtmf(parameter)
            case "callstat":
                # A call that came right behind it is none of its business.
                for one in [one for one in self._talking if one.state is CallState.CLOSED]:
                    await self._talking.pop(one)
            case _:
                raise ValueError("no such command, or no call")

    def _tell(self, event: StackEvent) -> None:
        if event.event is Event.CALL_INCOMING:
            self._incoming.add(event.call)
        came_in = event.call in self._incoming
        self._send(
            event=True,
            type=event.event.name,
            param=event.text or event.peer or "",
            id=event.call_id or "",
            direction="incoming" if came_in else "outgoing",
            at=time.monotonic(),
        )

    def _send(self, **message: str | bool | float) -> None:
        line = json.dumps(message).encode()
        self._writer.write(b"%d:%b," % (len(line), line))

    def _begin(self, call: Call) -> None:
        self._call = call
        self._talking[call] = asyncio.create_task(self._talk(call))

    async def _talk(self, call: Call) -> None:
        """Speak and listen while there is a call; keep what was heard from the answer on."""
        heard = bytearray()
        says, early = Sound(self._options.says), Sound(self._options.early)
        answered = asyncio.Event()

        def told(event: StackEvent) -> None:
            if event.event is Event.CALL_ESTABLISHED:
                answered.set()
                with suppress(AudioNotActive, AudioRestarted):
                    call.audio.flush_tx()
                    call.audio.read(call.audio.info().rx_capacity)

        call.on(told)
        while call.state is not CallState.CLOSED:
            with suppress(AudioNotActive, AudioRestarted):
                audio = call.audio.info()
                missing = round(AHEAD * audio.tx_sample_rate) * 2 - audio.tx_buffered
                if missing > 0:
                    call.audio.write((says if answered.is_set() else early).next(missing))
                piece = call.audio.read(audio.rx_capacity)
                if answered.is_set():
                    heard += piece
            await asyncio.sleep(PACKET)
        if not answered.is_set():
            return
        self._calls += 1
        dump = Path(self._options.folder) / f"dump-{self._calls:04}-dec.wav"
        with closing(wave.open(str(dump), "wb")) as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(heard)


async def main(options: Options) -> None:
    Sound(options.says)
    runtime = Runtime()
    await runtime.start(
        Config(
            net_interface="127.0.0.1",
            max_concurrent_calls=1,
            extra_config_text=CONFIG.format(port=options.port),
        )
    )
    connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    connected = asyncio.get_running_loop().create_future()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set_result((reader, writer))

    try:
        phone = Phone(options, runtime, await UserAgent.create(runtime, options.account))
        async with await asyncio.start_server(connect, "127.0.0.1", options.control):
            reader, writer = await asyncio.wait_for(connected, CONTROLLED_WITHIN)
            await phone.serve(reader, writer)
            writer.close()
    finally:
        await runtime.close()


if __name__ == "__main__":
    asyncio.run(main(Options(**json.loads(sys.argv[1]))))
