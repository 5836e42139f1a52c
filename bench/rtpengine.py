"""rtpengine as a relay, to compare with: started on a host, and told by its NG protocol."""

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.namespaces import Host
from tests.peers import program_of_peer

CONTROL = ("127.0.0.1", 2223)
STARTED_WITHIN = 10.0
Address = tuple[str, int]
Join = Callable[[Address, Address], tuple[Address, Address]]
"Given both far ends of a call: where the first is to send to, and the second."


@contextmanager
def rtpengine(host: Host) -> Iterator[tuple[int, Join]]:
    """Run it between 10.9.1.1 and 10.9.2.1; its process, and how calls are joined."""
    program = program_of_peer("rtpengine")
    assert program is not None
    with TemporaryDirectory(prefix="callwright-bench-") as folder, host.entered():
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asking.connect(CONTROL)
        asking.settimeout(1.0)
        process = subprocess.Popen(
            [
                program,
                "--table=-1",
                "--interface=one/10.9.1.1",
                "--interface=two/10.9.2.1",
                f"--listen-ng={CONTROL[0]}:{CONTROL[1]}",
                "--port-min=20000",
                "--port-max=29999",
                "--foreground",
                "--log-stderr",
                "--log-level=3",
                f"--pidfile={Path(folder, 'pid')}",
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(asking)
            yield process.pid, lambda one, other: _join(asking, one, other)
        finally:
            process.terminate()
            process.wait()
            asking.close()


def _wait_for(asking: socket.socket) -> None:
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until:
        with suppress(OSError):
            if b"pong" in _ask(asking, {"command": "ping"}):
                return
        time.sleep(0.2)
    raise RuntimeError("rtpengine does not answer")


def _join(asking: socket.socket, one: Address, other: Address) -> tuple[Address, Address]:
    call: Mapping[str, str | list[str]] = {
        "call-id": f"call-{one[1]}",
        "from-tag": "one",
        "ICE": "remove",
    }
    offer = {**call, "command": "offer", "sdp": _sdp(one), "direction": ["one", "two"]}
    answer = {**call, "command": "answer", "sdp": _sdp(other), "to-tag": "two"}
    to_other, to_one = _port(_ask(asking, offer)), _port(_ask(asking, answer))
    return ("10.9.1.1", to_one), ("10.9.2.1", to_other)


def _ask(asking: socket.socket, what: Mapping[str, str | list[str]]) -> bytes:
    asking.send(b"%d " % time.monotonic_ns() + _bencoded(what))
    return asking.recv(65536)


def _bencoded(value: str | list[str] | Mapping[str, str | list[str]]) -> bytes:
    match value:
        case str():
            return b"%d:%s" % (len(value.encode()), value.encode())
        case list():
            return b"l" + b"".join(map(_bencoded, value)) + b"e"
        case _:
            items = (_bencoded(name) + _bencoded(value[name]) for name in sorted(value))
            return b"d" + b"".join(items) + b"e"


def _sdp(at: Address) -> str:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {at[0]}\r\ns=-\r\nc=IN IP4 {at[0]}\r\nt=0 0\r\n"
        f"m=audio {at[1]} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    )


def _port(answer: bytes) -> int:
    found = re.search(rb"m=audio (\d+)", answer)
    if found is None:
        raise RuntimeError(f"rtpengine has refused: {answer!r}")
    return int(found[1])
