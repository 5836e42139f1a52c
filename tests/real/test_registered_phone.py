"""A phone that registers: rung by its SIP number through the API, and refused when it calls in."""

from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from demo.phones import Baresip, Behaviour
from demo.ports import free_port
from demo.service import run_callwright, service
from tests.real.scene import (
    CONTACT_TONE,
    EMPLOYEE_TONE,
    apply,
    metrics,
    scene,
    softphones,
    sounds,
    until,
)
from tests.waiting import WITHIN

pytestmark = pytest.mark.realtime

REGISTERED = """
[[employees]]
id = 26
full_name = "Борис Кузнецов"
[[employees.phones]]
number = "101"
kind = "sip"
password = "geheim-101"
"""


@pytest.mark.peer("baresip")
def test_a_phone_registers_is_rung_by_its_number_and_calls_in(tmp_path: Path) -> None:
    async def body() -> None:
        port = free_port()
        behaviour = Behaviour(says=CONTACT_TONE, answers_after=0.3, hangs_up_after=2.0)
        phone = Baresip(
            tmp_path / "registered",
            behaviour,
            number="101",
            registrar=f"127.0.0.1:{port}",
            password="geheim-101",
        )
        async with scene(tmp_path, *softphones(tmp_path), sip_port=port) as made:
            with (tmp_path / "directory.toml").open("a") as directory:
                directory.write(REGISTERED)
            async with service(tmp_path, made.port) as api:
                # In a running service: `callwright apply` puts the phone in force. Not at once, and
                # baresip takes no for an answer.
                apply = ("apply", "directory.toml", "--config", "callwright.toml")
                await run_callwright(tmp_path, *apply)

                async def known() -> bool:
                    return (await metrics(made.port)).get("callwright_phones{unregistered}") == 1

                await until(known)
                try:
                    await phone.start()
                    await phone.events.wait("registered", within=WITHIN)
                    shown = await metrics(made.port)
                    assert shown["callwright_phones{registered}"] == 1
                    assert shown["callwright_phones{unregistered}"] == 0
                    assert shown["callwright_trunk_registrations{off}"] == 1
                    assert shown["callwright_trunks{unknown}"] == 1
                    session = await made.seed_call(
                        api,
                        contact="101",
                        employee_message=None,
                        contact_message=None,
                        dtmf_string=None,
                    )
                    rung = await phone.events.wait("invite", within=WITHIN)
                    assert rung.details["caller"] == "74993720692"
                    call = await made.finished(api, session)
                    assert call.finish_reason == "subscriber_disconnects"
                    for one in (phone, made.employee):
                        await one.events.wait("recorded", within=WITHIN)
                    assert f"{EMPLOYEE_TONE} Hz" in sounds(phone)
                    assert sounds(made.employee)[-1] == f"{CONTACT_TONE} Hz"

                    # The number has no scenario: who calls it is refused.
                    await phone.call(f"sip:74993720692@127.0.0.1:{port}")
                    refused = await phone.events.wait("rejected", within=WITHIN)
                    assert refused.details["status"] == 480
                finally:
                    with anyio.CancelScope(shield=True):
                        await phone.stop()
                assert "geheim" not in api.log.read_text("utf-8")

    anyio.run(body)


@pytest.mark.peer("baresip")
def test_a_registered_phone_calls_a_colleague_and_nobody_outside(tmp_path: Path) -> None:
    async def body() -> None:
        port = free_port()
        phone = Baresip(
            tmp_path / "registered",
            Behaviour(says=CONTACT_TONE),
            number="101",
            registrar=f"127.0.0.1:{port}",
            password="geheim-101",
        )
        async with scene(tmp_path, *softphones(tmp_path), sip_port=port) as made:
            with (tmp_path / "directory.toml").open("a") as directory:
                directory.write(REGISTERED)
            await to_thread.run_sync(apply, tmp_path)
            async with service(tmp_path, made.port):
                try:
                    await phone.start()
                    await phone.events.wait("registered", within=WITHIN)
                    await phone.call(f"sip:79260000001@127.0.0.1:{port}")
                    rung = await made.employee.events.wait("invite", within=WITHIN)
                    assert rung.details["caller"] == "101"
                    await phone.events.wait("answered", within=WITHIN)
                    await anyio.sleep(1.0)
                    await phone.hang_up()
                    for one in (phone, made.employee):
                        await one.events.wait("recorded", within=WITHIN)
                    assert f"{EMPLOYEE_TONE} Hz" in sounds(phone)
                    assert f"{CONTACT_TONE} Hz" in sounds(made.employee)

                    for number, (called, status) in enumerate(
                        (("79161234567", 603), ("112", 404), ("8101", 404)), start=1
                    ):
                        await phone.call(f"sip:{called}@127.0.0.1:{port}")
                        refused = await phone.events.wait("rejected", within=WITHIN, number=number)
                        assert refused.details["status"] == status
                        await phone.events.wait("ended", within=WITHIN, number=number + 1)
                    assert made.contact.events.all("invite") == []
                finally:
                    with anyio.CancelScope(shield=True):
                        await phone.stop()

    anyio.run(body)
