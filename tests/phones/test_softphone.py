"""The softphone's SIP: what is lost is sent again, what comes twice counts once."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from demo.phones import Behaviour, Softphone
from demo.phones.driver import PROGRAM
from demo.phones.soft import sip
from demo.phones.soft.sip import Message
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Peer(asyncio.DatagramProtocol):
    """A far end that sends what a test tells it, and nothing else."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[Message] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received.put_nowait(sip.parse(data))

    async def status(self, status: int) -> Message:
        """Take responses until one of that status."""
        async with asyncio.timeout(WITHIN):
            while (response := await self.received.get()).status != status:
                pass
        return response

    def request(
        self, method: str, uri: str, *, branch: str = "", to_tag: str = "", body: str = ""
    ) -> bytes:
        number = {"INVITE": 1, "ACK": 1, "CANCEL": 1, "BYE": 2, "INFO": 3, "OPTIONS": 4}[method]
        return Message(
            method=method,
            uri=uri,
            headers=[
                ("via", f"SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch or sip.new_branch()}"),
                ("from", "<sip:tester@127.0.0.1>;tag=abc"),
                ("to", f"<{uri}>" + (f";tag={to_tag}" if to_tag else "")),
                ("call-id", "one"),
                ("cseq", f"{number} {method}"),
                ("contact", f"<sip:tester@127.0.0.1:{self.port}>"),
                ("record-route", "<sip:127.0.0.1:9;lr>"),
                ("content-type", f"application/{'dtmf-relay' if method == 'INFO' else 'sdp'}"),
            ],
            body=body,
        ).text()


OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 18 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


@asynccontextmanager
async def facing(
    folder: Path, behaviour: Behaviour
) -> AsyncIterator[tuple[Softphone, Peer, asyncio.DatagramTransport]]:
    phone = Softphone(folder, behaviour)
    await phone.start()
    transport, peer = await asyncio.get_running_loop().create_datagram_endpoint(
        Peer, local_addr=("127.0.0.1", 0), remote_addr=sip.address_of(phone.uri)
    )
    try:
        yield phone, peer, transport
    finally:
        transport.close()
        await phone.stop()


async def test_a_repeated_invite_is_one_call(tmp_path: Path) -> None:
    async with facing(tmp_path, Behaviour(answers_after=None)) as (phone, peer, line):
        invite = peer.request("INVITE", phone.uri, branch="z9hG4bK1", body=OFFER)
        line.sendto(invite)
        first = await peer.status(180)
        line.sendto(invite)
        again = await peer.status(180)
        assert first.text() == again.text()
        assert len(phone.events.all("invite")) == 1
        line.sendto(peer.request("CANCEL", phone.uri, branch="z9hG4bK1"))
        await peer.status(487)
        line.sendto(peer.request("ACK", phone.uri, branch="z9hG4bK1"))
        await phone.events.wait("ended", within=WITHIN)


async def test_an_answer_is_repeated_until_it_is_acknowledged(tmp_path: Path) -> None:
    async with facing(tmp_path, Behaviour()) as (phone, peer, line):
        line.sendto(peer.request("INVITE", phone.uri, body=OFFER))
        answer = await peer.status(200)
        assert (await peer.status(200)).text() == answer.text()
        assert answer.one("record-route") == "<sip:127.0.0.1:9;lr>"
        assert "m=audio" in answer.body
        assert "RTP/AVP 8 101\r\n" in answer.body
        tag = sip.parameter(answer.one("to"), "tag")
        line.sendto(peer.request("ACK", phone.uri, to_tag=tag))
        await phone.events.wait("ack", within=WITHIN)
        bye = peer.request("BYE", phone.uri, branch="z9hG4bK2", to_tag=tag)
        line.sendto(bye)
        line.sendto(bye)
        for _ in range(2):
            while (await peer.status(200)).sequence != (2, "BYE"):
                pass
        await phone.events.wait("ended", within=WITHIN)
        assert len(phone.events.all("bye")) == 1
        assert len(phone.events.all("answered")) == 1


async def test_a_key_by_info_counts(tmp_path: Path) -> None:
    async with facing(tmp_path, Behaviour()) as (phone, peer, line):
        line.sendto(peer.request("INVITE", phone.uri, body=OFFER))
        tag = sip.parameter((await peer.status(200)).one("to"), "tag")
        line.sendto(peer.request("ACK", phone.uri, to_tag=tag))
        line.sendto(
            peer.request("INFO", phone.uri, to_tag=tag, body="Signal=7\r\nDuration=100\r\n")
        )
        key = await phone.events.wait("key", within=WITHIN)
        assert key.details == {"key": "7", "how": "info"}
        line.sendto(peer.request("BYE", phone.uri, to_tag=tag))
        await phone.events.wait("ended", within=WITHIN)


@pytest.mark.parametrize(
    ("method", "status"), [("BYE", 481), ("INFO", 481), ("CANCEL", 481), ("OPTIONS", 200)]
)
async def test_a_request_outside_a_call(tmp_path: Path, method: str, status: int) -> None:
    async with facing(tmp_path, Behaviour()) as (phone, peer, line):
        line.sendto(peer.request(method, phone.uri))
        await peer.status(status)


async def test_an_offer_without_a_common_codec_is_refused(tmp_path: Path) -> None:
    async with facing(tmp_path, Behaviour()) as (phone, peer, line):
        line.sendto(peer.request("INVITE", phone.uri, body=OFFER.replace("18 8 101", "18 101")))
        await peer.status(488)
        rejected = await phone.events.wait("rejected", within=WITHIN)
        assert rejected.details["status"] == 488


async def test_nonsense_does_no_harm(tmp_path: Path) -> None:
    async with facing(tmp_path, Behaviour()) as (phone, peer, line):
        for junk in (b"\0" * 100, b"INVITE\r\n\r\n", b"SIP/2.0 xyz OK\r\n\r\n", b"\xff" * 2000):
            line.sendto(junk)
        await phone.events.wait("malformed", within=WITHIN, number=4)
        line.sendto(peer.request("OPTIONS", phone.uri))
        await peer.status(200)


@pytest.mark.peer("sipp")
async def test_sipp_s_own_caller_is_content(tmp_path: Path) -> None:
    phone = Softphone(tmp_path / "phone", Behaviour(answers_after=0.2))
    await phone.start()
    try:
        host, port = sip.address_of(phone.uri)
        sipp = await asyncio.create_subprocess_exec(
            "sipp", "-sn", "uac", f"{host}:{port}", "-i", "127.0.0.1", "-m", "2", "-l", "1",
            "-d", "300", "-nostdin", "-timeout", f"{WITHIN:.0f}", "-timeout_error",
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert await asyncio.wait_for(sipp.wait(), WITHIN) == 0
        await phone.events.wait("ended", within=WITHIN, number=2)
    finally:
        await phone.stop()


def test_the_program_explains_itself_from_any_folder(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, str(PROGRAM), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--answers-after" in told.stdout
