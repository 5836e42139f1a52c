"""Damaged SIP: in every state of a call, one of ours and one that comes in, over a flood of time.

Whatever is said to the user agent, it stands; a leg ends once and last; and when all calls are over
and every timer has run out, nothing of them is left.
"""

import random
import re
from itertools import count

from callwright.engines.network import SipAccount, Trunk
from callwright.engines.port import LegId, LegReleased
from callwright.engines.sip import user_agent
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.dialog.call_leg import CallLeg, Fact
from callwright.engines.sip.dialog.invite_client import InviteTarget
from callwright.engines.sip.dialog.invite_server import IncomingInvite, InviteServer
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.transaction.request_sender import Identity
from callwright.engines.sip.wire.address import Malformed
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import parse
from fuzz.harness import always, main

FAR = Hop("127.0.0.1", 6000)
MEDIA = ("127.0.0.1", 16384)

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n"
    "m=audio 7000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)

MIXED = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;boundary=gw\r\n"
PARTS = (
    "--gw\r\nContent-Type: application/ISUP;version=itu-t92+\r\n"
    "Content-Disposition: signal;handling=optional\r\n\r\n\x01\x02\r\n"
    f"--gw\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--gw--\r\n"
)

# BRANCH, CALL, OURS (our tag) and THEIRS stand for what the dialog under way has.
RESPONSES = (
    ("100 Trying", "", ""),
    ("180 Ringing", "Contact: <sip:far@127.0.0.1:6000>\r\n", ""),
    ("183 Progress", "Contact: <sip:far@127.0.0.1>\r\nRequire: 100rel\r\nRSeq: 7\r\n", SDP),
    (
        "200 OK",
        (
            'Contact: "A, B" <sip:far@127.0.0.1:6000;transport=udp>;q=0.5\r\n'
            "Allow: INVITE, UPDATE\r\nSession-Expires: 90;refresher=uac\r\n"
            "Record-Route: <sip:127.0.0.2;lr>, <sip:127.0.0.3>\r\n"
        ),
        SDP,
    ),
    ("200 OK", "", ""),
    ("183 Progress", f"Contact: <sip:far@10.0.0.1>\r\n{MIXED}", PARTS),
    ("200 OK", f"Contact: <sip:far@0.0.0.0>\r\n{MIXED}", PARTS),
    ("302 Moved", "Contact: <sip:elsewhere@127.0.0.1>\r\n", ""),
    ("401 No", 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth,auth-int"\r\n', ""),
    ("407 No", 'Proxy-Authenticate: Digest realm="r",nonce="m",algorithm=SHA-256\r\n', ""),
    ("422 Brief", "Min-SE: 3600\r\n", ""),
    ("486 Busy", 'Reason: Q.850;cause=17;text="busy"\r\n', ""),
    ("491 Pending", "", ""),
    ("481 Gone", "", ""),
)
REQUESTS = (
    ("INVITE", "Contact: <sip:far@127.0.0.1:6000>\r\n", SDP),
    ("INVITE", "Contact: <sip:far@127.0.0.1>\r\nSupported: timer\r\nx: 90;refresher=uas\r\n", ""),
    ("INVITE", f"Contact: <sip:far@127.0.0.1:6000>\r\n{MIXED}", PARTS),
    ("ACK", "", SDP),
    ("ACK", MIXED, PARTS),
    ("ACK", "", ""),
    ("UPDATE", "Contact: <sip:far@127.0.0.5>\r\nSupported: timer, 100rel\r\n", SDP),
    ("PRACK", "RAck: 1 1 INVITE\r\n", ""),
    ("INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\nDuration=100\r\n"),
    ("OPTIONS", "Require: foo\r\n", ""),
    ("NOTIFY", "Event: refer\r\n", ""),
    ("CANCEL", "", ""),
    ("BYE", "Reason: SIP;cause=200\r\n", ""),
    ("MESSAGE", "", "hello"),
    ("REGISTER", "Contact: <sip:25@127.0.0.1:6000>;expires=60, *\r\nExpires: 60\r\n", ""),
)


def _response(status: str, extra: str, body: str) -> bytes:
    kind = "" if not body or "Content-Type" in extra else "Content-Type: application/sdp\r\n"
    return (
        f"SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport=5060;branch=BRANCH\r\n"
        "From: <sip:7495@127.0.0.1>;tag=OURS\r\nTo: <sip:25@127.0.0.1:6000>;tag=THEIRS\r\n"
        f"Call-ID: CALL\r\nCSeq: NUMBER METHOD\r\n{extra}{kind}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _request(method: str, extra: str, body: str) -> bytes:
    kind = "Content-Type: application/sdp\r\n" if body.startswith("v=") else ""
    return (
        f"{method} sip:callwright@127.0.0.1:5060 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:6000;rport;branch=z9hG4bKFRESH\r\nMax-Forwards: 70\r\n"
        'From: "Far, End" <sip:25@127.0.0.1>;tag=THEIRS\r\nTo: <sip:7495@127.0.0.1>;tag=OURS\r\n'
        f"Call-ID: CALL\r\nCSeq: FRESH {method}\r\n{extra}{kind}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class UserAgent:
    seeds = (
        *(_response(*words) for words in RESPONSES),
        *(_request(*words) for words in REQUESTS),
        b"\r\n\r\n",
    )

    def take(self, data: bytes, chance: random.Random) -> str:
        story = _Story(chance)
        for _ in range(chance.choice((0, 1, 2, 4))):
            story.hear(chance.choice(self.seeds))
        outcome = story.hear(data)
        for _ in range(chance.choice((0, 0, 1, 3))):
            story.hear(chance.choice(self.seeds))
        story.ends()
        return outcome


class _Story:
    """One agent with a call of ours, and perhaps one that comes in."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now = 0.0
        self.facts: list[Fact] = []
        self.calls: dict[LegId, CallLeg] = {}
        self._legs = count(2)
        self._fresh = count(1)
        self._ours: list[tuple[str, str]] = []
        "Branch and method of what we have sent."
        self._tag = ""
        admission = Admission("callwright", b"secret")
        admission.use_trunks([Trunk("in", "127.0.0.1", 6000)])
        admission.use_phones([SipAccount("25", "secret")])
        self.agent = user_agent.UserAgent(
            Identity("127.0.0.1", 5060, "callwright"),
            self._told,
            session_expires=90,
            chance=chance,
            admission=admission,
            called=self._called,
        )
        user = chance.choice((None, "carol"))
        whom = InviteTarget("sip:25@127.0.0.1:6000", FAR, "sip:7495@127.0.0.1")
        self._ring(whom, DigestClient(user, "secret"))

    def _ring(self, whom: InviteTarget, digest: DigestClient) -> None:
        call = self.agent.ring(LegId(1), [whom], digest, MEDIA, self.now)
        self.calls[LegId(1)] = call
        self._flush()

    def hear(self, data: bytes) -> str:
        """Let the agent read a message that belongs to what goes on; name what became of it."""
        branch, method = self.chance.choice(self._ours[-4:])
        fresh = str(next(self._fresh))
        words = {
            b"BRANCH": branch.encode(),
            b"METHOD": method.encode(),
            b"NUMBER": b"1" if method == "INVITE" else fresh.encode(),
            b"FRESH": fresh.encode(),
            b"CALL": self.call_id,
            b"OURS": self._tag.encode(),
            b"THEIRS": self.chance.choice((b"far", b"far", b"fork")),
        }
        data = re.sub(b"|".join(words), lambda found: words[found[0]], data)
        before = self.agent.layer.dropped.copy()
        self.agent.receive(data, FAR, self.now)
        self._flush()
        self._acts()
        self._pass(self.chance.choice((0.0, 0.0, 0.3, 5.0, 50.0)))
        dropped = list(self.agent.layer.dropped - before)
        return dropped[0] if dropped else "taken"

    @property
    def call_id(self) -> bytes:
        return self.calls[LegId(1)].names[0].call_id.encode()

    def _acts(self) -> None:
        """Do, now and then, what a script does."""
        call = self.chance.choice(list(self.calls.values()))
        match self.chance.randrange(12):
            case 0:
                call.hang_up(self.now)
            case 1 if call.keys_by_info and not call.ended:
                call.send_key("5", self.now)
            case 2 | 3 if isinstance(call.invite, InviteServer) and not call.ended:
                call.invite.answer(self.now)
            case 4 if isinstance(call.invite, InviteServer) and not call.ended:
                call.invite.ring_back(self.now)
        self._flush()

    def ends(self) -> None:
        """Hang up everything, let all timers run out, and look at what is left."""
        for call in list(self.calls.values()):
            call.hang_up(self.now)
        self._flush()
        self._pass(400.0)
        layer = self.agent.layer
        assert not layer.waiting(), layer._clients
        assert not layer._clients, layer._clients
        assert not layer._servers, layer._servers
        assert not self.agent._calls, self.agent._calls
        for leg in self.calls:
            told = [fact for fact in self.facts if fact.leg == leg]
            assert [isinstance(fact, LegReleased) for fact in told].count(True) == 1, told
            assert isinstance(told[-1], LegReleased), told

    def _pass(self, seconds: float) -> None:
        until = self.now + seconds
        layer = self.agent.layer
        while (due := layer.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            layer.on_timer(self.now)
            self._flush()
        self.now = until

    def _flush(self) -> None:
        layer = self.agent.layer
        while layer.to_send or layer.to_find:
            while layer.to_find:
                outgoing = layer.to_find.popleft()
                layer.found(outgoing, self.chance.choice(([], [FAR])), self.now)
            while layer.to_send:
                datagram = layer.to_send.popleft()
                try:
                    # Whatever we send, our own reader takes it.
                    sent = parse(datagram.data)
                except Malformed as fault:
                    raise AssertionError(f"we have sent {datagram.data!r}: {fault}") from fault
                if datagram.data[:8] != b"SIP/2.0 ":
                    method = sent.headers["cseq"][0].split()[1]
                    branch = re.search(r"branch=(\S+)", sent.headers["via"][0])
                    assert branch is not None
                    self._ours.append((branch[1], method))
                    found = re.search(r";tag=(\w+)", sent.headers["from"][0])
                    self._tag = self._tag or (found[1] if found else "")

    def _told(self, fact: Fact) -> None:
        self.facts.append(fact)
        if isinstance(fact, LegReleased):
            self.agent.forget(self.calls[fact.leg], self.now)

    def _called(self, arrival: IncomingInvite, now: float) -> None:
        if self.chance.random() < 0.1:
            self.agent.refuse(arrival, 486, "Busy Here")
            return
        leg = LegId(next(self._legs))
        call = self.agent.take(leg, arrival, MEDIA, now)
        if call is not None:
            self.calls[leg] = call


if __name__ == "__main__":
    main(lambda: always(UserAgent()))
