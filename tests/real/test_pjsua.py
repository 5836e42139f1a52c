"""Attended transfers by PJSIP: it joins two calls of its own by a REFER with Replaces."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from demo.phones import Softphone
from demo.ports import free_port
from demo.service import Api, service
from tests.real.pjsua import Pjsua, pjsua
from tests.real.scene import (
    CONTACT_TONE,
    EMPLOYEE_TONE,
    MUSIC_TONE,
    Scene,
    apply,
    scene,
    softphones,
    sounds,
)
from tests.real.test_control import in_state, over
from tests.real.test_registered_phone import REGISTERED

pytestmark = [pytest.mark.realtime, pytest.mark.peer("pjsua2")]

ANNA, OUTSIDE = "79260000001", "79161234567"


@asynccontextmanager
async def pjsua_talks(
    folder: Path, *, calls_out: bool = False
) -> AsyncIterator[tuple[Scene, Api, int, Pjsua, Softphone, Softphone]]:
    """A pjsua talks with the contact of a session, and could ask Anna."""
    port = free_port()
    anna, contact = softphones(folder)
    async with scene(folder, anna, contact, sip_port=port) as made:
        employee = REGISTERED.replace("id = 26", f"id = 26\ncalls_out = {str(calls_out).lower()}")
        with (folder / "directory.toml").open("a") as directory:
            directory.write(employee)
        await to_thread.run_sync(apply, folder)
        async with (
            service(folder, made.port) as api,
            pjsua(
                number="101",
                password="geheim-101",
                registrar=f"127.0.0.1:{port}",
            ) as phone,
        ):
            session = await made.seed_call(
                api,
                employee={"id": 26},
                employee_message=None,
                contact_message=None,
                dtmf_string=None,
            )
            await in_state(api, session, "talk")
            yield made, api, session, phone, anna, contact


def test_a_pjsua_hands_the_contact_over_to_whom_it_has_asked(tmp_path: Path) -> None:
    async def body() -> None:
        async with pjsua_talks(tmp_path) as (made, api, session, phone, anna, contact):
            await anyio.sleep(1.0)
            phone.do("hold 1")
            await in_state(api, session, "hold")
            phone.do(f"call sip:{ANNA}@{phone.registrar}")
            await phone.told("confirmed", 2)
            await anyio.sleep(1.0)
            phone.do("join 1 2")
            for call in (1, 2):
                await phone.told("disconnected", call)
            told = phone.events.all("transfer")[-1].details
            assert (told["status"], told["final"]) == (200, True)
            await in_state(api, session, "talk")
            await anyio.sleep(1.0)
            await over(made, api, session, contact, anna)
            assert sounds(contact)[-2:] == [f"{MUSIC_TONE} Hz", f"{EMPLOYEE_TONE} Hz"]
            assert sounds(anna)[-1] == f"{CONTACT_TONE} Hz"

    anyio.run(body)


@pytest.mark.parametrize("calls_out", [False, True])
def test_a_pjsua_calls_outside_where_the_file_lets_its_employee(
    tmp_path: Path, calls_out: bool
) -> None:
    async def body() -> None:
        async with pjsua_talks(tmp_path, calls_out=calls_out) as (made, api, session, phone, *two):
            phone.do("hold 1")
            await in_state(api, session, "hold")
            phone.do(f"call sip:{OUTSIDE}@{phone.registrar}")
            await phone.told("disconnected", 2)
            [ended] = [
                one.details for one in phone.events.all("disconnected") if one.details["call"] == 2
            ]
            # The one phone behind the trunk is the contact's, who is talking.
            assert ended["status"] == (486 if calls_out else 603)
            await over(made, api, session, two[1])

    anyio.run(body)
