"""A phone on a real socket, that acts as told in the words of the simulated engine."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

import sipmessage

from callwright.engines.simulated.far_end import (
    Act,
    Answers,
    HangsUp,
    Holds,
    Presses,
    Rejects,
    Resumes,
    Rings,
    SendsEarlyMedia,
    Transfers,
)
from tests.engines.sip.world import ask, reply
from tests.waiting import WITHIN

SDP = (
    "v=0\r\no=far 1 1 IN {kind} {host}\r\ns=-\r\nc=IN {kind} {host}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class Audio(asyncio.DatagramProtocol):
    """What a phone is sent of RTP."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.set()


class Phone(asyncio.DatagramProtocol):
    """Acts once it is rung; a copy of the INVITE gets the latest response again."""

    transport = "UDP"
    host = "127.0.0.1"

    def __init__(self, acts: Sequence[tuple[float, Act]]) -> None:
        self.requests: list[sipmessage.Request] = []
        self.challenges: dict[str, str] = {}
        "By method: the Proxy-Authenticate line of a 407 its next request gets."
        self._acts = acts
        self._playing: asyncio.Task[None] | None = None
        self._invite: sipmessage.Request | None = None
        self._peer = ("", 0)
        self._last = b""
        self._cseq = 0
        self._calling: dict[str, str] | None = None
        self.responses: list[sipmessage.Response] = []
        self._answered = False
        self._more = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._rtp, self.audio = await loop.create_datagram_endpoint(Audio, (self.host, 0))
        self.rtp_port: int = self._rtp.get_extra_info("sockname")[1]
        kind = "IP6" if ":" in self.host else "IP4"
        self.sdp = SDP.format(kind=kind, host=self.host, port=self.rtp_port)
        self.address: tuple[str, int] = await self._open()
        return self

    async def _open(self) -> tuple[str, int]:
        """Open what SIP comes in by; return its address and port."""
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: self, (self.host, 0))
        host, port = self._sip.get_extra_info("sockname")[:2]
        return host, port

    def _close(self) -> None:
        self._sip.close()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._playing is not None:
            self._playing.cancel()
        self._close()
        self._rtp.close()

    @property
    def uri(self) -> str:
        return f"sip:25@{self._place}"

    @property
    def _place(self) -> str:
        over = "" if self.transport == "UDP" else f";transport={self.transport.lower()}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.address[1]}{over}"

    def call(self, where: tuple[str, int], *, caller: str, called: str) -> None:
        """Call somebody. Acts before `Answers` follow the INVITE, the others the answer."""
        self._peer = where
        self._calling = {"caller": caller, "called": called, "call_id": f"{id(self)}@phone"}
        self._ask_as_caller("INVITE", body=self.sdp)
        self._playing = asyncio.create_task(self._play_until_answer())

    def refer(self, to: str, replaces: str = "") -> None:
        """Ask, in the call it has answered, for a transfer; ``replaces``: to its other call."""
        headers = f"?Replaces={quote(replaces)}" if replaces else ""
        self._ask("REFER", extra=(f"Refer-To: <sip:{to}@{self._place}{headers}>",))

    async def got(self, method: str, *, times: int = 1) -> sipmessage.Request:
        """Wait until a request has come so often; return the latest."""
        async with asyncio.timeout(WITHIN):
            while True:
                found = [one for one in self.requests if one.method == method]
                if len(found) >= times:
                    return found[-1]
                self._more.clear()
                await self._more.wait()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = sipmessage.Message.parse(data)
        if isinstance(message, sipmessage.Response):
            self._answered_by(message)
            return
        self._peer = addr
        self.requests.append(message)
        self._more.set()
        match message.method:
            case "INVITE" if self._invite is None:
                self._invite = message
                self._playing = asyncio.create_task(self._play())
            case "INVITE":
                self._send(self._last)
            case "CANCEL" if self._invite is not None:
                self._send(reply(message, 200))
                self._respond(487, "Request Terminated")
            case "ACK":
                pass
            case method if method in self.challenges:
                extra = (self.challenges.pop(method),)
                self._send(reply(message, 407, contact=None, extra=extra))
            case _:
                self._send(reply(message, 200, contact=None))

    async def _play(self) -> None:
        for after, act in self._acts:
            await asyncio.sleep(after)
            self._act(act)

    def _answered_by(self, response: sipmessage.Response) -> None:
        self.responses.append(response)
        self._more.set()
        if self._calling is None or response.code < 200 or "INVITE" not in response.headers["CSeq"]:
            return
        self._calling["to"] = response.headers["To"]
        self._ask_as_caller("ACK")
        if response.code == 200 and not self._answered:
            self._answered = True
            self._playing = asyncio.create_task(self._play_after_answer())

    async def _play_until_answer(self) -> None:
        for after, act in self._acts:
            await asyncio.sleep(after)
            if isinstance(act, Answers):
                return
            if isinstance(act, HangsUp) and not self._answered:
                self._ask_as_caller("CANCEL")

    async def _play_after_answer(self) -> None:
        acts = iter(self._acts)
        for _, act in acts:
            if isinstance(act, Answers):
                break
        for after, act in acts:
            await asyncio.sleep(after)
            if isinstance(act, Presses):
                body = f"Signal={act.key}\r\n"
                self._ask_as_caller("INFO", body=body, kind="application/dtmf-relay")
            elif isinstance(act, Transfers):
                extra = (f"Refer-To: <sip:{act.to}@{self._place}>",)
                self._ask_as_caller("REFER", extra=extra)
            elif isinstance(act, Holds | Resumes):
                self._ask_as_caller("UPDATE", body=self._sdp_of(act))
            elif isinstance(act, HangsUp):
                self._ask_as_caller("BYE")

    def _sdp_of(self, act: Holds | Resumes) -> str:
        return self.sdp + ("a=sendonly\r\n" if isinstance(act, Holds) else "")

    def _ask_as_caller(
        self,
        method: str,
        *,
        body: str = "",
        kind: str = "application/sdp",
        extra: Sequence[str] = (),
    ) -> None:
        assert self._calling is not None
        calling = self._calling
        if method not in ("ACK", "CANCEL"):
            self._cseq += 1
        # The ACK of a failure and a CANCEL go over the branch of their INVITE.
        failed = self.responses and self.responses[-1].code >= 300
        branch = "INVITE1" if method == "CANCEL" or (method == "ACK" and failed) else method
        branch = "INVITE1" if method == "INVITE" else branch + str(self._cseq) * (branch == method)
        host = f"127.0.0.1:{self.address[1]}"
        to = f"<sip:{calling['called']}@127.0.0.1>"
        lines = [
            f"{method} sip:{calling['called']}@127.0.0.1:{self._peer[1]} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {host};rport;branch=z9hG4bK{branch}{id(self)}",
            "Max-Forwards: 70",
            f"From: <sip:{calling['caller']}@127.0.0.1>;tag=caller",
            f"To: {calling.get('to', to) if method != 'CANCEL' else to}",
            f"Call-ID: {calling['call_id']}",
            f"CSeq: {self._cseq} {method}",
            f"Contact: <sip:{calling['caller']}@{self._place}>",
            *extra,
        ]
        if body:
            lines.append(f"Content-Type: {kind}")
        lines.append(f"Content-Length: {len(body)}")
        self._send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _act(self, act: Act) -> None:
        match act:
            case Rings():
                self._respond(180, "Ringing")
            case SendsEarlyMedia():
                self._respond(183, "Session Progress", sdp=self.sdp)
            case Answers():
                self._respond(200, "OK", sdp=self.sdp)
            case Rejects(raw=raw):
                status, _, reason = raw.partition(" ")
                self._respond(int(status), reason)
            case Presses(key):
                self._ask("INFO", body=f"Signal={key}\r\n", kind="application/dtmf-relay")
            case Holds() | Resumes():
                self._ask("UPDATE", body=self._sdp_of(act), kind="application/sdp")
            case Transfers(to=to):
                self.refer(to)
            case HangsUp():
                self._ask("BYE")

    def _respond(self, status: int, reason: str, *, sdp: str = "") -> None:
        assert self._invite is not None
        contact = f"<{self.uri}>"
        self._last = reply(self._invite, status, reason, contact=contact, sdp=sdp)
        self._send(self._last)

    def _ask(
        self, method: str, *, body: str = "", kind: str = "", extra: Sequence[str] = ()
    ) -> None:
        assert self._invite is not None
        self._cseq += 1
        self._send(ask(self._invite, method, cseq=self._cseq, body=body, kind=kind, extra=extra))

    def _send(self, data: bytes) -> None:
        self._sip.sendto(data, self._peer)
