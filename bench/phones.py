"""Phones for benchmarks: one process that answers any number of calls and times what it gets.

    python bench/phones.py --marker 17 --answer-after 0.2 --hang-up-after 5

Prints its SIP port as the first line, then serves until its standard input is closed, and prints
one JSON line for each call it had. Every packet it sends carries its marker, a counter and the
time, so that whoever receives it knows when audio was joined, what was lost and how long it took;
arrivals are timed by the kernel (SO_TIMESTAMPNS), not by how soon this process gets to them.
Independent of Callwright's own SIP and RTP code.
"""

import argparse
import heapq
import json
import random
import re
import resource
import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial

FRAME = 0.020
ROUND = 0.001
"""Seconds between two looks at the sockets while anybody talks. Looking at each packet as it comes
would cost the machine more than the packet, and what comes is timed by the kernel anyway."""
AT_ONCE = 4096
"Sockets."
SILENCE = 0xD5  # A-law
SO_TIMESTAMPNS = 35
PAYLOAD = struct.Struct("!BxxxId")  # marker, counter, time sent; the rest is filled up
TIMESPEC = struct.Struct("qq")
TELEPHONE_EVENT = 101


@dataclass
class Call:
    """One call as its phone saw it. Times are seconds since 1970."""

    number: str
    invited: float
    answered: float = 0.0
    first_packet: float = 0.0
    joined: float = 0.0
    "The first packet with somebody else's marker."
    ended: float = 0.0
    received: int = 0
    missing: int = 0
    "Sequence numbers that never came."
    relayed: int = 0
    relayed_missing: int = 0
    "Counters of the other phone's packets that never came, between the first and the last."
    latencies: list[tuple[float, float]] = field(default_factory=list)
    "Of relayed packets: when they were sent, and how long they took."
    played: list[list[float]] = field(default_factory=list)
    "Arrivals of packets that are not relayed; a list for each stretch without a break."
    keys: list[tuple[float, int]] = field(default_factory=list)


class Leg:
    """The RTP of one call."""

    def __init__(self, call: Call, remote: tuple[str, int], marker: int) -> None:
        self.call = call
        self.remote = remote
        self.bye: tuple[bytes, tuple[str, int]] | None = None
        "What to send, and where, to hang up."
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.marker = marker
        self.count = 0
        self.next_at = 0.0
        self.last_sequence: int | None = None
        self.last_counter: int | None = None
        self.playing = False
        self.last_event: int | None = None
        self.open = True
        self.ssrc = self.socket.fileno()

    def send(self) -> None:
        self.count += 1
        header = struct.pack("!BBHII", 0x80, 8, self.count & 0xFFFF, self.count * 160, self.ssrc)
        body = PAYLOAD.pack(self.marker, self.count, time.time())
        try:
            self.socket.sendto(header + body + bytes([self.marker]) * 144, self.remote)
        except OSError:
            self.open = False

    def receive(self) -> bool:
        """Take one packet; False if there is none."""
        try:
            packet, ancillary, _, _ = self.socket.recvmsg(2048, 64)
        except BlockingIOError:
            return False
        except OSError:
            self.open = False
            return False
        self.take(packet, arrival(ancillary))
        return True

    def take(self, packet: bytes, at: float) -> None:
        call = self.call
        _, kind, sequence, timestamp, _ = struct.unpack_from("!BBHII", packet)
        call.received += 1
        call.first_packet = call.first_packet or at
        if self.last_sequence is not None:
            step = (sequence - self.last_sequence) & 0xFFFF
            if 1 < step < 1000:
                call.missing += step - 1
        self.last_sequence = sequence
        if kind & 0x7F == TELEPHONE_EVENT:
            if timestamp != self.last_event:
                self.last_event = timestamp
                call.keys.append((at, packet[12]))
            self.playing = False
            return
        marker = packet[12]
        if packet[-1] == marker and marker not in (SILENCE, self.marker) and len(packet) == 172:
            _, counter, sent = PAYLOAD.unpack_from(packet, 12)
            if abs(at - sent) < 60:
                call.joined = call.joined or at
                call.relayed += 1
                if self.last_counter is not None and counter > self.last_counter:
                    call.relayed_missing += counter - self.last_counter - 1
                self.last_counter = counter
                call.latencies.append((sent, at - sent))
                self.playing = False
                return
        if not self.playing:
            call.played.append([])
            self.playing = True
        call.played[-1].append(at)


class Phones:
    def __init__(self, marker: int, answer_after: float, hang_up_after: float) -> None:
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sip.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sip.bind(("127.0.0.1", 0))
        self.sip.setblocking(False)
        self.port = self.sip.getsockname()[1]
        self.marker = marker
        self.answer_after = answer_after
        self.hang_up_after = hang_up_after
        self.talking: deque[tuple[float, Leg]] = deque()
        "Whose packet is due when. All are sent every 20 ms, so that it stays in order."
        self.legs: dict[str, Leg] = {}
        self.finished: list[Call] = []
        self.due: list[tuple[float, int, Callable[[], None]]] = []
        self.order = 0

    def serve(self) -> None:
        poll = select.epoll()
        poll.register(self.sip, select.EPOLLIN)
        poll.register(sys.stdin, select.EPOLLIN)
        by_fd: dict[int, Leg] = {}
        while True:
            soonest = min(
                self.due[0][0] if self.due else float("inf"),
                self.talking[0][0] if self.talking else float("inf"),
            )
            wait = min(max(0.0, soonest - time.time()), 1.0)
            if self.talking:
                time.sleep(ROUND)
                wait = 0.0
            for fd, _ in poll.poll(wait, AT_ONCE):
                if fd == self.sip.fileno():
                    for leg in self.signalling():
                        by_fd[leg.socket.fileno()] = leg
                        poll.register(leg.socket, select.EPOLLIN)
                elif fd == sys.stdin.fileno():
                    return
                elif fd in by_fd:
                    by_fd[fd].receive()
            while self.due and self.due[0][0] <= time.time():
                heapq.heappop(self.due)[2]()
            self.send_due()
            for fd in [fd for fd, leg in by_fd.items() if not leg.open]:
                leg = by_fd.pop(fd)
                while leg.receive():
                    pass
                poll.unregister(fd)
                leg.socket.close()

    def later(self, at: float, happen: Callable[[], None]) -> None:
        self.order += 1
        heapq.heappush(self.due, (at, self.order, happen))

    def answer(self, leg: Leg, text: bytes, address: tuple[str, int]) -> None:
        leg.call.answered = time.time()
        self.sip.sendto(text, address)
        leg.send()
        self.talking.append((leg.call.answered + FRAME, leg))
        if self.hang_up_after:
            self.later(leg.call.answered + self.hang_up_after, partial(self.hang_up, leg))

    def send_due(self) -> None:
        now = time.time()
        while self.talking and self.talking[0][0] <= now:
            at, leg = self.talking.popleft()
            if leg.open:
                leg.send()
                self.talking.append((at + FRAME, leg))

    def hang_up(self, leg: Leg) -> None:
        if leg.open and leg.bye:
            self.sip.sendto(*leg.bye)
            self.over(leg)

    def over(self, leg: Leg) -> None:
        leg.call.ended = time.time()
        leg.open = False
        self.finished.append(leg.call)

    def signalling(self) -> list[Leg]:
        begun: list[Leg] = []
        while True:
            try:
                data, ancillary, _, address = self.sip.recvmsg(65535, 64)
            except BlockingIOError:
                return begun
            # RTCP for the RTP port before this one comes here, too: it is no request of anybody's.
            text = data.decode(errors="replace")
            method = text.split(" ", 1)[0]
            call_id = found(r"(?im)^(?:call-id|i):\s*(.*?)\r?$", text)
            if method == "INVITE" and call_id not in self.legs:
                begun.append(self.invited(text, call_id, address, arrival(ancillary)))
            elif method == "BYE":
                self.sip.sendto(reply(text, "200 OK"), address)
                if call_id in self.legs:
                    leg = self.legs.pop(call_id)
                    if leg.open:
                        self.over(leg)
            elif method == "CANCEL":
                self.sip.sendto(reply(text, "200 OK"), address)

    def invited(self, text: str, call_id: str, address: tuple[str, int], at: float) -> Leg:
        call = Call(found(r"sip:([^@;>]*)@", text), at)
        remote = (
            found(r"(?m)^c=IN IP4 (\S+)", text),
            int(found(r"(?m)^m=audio (\d+)", text)),
        )
        leg = self.legs[call_id] = Leg(call, remote, self.marker)
        leg.bye = bye(text, self.port), address
        port = leg.socket.getsockname()[1]
        sdp = (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8 {TELEPHONE_EVENT}\r\na=rtpmap:8 PCMA/8000\r\n"
            f"a=rtpmap:{TELEPHONE_EVENT} telephone-event/8000\r\na=fmtp:{TELEPHONE_EVENT} 0-15\r\n"
        )
        self.sip.sendto(reply(text, "180 Ringing", self.port), address)
        answer = reply(text, "200 OK", self.port, sdp)
        # Nobody picks up in step with others: or all phones' packets would come in a few bursts.
        ringing = self.answer_after + random.random() * FRAME
        self.later(time.time() + ringing, partial(self.answer, leg, answer, address))
        return leg


def arrival(ancillary: list[tuple[int, int, bytes]]) -> float:
    """When the kernel got a packet."""
    [(_, _, stamp)] = ancillary
    seconds: int
    nanoseconds: int
    seconds, nanoseconds = TIMESPEC.unpack(stamp)
    return seconds + nanoseconds / 1e9


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"no {pattern} in {text}")
    return match[1]


def reply(request: str, status: str, contact: int | None = None, body: str = "") -> bytes:
    names = "via|v|from|f|to|t|call-id|i|cseq|record-route"
    lines = [f"SIP/2.0 {status}"]
    for line in request.split("\r\n\r\n", 1)[0].split("\r\n")[1:]:
        if re.match(rf"(?i)(?:{names})\s*:", line):
            if re.match(r"(?i)(?:to|t)\s*:", line) and ";tag=" not in line:
                line += ";tag=phones"
            lines.append(line)
    if contact:
        lines.append(f"Contact: <sip:phone@127.0.0.1:{contact}>")
    if body:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def bye(invite: str, port: int) -> bytes:
    """The BYE of whoever was called; the INVITE came without proxies in between."""
    target = found(r"(?im)^(?:contact|m):\s*<([^>]*)>", invite)
    caller = found(r"(?im)^(?:from|f):\s*(.*?)\r?$", invite)
    callee = found(r"(?im)^(?:to|t):\s*(.*?)\r?$", invite)
    call_id = found(r"(?im)^(?:call-id|i):\s*(.*?)\r?$", invite)
    lines = [
        f"BYE {target} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{random.getrandbits(64):x}",
        "Max-Forwards: 70",
        f"From: {callee};tag=phones",
        f"To: {caller}",
        f"Call-ID: {call_id}",
        "CSeq: 1 BYE",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def main() -> None:
    arguments = argparse.ArgumentParser(description="Answer any number of calls and time them.")
    arguments.add_argument("--marker", type=int, required=True, help="byte in every packet sent")
    arguments.add_argument("--answer-after", type=float, default=0.2, help="seconds of ringing")
    arguments.add_argument("--hang-up-after", type=float, default=0, help="seconds; 0: never")
    chosen = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE)[1:] * 2)
    phones = Phones(chosen.marker, chosen.answer_after, chosen.hang_up_after)
    print(phones.port, flush=True)
    phones.serve()
    for call in [*phones.finished, *(leg.call for leg in phones.legs.values() if leg.open)]:
        print(json.dumps(asdict(call)), flush=True)


if __name__ == "__main__":
    main()
