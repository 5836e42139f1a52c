"""A world with one user agent of ours, a clock that jumps, and far ends written by hand.

Responses are put together from text, not with our own message code, and everything our side sends
is read by the strict grammar of ``sipmessage``, so that both directions have an independent judge.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sipmessage

from callwright.engines.port import LegId, LegReleased
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.dialog.call_leg import CallLeg, Fact, StreamAgreed
from callwright.engines.sip.dialog.dialog_journal import DialogJournal
from callwright.engines.sip.dialog.invite_client import InviteTarget
from callwright.engines.sip.dialog.invite_server import IncomingInvite, InviteServer
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.transaction.request_sender import Identity
from callwright.engines.sip.transaction.transactions import Timing
from callwright.engines.sip.user_agent import UserAgent
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.trail import FRESH, Trail

FAR = Hop("127.0.0.1", 6000)
CONTACT = "<sip:far@127.0.0.1:6000>"
SDP = (
    "v=0\r\no=far 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n"
    "m=audio 7000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)


@dataclass(frozen=True, slots=True)
class Packet:
    """What a far end sends, some seconds later, unless it has thought better of it."""

    data: bytes
    after: float = 0.0
    unless: Callable[[], bool] = lambda: False


Sent = sipmessage.Request | sipmessage.Response
Script = Callable[[sipmessage.Request], Sequence[Packet]]


class World:
    def __init__(
        self,
        far: Script | None = None,
        *,
        loss: float = 0.0,
        seed: int = 0,
        journal: DialogJournal | None = None,
    ) -> None:
        self.now = 0.0
        self.facts: list[Fact] = []
        self.sent: list[tuple[float, Sent, Hop]] = []
        "What our side has sent: time, message, hop. Lost ones too."
        self.far = far
        self.caller: Callable[[sipmessage.Response], Sequence[Packet]] = lambda response: ()
        "What a far end does with our answers."
        self.calls: dict[LegId, CallLeg] = {}
        self.admission = Admission("callwright", b"a secret")
        self.arrivals: list[IncomingInvite] = []
        "Calls that have come in; the first is leg 101."
        self.agent = UserAgent(
            Identity("127.0.0.1", 5060, "callwright"),
            self._fact,
            Timing(),
            admission=self.admission,
            called=self._called,
            journal=journal,
            chance=random.Random(seed),
        )
        self._loss = loss
        self._random = random.Random(seed)
        self._wire: list[tuple[float, int, Packet]] = []
        self._count = itertools.count()

    def ring(
        self,
        leg: int = 1,
        *,
        user: str | None = None,
        password: str = "secret",
        trail: Trail = FRESH,
    ) -> CallLeg:
        whom = InviteTarget("sip:25@127.0.0.1:6000", FAR, "sip:74950000000@127.0.0.1")
        digest = DigestClient(user, password)
        trunk = "out" if user else None
        media = ("127.0.0.1", 16384)
        call = self.agent.ring(
            LegId(leg), [whom], digest, media, self.now, trunk=trunk, trail=trail
        )
        self.calls[LegId(leg)] = call
        self._pump()
        return call

    def hang_up(self, leg: int = 1) -> None:
        self.calls[LegId(leg)].hang_up(self.now)
        self._pump()

    def offered(self, leg: int = 101) -> InviteServer:
        """The beginning of a call that has come in, to be answered or refused."""
        invite = self.calls[LegId(leg)].invite
        assert isinstance(invite, InviteServer)
        return invite

    def ring_back(self, leg: int = 101) -> None:
        self.offered(leg).ring_back(self.now)
        self._pump()

    def answer(self, leg: int = 101) -> None:
        self.offered(leg).answer(self.now)
        self._pump()

    def hear(self, *messages: bytes, source: Hop = FAR) -> None:
        """Let our side receive messages now."""
        for message in messages:
            self.agent.receive(message, source, self.now)
            self._pump()

    def until(self, when: float) -> None:
        """Let time pass, with every timer and every packet on its way."""
        while True:
            timer = self.agent.layer.next_timer()
            packet = self._wire[0][0] if self._wire else None
            due = min((at for at in (timer, packet) if at is not None), default=None)
            if due is None or due > when:
                break
            self.now = max(self.now, due)
            if packet == due:
                arrived = heapq.heappop(self._wire)[2]
                if not arrived.unless() and not self._lost():
                    self.hear(arrived.data)
            else:
                self.agent.layer.on_timer(self.now)
                self._pump()
        self.now = when

    def requests(self, method: str) -> list[sipmessage.Request]:
        return [
            one
            for _, one, _ in self.sent
            if isinstance(one, sipmessage.Request) and one.method == method
        ]

    def responses(self) -> list[sipmessage.Response]:
        return [one for _, one, _ in self.sent if isinstance(one, sipmessage.Response)]

    def times(self, method: str) -> list[float]:
        return [
            at
            for at, one, _ in self.sent
            if isinstance(one, sipmessage.Request) and one.method == method
        ]

    def hops(self, method: str) -> list[tuple[str, int]]:
        return [
            hop.place
            for _, one, hop in self.sent
            if isinstance(one, sipmessage.Request) and one.method == method
        ]

    def told(self) -> list[str]:
        """Names of the events so far, without the media's."""
        return [type(one).__name__ for one in self.facts if not isinstance(one, StreamAgreed)]

    def ending(self) -> LegReleased:
        (ended,) = [one for one in self.facts if isinstance(one, LegReleased)]
        return ended

    def _called(self, arrival: IncomingInvite, now: float) -> None:
        self.arrivals.append(arrival)
        leg = LegId(100 + len(self.arrivals))
        call = self.agent.take(leg, arrival, ("127.0.0.1", 16386), now)
        assert call is not None
        self.calls[leg] = call

    def _fact(self, fact: Fact) -> None:
        self.facts.append(fact)
        if isinstance(fact, LegReleased):
            self.agent.forget(self.calls[fact.leg], self.now)

    def _lost(self) -> bool:
        return self._loss > 0 and self._random.random() < self._loss

    def _pump(self) -> None:
        queue = self.agent.layer.to_send
        while queue:
            datagram = queue.popleft()
            message = sipmessage.Message.parse(datagram.data)
            self.sent.append((self.now, message, datagram.hop))
            if isinstance(message, sipmessage.Response):
                self.travel(() if self._lost() else self.caller(message))
            elif self.far is not None and not self._lost():
                self.travel(self.far(message))

    def travel(self, packets: Sequence[Packet]) -> None:
        """Put what a far end sends on its way; some of it may be lost."""
        for packet in packets:
            arrives = self.now + 0.01 + packet.after
            heapq.heappush(self._wire, (arrives, next(self._count), packet))


def reply(
    request: sipmessage.Request,
    status: int,
    reason: str = "Whatever",
    *,
    tag: str = "far",
    contact: str | None = CONTACT,
    sdp: str = "",
    extra: Sequence[str] = (),
) -> bytes:
    """A response as a far end would write it."""
    headers = request.headers
    to = headers["To"]
    if tag and "tag=" not in to:
        to += f";tag={tag}"
    lines = [
        f"SIP/2.0 {status} {reason}",
        *(f"Via: {value}" for value in headers.getlist("Via")),
        f"From: {headers['From']}",
        f"To: {to}",
        f"Call-ID: {headers['Call-ID']}",
        f"CSeq: {headers['CSeq']}",
        *extra,
    ]
    if contact and status > 100:
        lines.append(f"Contact: {contact}")
    if sdp:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(sdp)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + sdp).encode()


def ask(
    invite: sipmessage.Request,
    method: str,
    *,
    tag: str = "far",
    cseq: int = 1,
    branch: str = "",
    body: str = "",
    kind: str = "application/sdp",
    extra: Sequence[str] = (),
) -> bytes:
    """A request of the far end inside the dialog that ``invite`` has made."""
    lines = [
        f"{method} sip:callwright@127.0.0.1:5060 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK{branch or f'{method}{cseq}{tag}'}",
        "Max-Forwards: 70",
        f"From: {invite.headers['To']};tag={tag}",
        f"To: {invite.headers['From']}",
        f"Call-ID: {invite.headers['Call-ID']}",
        f"CSeq: {cseq} {method}",
        *extra,
    ]
    if body:
        lines.append(f"Content-Type: {kind}")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def answers(request: sipmessage.Request) -> list[bytes]:
    """A far end that rings, answers, and says yes to everything else."""
    match request.method:
        case "INVITE":
            return [reply(request, 180, "Ringing"), reply(request, 200, "OK", sdp=SDP)]
        case "ACK":
            return []
        case _:
            return [reply(request, 200, "OK", contact=None)]


def answering(request: sipmessage.Request) -> list[Packet]:
    return [Packet(data) for data in answers(request)]


def ringing(world: World, status: int = 180, *, tag: str = "far", sdp: str = "") -> None:
    world.hear(reply(world.requests("INVITE")[-1], status, "Ringing", tag=tag, sdp=sdp))


def answered(
    world: World, *, tag: str = "far", sdp: str = SDP, extra: tuple[str, ...] = ()
) -> None:
    invite = world.requests("INVITE")[-1]
    world.hear(reply(invite, 200, "OK", tag=tag, sdp=sdp, extra=extra))


def talking(*, extra: tuple[str, ...] = (), sdp: str = SDP, user: str | None = None) -> World:
    """A world with one call that has just been answered."""
    world = World()
    world.ring(user=user)
    answered(world, extra=extra, sdp=sdp)
    return world
