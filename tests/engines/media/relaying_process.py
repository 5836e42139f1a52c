"""A process that joins two far ends, to be killed; in its arguments, a port of ours and both ends.

It tells the ports of its legs, and then when the kernel relays both ways.
"""

import asyncio
import sys

from callwright.engines.media.engine import RtpEngine
from callwright.engines.media.kernel.relay import KernelRelay
from callwright.engines.media.media import RtpStream
from callwright.engines.media.packet_loop import PacketLoop
from callwright.engines.port import BridgeId, LegId


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(first: str, *ends: str) -> None:
    ports = int(first), int(first) + 3
    kernel = KernelRelay()
    engine = RtpEngine("0.0.0.0", None, ports, lost_after=30.0, kernel=kernel)
    running = asyncio.create_task(engine.run(lambda _: None))
    await asyncio.sleep(0)
    for leg in (LegId(1), LegId(2)):
        tell(str(engine.open(leg)[1]))
        address, port = ends[2 * leg - 2], int(ends[2 * leg - 1])
        engine.connect(leg, RtpStream((address, port), "PCMA", 8))
    engine.bridge(BridgeId(1), LegId(1), LegId(2))
    loop = asyncio.get_running_loop()

    def look() -> None:
        if kernel.relayed < 20 or engine.relayed_by_kernel < 2:
            loop.call_later(0.02, look)
        else:
            tell("relayed")

    look()
    await running


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PacketLoop) as runner:
        runner.run(main(*sys.argv[1:]))
