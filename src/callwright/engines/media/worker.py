"""A media worker: the media engine in a process of its own.

Started as ``python -m callwright.engines.media.worker`` with its end of the channel as standard
input, and lives until the other end is closed: on purpose, or because the service has died. A
signal is for the service, which knows when its calls are over.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections import deque

from callwright import logs
from callwright.engines.media.channel import Channel
from callwright.engines.media.engine import RtpEngine
from callwright.engines.media.kernel.relay import KernelRelay, NoKernelRelay
from callwright.engines.media.media import MediaEvent, NoPorts
from callwright.engines.media.packet_loop import PacketLoop
from callwright.engines.media.port import Port
from callwright.engines.media.worker_protocol import (
    BadLine,
    carry_out,
    event_line,
    line,
    read_leg,
    read_setup,
)
from callwright.engines.port import DtmfReceived

log = logging.getLogger(__name__)

REPORT_EVERY = 1.0
"Seconds between two looks at how the legs are doing."
LEGS_IN_LINE = 100
"Whose quality is told in one line."
KEYS_UNTIL = 5_000
"Lines waiting for the service from which on keys are dropped: far ends can send any number."


class HandedPorts:
    """Ports that the service has bound and handed over."""

    def __init__(self) -> None:
        self._handed: deque[Port] = deque()

    def hand(self, rtp: socket.socket, rtcp: socket.socket) -> None:
        self._handed.append(Port(rtp.getsockname()[1], rtp, rtcp))

    def take(self) -> Port:
        if not self._handed:
            raise NoPorts("no port was handed over")
        return self._handed.popleft()

    def free(self, port: Port) -> None:
        port.close()


class Worker:
    def __init__(self, end: socket.socket) -> None:
        self._ports = HandedPorts()
        self._engine: RtpEngine | None = None
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._channel = Channel(end, self._told, self._over.set)

    async def run(self) -> None:
        """Serve until the other end is closed."""
        over = asyncio.create_task(self._over.wait())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({over, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._engine:
            serving = asyncio.create_task(self._serve(self._engine))
            # An engine that fails ends this process, and that is how the service learns of it.
            await asyncio.wait({over, serving}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                serving.cancel()
                await asyncio.wait({serving})
            over.cancel()
            if not serving.cancelled():
                serving.result()
        self._channel.close()

    async def _serve(self, engine: RtpEngine) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(engine.run(self._say))
            tasks.create_task(self._report(engine))

    async def _report(self, engine: RtpEngine) -> None:
        """Tell how the legs are doing, and by that, that this process is alive."""
        while True:
            qualities = engine.qualities()
            for begin in range(0, max(1, len(qualities)), LEGS_IN_LINE):
                self._channel.put(line("qualities", qualities[begin : begin + LEGS_IN_LINE]))
            lateness = engine.send_lateness
            self._channel.put(line("sending", (lateness.sent, lateness.late)))
            self._channel.put(line("relayed", engine.relayed_by_kernel))
            await asyncio.sleep(REPORT_EVERY)

    def _say(self, event: MediaEvent) -> None:
        if isinstance(event, DtmfReceived) and self._channel.waiting > KEYS_UNTIL:
            log.warning("leg %d: the service is slow, a key is dropped", event.leg)
            return
        self._channel.put(event_line(event))

    def _told(self, lines: list[bytes], descriptors: list[int]) -> None:
        sockets = deque(socket.socket(fileno=each) for each in descriptors)
        for said in lines:
            name, _, arguments = said.partition(b" ")
            try:
                self._command(name, arguments, sockets)
            except BadLine as fault:
                log.error("not understood: %s", fault)
            except Exception:
                # One leg's misfortune; the others go on. The first argument names it, and among the
                # rest there may be keys of SRTP.
                of = arguments.strip(b"[]").partition(b",")[0]
                log.exception("%s of %s failed", name.decode(), of.decode())

    def _command(self, name: bytes, said: bytes, sockets: deque[socket.socket]) -> None:
        if self._engine is None:
            setup = read_setup(said)
            logs.set_up(setup.log_format, setup.log_level, of_worker=True)
            # The service knows by which address it is to be reached; what is offered is its affair.
            kernel = _kernel_relay() if setup.kernel_relay else None
            self._engine = RtpEngine("", None, self._ports, setup.lost_after, kernel=kernel)
            self._ready.set()
        elif name == b"open":
            self._ports.hand(sockets.popleft(), sockets.popleft())
            self._engine.open(read_leg(said))
        else:
            carry_out(self._engine, name, said)


def _kernel_relay() -> KernelRelay | None:
    """Where the service has had one, a worker can; if it cannot, it does without."""
    try:
        return KernelRelay()
    except NoKernelRelay as fault:
        log.warning("talks are not relayed by the kernel: %s", fault)
        return None


async def serve(end: socket.socket) -> None:
    await Worker(end).run()


def main() -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    logs.set_up("text", of_worker=True)
    # What has been imported stays; looking through it again and again is time lost to the packets.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=PacketLoop) as runner:
        runner.run(serve(socket.socket(fileno=os.dup(0))))


if __name__ == "__main__":
    main()
