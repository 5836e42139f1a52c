"""Callers as carriers write them: one number in reports, on the blacklist and when called back."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from demo.ports import free_port
from demo.service import Api, service
from tests.engines.sip.guest import SDP, request
from tests.real.scene import TOKEN, apply, scene, softphones, until
from tests.waiting import WITHIN

pytestmark = pytest.mark.realtime

NUMBER, OTHER_OWN = "79261234567", "74993720693"
FORMS = (
    NUMBER,
    f"+{NUMBER}",
    "89261234567",
    "9261234567",
    "0079261234567",
    "81079261234567",
    "8(926)123-45-67",
)
OWN = f"""
[[virtual_numbers]]
number = "{OTHER_OWN}"
"""


class Carrier(asyncio.DatagramProtocol):
    """Sends INVITEs, and waits for what becomes of them."""

    def __init__(self) -> None:
        self.refused: asyncio.Queue[int] = asyncio.Queue()

    def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
        status = int(data.split(b" ", 2)[1])
        if data.startswith(b"SIP/2.0") and status >= 300:
            self.refused.put_nowait(status)

    async def calls(self, to: int, sender: str) -> int:
        """Call as ``sender``, the value of From; return by what it is refused."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0), remote_addr=("127.0.0.1", to)
        )
        invite = request("INVITE", uri=f"sip:{OTHER_OWN}@127.0.0.1:{to}", to=OTHER_OWN, body=SDP)
        host, port = transport.get_extra_info("sockname")[:2]
        there = f"{host}:{port}".encode()
        lines = [
            f"From: {sender};tag=guest".encode() if line.startswith(b"From:") else line
            for line in invite.replace(b"127.0.0.1:6000", there).split(b"\r\n")
        ]
        lines.insert(1, b"Contact: <sip:" + there + b">")
        transport.sendto(b"\r\n".join(lines))
        try:
            return await asyncio.wait_for(self.refused.get(), WITHIN)
        finally:
            transport.close()


async def reported(api: Api, port: int) -> list[str]:
    """The callers that the report of calls tells of."""
    now = datetime.now(UTC).replace(tzinfo=None)
    params = {
        "access_token": TOKEN,
        "date_from": f"{now - timedelta(days=1):%Y-%m-%d %H:%M:%S}",
        "date_till": f"{now + timedelta(days=1):%Y-%m-%d %H:%M:%S}",
        "fields": ["contact_phone_number", "virtual_phone_number"],
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "get.calls_report", "params": params}
    answer = (await api.client.post("/v2.0", json=body)).json()
    return [row["contact_phone_number"] for row in answer["result"]["data"]]


def test_one_caller_is_one_number_whatever_form_a_carrier_writes(tmp_path: Path) -> None:
    async def body() -> None:
        sip_port, carrier = free_port(), Carrier()
        async with scene(tmp_path, *softphones(tmp_path), sip_port=sip_port) as made:
            file = anyio.Path(tmp_path / "directory.toml")
            text = (await file.read_text()).replace(
                'name = "carrier"', 'name = "carrier"\ncountry = "RU"\nuser = "account7"', 1
            )
            await file.write_text(text + OWN)
            await to_thread.run_sync(apply, tmp_path)
            async with service(tmp_path, made.port) as api:
                senders = [f"<sip:{form}@carrier>" for form in FORMS]
                senders.append('"8 926 123-45-67" <sip:account7@carrier>')
                for sender in senders:
                    assert await carrier.calls(sip_port, sender) == 480

                async def all_told() -> bool:
                    return len(await reported(api, made.port)) == len(senders)

                await until(all_told)
                assert set(await reported(api, made.port)) == {NUMBER}

                # Called back from the number he has called, though another stands in the request.
                session = await made.seed_call(
                    api,
                    contact=NUMBER,
                    virtual_phone_usage_rule="fixed_for_numa",
                    employee_message=None,
                    contact_message=None,
                    dtmf_string=None,
                )
                rung = await made.contact.events.wait("invite", within=WITHIN)
                assert rung.details["caller"] == OTHER_OWN
                params = {"access_token": TOKEN, "call_session_id": session}
                await api.ask("release.call", **params)
                await made.finished(api, session)

                # Blocked by one form of it, in whatever form he calls then.
                block = {"access_token": TOKEN, "phone_number": NUMBER}
                body = {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "create.phone_number_to_blacklist",
                    "params": block,
                }
                answer = (await api.client.post("/v2.0", json=body)).json()
                assert "result" in answer, answer
                for sender in senders:
                    assert await carrier.calls(sip_port, sender) == 603

    anyio.run(body)
