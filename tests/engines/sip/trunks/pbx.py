"""A PBX on a real socket that knows its phones by the user in From, and then by their password.

As Asterisk is by default, seen on the wire: whoever shows an unknown user in From is challenged
again and again, however right his answers are.
"""

import asyncio
import hashlib
import re
from types import TracebackType
from typing import Self

import sipmessage

from callwright.engines.network import Trunk
from tests.engines.sip.phone import SDP
from tests.engines.sip.world import reply
from tests.waiting import WITHIN

PASSWORD = "unsecurepassword"
CHALLENGE = 'WWW-Authenticate: Digest realm="asterisk",nonce="n1",algorithm=MD5,qop="auth"'


class Pbx(asyncio.DatagramProtocol):
    """Answers whatever its one phone, 6001, asks."""

    def __init__(self) -> None:
        self.known = {"6001"}
        "Users it finds a phone for."
        self.last: dict[str, sipmessage.Request] = {}
        "By method, the latest request it has taken."
        self._more = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._socket, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        self.port: int = self._socket.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    @property
    def trunk(self) -> Trunk:
        return Trunk("pbx", "127.0.0.1", self.port, user="6001", password=PASSWORD, register=True)

    async def answered(self, method: str) -> None:
        async with asyncio.timeout(WITHIN):
            while method not in self.last:
                self._more.clear()
                await self._more.wait()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = sipmessage.Message.parse(data)
        assert isinstance(request, sipmessage.Request)
        if request.method == "ACK":
            return
        self._socket.sendto(self._answer(request), addr)

    def _answer(self, request: sipmessage.Request) -> bytes:
        in_dialog = "tag=" in request.headers["To"]
        if not in_dialog and not self._proves(request):
            return reply(request, 401, "Unauthorized", contact=None, extra=[CHALLENGE])
        self.last[request.method] = request
        self._more.set()
        contact = f"<sip:pbx@127.0.0.1:{self.port}>"
        if request.method == "REGISTER":
            contact = f"<{request.contact[0].uri}>;expires=300"
        sdp = SDP.format(kind="IP4", host="127.0.0.1", port=40000)
        return reply(
            request, 200, "OK", contact=contact, sdp=sdp if request.method == "INVITE" else ""
        )

    def _proves(self, request: sipmessage.Request) -> bool:
        if request.from_address.uri.user not in self.known:
            return False
        answer = request.headers.get("Authorization")
        if answer is None:
            return False
        words = dict(re.findall(r'(\w+)="?([^",]*)"?', answer))
        one = _md5(f"6001:asterisk:{PASSWORD}")
        two = _md5(f"{request.method}:{request.uri}")
        wanted = _md5(f"{one}:n1:{words['nc']}:{words['cnonce']}:auth:{two}")
        return (words["username"], words["response"]) == ("6001", wanted)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
