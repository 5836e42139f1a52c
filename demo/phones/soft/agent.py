"""The user agent: rings, answers, calls and hangs up as it was told to (RFC 3261, UDP only)."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import cast

from demo.phones.soft import sdp, sip
from demo.phones.soft.call import TIMEOUT, Call, Manners
from demo.phones.soft.facts import Facts
from demo.phones.soft.media import Media
from demo.phones.soft.recorder import RATE
from demo.phones.soft.sip import Message

ALLOW = "INVITE, ACK, CANCEL, BYE, INFO, OPTIONS"
SDP = ("content-type", "application/sdp")


class Agent(asyncio.DatagramProtocol):
    """One phone: one call at a time, one after another."""

    def __init__(self, facts: Facts, manners: Manners, *, number: str, records: Path) -> None:
        self._facts = facts
        self._manners = manners
        self._number = number
        self._records = records
        self._call: Call | None = None
        self._over = 0
        "Calls that have ended."
        self._ended = asyncio.Event()
        self._answers: dict[tuple[str, str], bytes] = {}
        "Last answer to a request, by branch and method, for its retransmissions."
        self._tasks: set[asyncio.Task[None]] = set()
        self.idle = asyncio.Event()
        self.idle.set()

    # The wire.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance: asyncio's own UDP transport is none on Python 3.11.
        self._transport = cast("asyncio.DatagramTransport", transport)
        self._host, self._port = transport.get_extra_info("sockname")[:2]
        self._facts.tell("listening", uri=self.uri, port=self._port)

    @property
    def uri(self) -> str:
        return f"sip:{self._number}@{self._host}:{self._port}"

    def via(self) -> tuple[str, str]:
        return "via", f"SIP/2.0/UDP {self._host}:{self._port};branch={sip.new_branch()};rport"

    def send(self, message: Message, to: tuple[str, int]) -> None:
        self._transport.sendto(message.text(), to)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if not data.strip():
            return  # a keep-alive
        try:
            message = sip.parse(data)
            if message.method:
                self._take_request(message, address)
            else:
                self._take_response(message)
        except sip.Malformed as fault:
            self._facts.tell("malformed", reason=str(fault))

    # Requests.

    def _take_request(self, request: Message, source: tuple[str, int]) -> None:
        if known := self._answers.get((request.branch, request.method)):
            self._transport.sendto(known, source)
            return
        call = self._call
        if call and request.call_id != call.invite.call_id:
            call = None
        match request.method:
            case "ACK":
                self._take_ack(request, call)
            case "INVITE" if call is None and sip.parameter(request.one("to"), "tag"):
                self._answer(request, source, 481)
            case "INVITE" if call is None:
                self._take_invite(request, source)
            case "INVITE" if call and call.answered is not None:
                self._take_reinvite(request, source, call)
            case "CANCEL":
                self._take_cancel(request, source, call)
            case "OPTIONS":
                self._answer(request, source, 200, ("allow", ALLOW))
            case "BYE" | "INFO" if call is None:
                self._answer(request, source, 481)
            case "BYE" if call:
                self._answer(request, source, 200)
                self._facts.tell("bye", by="far")
                self._end(call)
            case "INFO":
                self._answer(request, source, 200)
                self._take_info(request)
            case _:
                self._answer(request, source, 405, ("allow", ALLOW))

    def _answer(
        self,
        request: Message,
        source: tuple[str, int],
        status: int,
        *headers: tuple[str, str],
        tag: str = "",
        body: str = "",
    ) -> Message:
        answer = sip.response(request, status, tag=tag or sip.new_tag(), headers=headers, body=body)
        key = (request.branch, request.method)
        self._answers[key] = answer.text()
        asyncio.get_running_loop().call_later(TIMEOUT, self._answers.pop, key, None)
        self.send(answer, source)
        return answer

    def _take_invite(self, invite: Message, source: tuple[str, int]) -> None:
        self._facts.tell(
            "invite",
            call_id=invite.call_id,
            caller=sip.user_of(invite.one("from")),
            called=sip.user_of(invite.uri),
        )
        if self._call:
            self._answer(invite, source, 486)
            return
        try:
            far = self._agreeable(invite)
        except sdp.NoAudio as reason:
            self._facts.tell("rejected", status=488, reason=str(reason))
            self._answer(invite, source, 488)
            return
        call = self._call = Call(self, invite, Media(self._facts), source=source)
        self.idle.clear()
        call.local = f"{invite.one('to')};tag={call.tag}"
        call.remote = invite.one("from")
        call.target = sip.uri_of(invite.one("contact"))
        call.routes = invite.all("record-route")
        self._answer(invite, source, 100)
        self._start(self._serve(call, far))

    def _agreeable(self, invite: Message) -> sdp.Description:
        """The offer, as far as we go along with it. Raises `sdp.NoAudio`."""
        far = sdp.read(invite.body, self._manners.codecs)
        return far if self._manners.takes_keys else replace(far, events=None)

    async def _serve(self, call: Call, far: sdp.Description) -> None:
        manners = self._manners
        address = await call.media.open(self._host)
        if call.ended:
            call.media.close()
            return
        call.body = sdp.write(
            address,
            (far.codec,),
            events=far.events,
            direction=sdp.MIRRORED[far.direction],
        )
        if manners.rejects is not None and manners.answers_after is None:
            self._reject(call, manners.rejects)
            return
        call.later(manners.rings_after, lambda: self._ring(call, far))
        if manners.answers_after is None:
            return
        if manners.rejects is None:
            call.later(manners.answers_after, lambda: self._answer_call(call, far))
        else:
            status = manners.rejects
            call.later(manners.answers_after, lambda: self._reject(call, status))

    def _ring(self, call: Call, far: sdp.Description) -> None:
        if self._manners.early:
            call.media.connect(far, self._manners.early)
            self._reply(call, 183, SDP, body=call.body)
            self._facts.tell("early")
        else:
            self._reply(call, 180)
            self._facts.tell("ringing")

    def _answer_call(self, call: Call, far: sdp.Description) -> None:
        ok = self._reply(call, 200, ("allow", ALLOW), SDP, body=call.body)
        self._insist(call, ok, lambda: self._never_acknowledged(call))
        call.media.connect(far, self._manners.sound)
        self._begin(call)

    def _reject(self, call: Call, status: int) -> None:
        self._facts.tell("rejected", status=status)
        self._insist(call, self._reply(call, status), lambda: self._end(call))

    def _reply(self, call: Call, status: int, *headers: tuple[str, str], body: str = "") -> Message:
        assert call.source is not None
        contact = ("contact", f"<{self.uri}>")
        return self._answer(
            call.invite, call.source, status, contact, *headers, tag=call.tag, body=body
        )

    def _insist(self, call: Call, final: Message, gave_up: Callable[[], None]) -> None:
        """Repeat a final response until its ACK comes (RFC 3261 13.3.1.4 and 17.2.1)."""
        assert call.source is not None
        call.repeat(final, call.source, gave_up, sent=True)

    def _begin(self, call: Call) -> None:
        at = call.begin(self._manners, self._facts)
        self._facts.tell("answered", at=at)

    def _never_acknowledged(self, call: Call) -> None:
        """An answer nobody acknowledges ends with a BYE (RFC 3261 13.3.1.4)."""
        self._facts.tell("no_ack")
        self._say_bye(call)

    def _take_ack(self, ack: Message, call: Call | None) -> None:
        if call is None or call.source is None:
            return
        if call.unsettled and not call.ended:
            call.settle()
            self._facts.tell("ack")
            if call.answered is None:
                self._end(call)

    def _take_reinvite(self, request: Message, source: tuple[str, int], call: Call) -> None:
        try:
            far = self._agreeable(request)
        except sdp.NoAudio:
            self._answer(request, source, 488)
            return
        assert call.media.address is not None
        body = sdp.write(
            call.media.address,
            (far.codec,),
            events=far.events,
            direction=sdp.MIRRORED[far.direction],
            version=request.sequence[0],
        )
        self._facts.tell("reinvite", direction=far.direction)
        ok = self._answer(
            request, source, 200, ("contact", f"<{self.uri}>"), SDP, tag=call.tag, body=body
        )
        call.target = sip.uri_of(request.one("contact"))
        call.media.connect(far, self._manners.sound)
        call.repeat(ok, source, lambda: self._never_acknowledged(call), sent=True)

    def _take_cancel(self, cancel: Message, source: tuple[str, int], call: Call | None) -> None:
        if call is None or cancel.branch != call.invite.branch:
            self._answer(cancel, source, 481)
            return
        self._answer(cancel, source, 200, tag=call.tag)
        if call.answered is not None or call.unsettled:
            return  # it crossed our final answer
        call.forget_timers()
        self._facts.tell("cancelled")
        self._insist(call, self._reply(call, 487), lambda: self._end(call))

    def _take_info(self, info: Message) -> None:
        if info.one("content-type").lower().startswith("application/dtmf"):
            for line in info.body.replace(" ", "").splitlines():
                name, _, key = line.partition("=")
                if name.lower() == "signal" and key:
                    self._facts.tell("key", key=key, how="info")

    # Calling.

    def call(self, uri: str) -> None:
        """Call ``uri``. Raises `sip.Malformed`, or ValueError while the phone is in a call."""
        if self._call:
            raise ValueError("the phone is in a call")
        sip.address_of(uri)
        tag = sip.new_tag()
        invite = Message(
            method="INVITE",
            uri=uri,
            headers=[
                self.via(),
                ("max-forwards", "70"),
                ("from", f"<{self.uri}>;tag={tag}"),
                ("to", f"<{uri}>"),
                ("call-id", f"{sip.new_tag()}@{self._host}"),
                ("cseq", "1 INVITE"),
                ("contact", f"<{self.uri}>"),
                ("allow", ALLOW),
                SDP,
            ],
        )
        call = self._call = Call(self, invite, Media(self._facts), source=None)
        self.idle.clear()
        self._start(self._dial(call))

    async def _dial(self, call: Call) -> None:
        address = await call.media.open(self._host)
        if call.ended:
            call.media.close()
            return
        events = sdp.OUR_EVENTS if self._manners.takes_keys else None
        call.invite.body = sdp.write(address, self._manners.codecs, events=events)
        self._facts.tell("calling", call_id=call.invite.call_id)

        def no_answer() -> None:
            self._facts.tell("failed", status=408)
            self._end(call)

        call.repeat(call.invite, sip.address_of(call.invite.uri), no_answer)

    def _take_response(self, response: Message) -> None:
        call = self._call
        if call is None or response.call_id != call.invite.call_id:
            return
        _, method = response.sequence
        if method == "BYE" and response.status >= 200:
            call.settle()
            self._end(call)
        elif method == "CANCEL":
            call.settle()
            call.later(TIMEOUT, lambda: self._end(call))
        elif method == "INVITE" and call.source is None:
            if response.status < 200:
                self._take_provisional(response, call)
            elif response.status < 300:
                self._take_answer(response, call)
            else:
                self._take_refusal(response, call)

    def _take_provisional(self, response: Message, call: Call) -> None:
        if call.answered is not None:
            return
        # RFC 3261 17.1.1.2: a provisional response stops the retransmissions.
        call.settle()
        first, call.provisional = not call.provisional, True
        if call.ended:
            if first:
                self._cancel(call)
            return
        if response.status == 180:
            self._facts.tell("ringing")
        if response.body:
            self._connect(response, call)
            self._facts.tell("early")

    def _connect(self, response: Message, call: Call) -> None:
        try:
            call.media.connect(sdp.read(response.body, self._manners.codecs), self._manners.sound)
        except sdp.NoAudio as reason:
            self._facts.tell("no_audio", reason=str(reason))

    def _take_answer(self, response: Message, call: Call) -> None:
        call.settle()
        call.remote = response.one("to")
        call.target = sip.uri_of(response.one("contact"))
        call.routes = response.all("record-route")[::-1]
        ack, to = call.request("ACK", sequence=call.invite.sequence[0])
        self.send(ack, to)
        if call.answered is not None:
            return  # our ACK was lost
        self._begin(call)
        if call.ended:
            self._say_bye(call)  # it crossed our CANCEL
        elif response.body:
            self._connect(response, call)

    def _take_refusal(self, response: Message, call: Call) -> None:
        call.settle()
        # RFC 3261 17.1.1.3: this ACK belongs to the INVITE's transaction.
        ack = Message(
            method="ACK",
            uri=call.invite.uri,
            headers=[
                ("via", call.invite.one("via")),
                ("max-forwards", "70"),
                ("from", call.invite.one("from")),
                ("to", response.one("to")),
                ("call-id", call.invite.call_id),
                ("cseq", f"{call.invite.sequence[0]} ACK"),
            ],
        )
        self.send(ack, sip.address_of(call.invite.uri))
        self._facts.tell("rejected", status=response.status)
        self._end(call)

    # The end.

    async def served(self, calls: int) -> None:
        """Wait until so many calls are over."""
        while self._over < calls:
            self._ended.clear()
            await self._ended.wait()

    def press(self, key: str) -> None:
        """Press a key in the call. Raises ValueError if there is none, or no such key."""
        if self._call is None:
            raise ValueError("the phone is in no call")
        self._call.media.press(key)

    def drop(self) -> None:
        """Forget the call without a word to the far end."""
        if self._call:
            self._end(self._call)

    def hang_up(self) -> None:
        """End the call in whatever state it is; without effect if there is none."""
        call = self._call
        if call is None or call.ended:
            return
        if call.answered is not None:
            self._facts.tell("bye", by="phone")
            self._say_bye(call)
        elif call.source is None:
            call.ended = True
            if call.provisional:
                self._cancel(call)
            # else RFC 3261 9.1: a CANCEL waits for a provisional response.
        else:
            call.forget_timers()
            self._reject(call, 603)

    def _cancel(self, call: Call) -> None:
        cancel = Message(
            method="CANCEL",
            uri=call.invite.uri,
            headers=[
                (name, value)
                for name, value in call.invite.headers
                if name in ("via", "max-forwards", "from", "to", "call-id")
            ]
            + [("cseq", f"{call.invite.sequence[0]} CANCEL")],
        )
        self._facts.tell("cancelled")
        call.repeat(cancel, sip.address_of(call.invite.uri), lambda: self._end(call))

    def _say_bye(self, call: Call) -> None:
        call.ended = True
        bye, to = call.request("BYE")
        call.repeat(bye, to, lambda: self._end(call))

    def _end(self, call: Call) -> None:
        call.ended = True
        call.settle()
        call.forget_timers()
        call.media.close()
        if call is not self._call:
            return
        self._call = None
        self._over += 1
        if call.recorder:
            path = self._records / f"heard-{self._over}.wav"
            samples = call.recorder.write(path, end=time.monotonic())
            # ``at``: when the first sample was heard.
            self._facts.tell(
                "recorded", at=call.recorder.start, path=str(path), seconds=samples / RATE
            )
        self._facts.tell("ended", call_id=call.invite.call_id)
        self.idle.set()
        self._ended.set()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
