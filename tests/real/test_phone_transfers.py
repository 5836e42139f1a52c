"""Transfers that a phone asks for by REFER, over real SIP and RTP, by a phone that is not ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from demo.phones import Baresip, Behaviour, Softphone
from demo.service import Api, service
from tests.real.scene import (
    CONTACT_TONE,
    EMPLOYEE_TONE,
    MUSIC_TONE,
    THIRD_TONE,
    Scene,
    scene,
    softphones,
    sounds,
    until,
)
from tests.real.test_control import BUSY, THIRD, colleague, in_state, over, talking
from tests.waiting import WITHIN

pytestmark = [pytest.mark.realtime, pytest.mark.peer("baresip")]


@asynccontextmanager
async def baresip_talks(
    folder: Path,
) -> AsyncIterator[tuple[Scene, Api, Baresip, Softphone, Softphone]]:
    """A baresip talks as employee with a contact; there is a colleague, and one who is busy."""
    employee = Baresip(
        folder / "employee",
        Behaviour(says=EMPLOYEE_TONE, answers_after=0.3),
        number="79260000001",
    )
    _, contact = softphones(folder)
    third = colleague(folder, THIRD, THIRD_TONE)
    busy = Softphone(folder / BUSY, Behaviour(busy=True), number=BUSY)
    async with (
        scene(folder, employee, contact, extensions={THIRD: third, BUSY: busy}) as made,
        service(folder, made.port) as api,
    ):
        yield made, api, employee, contact, third


def test_a_baresip_hands_its_call_over(tmp_path: Path) -> None:
    async def body() -> None:
        async with baresip_talks(tmp_path) as (made, api, employee, contact, third):
            session = await talking(made, api)
            await employee.transfer(f"sip:{THIRD}@callwright")
            await third.events.wait("answered", within=WITHIN)
            await employee.events.wait("ended", within=WITHIN)
            await in_state(api, session, "talk")
            await anyio.sleep(1.0)
            await over(made, api, session, contact, third)
            assert sounds(contact)[-2:] == [f"{MUSIC_TONE} Hz", f"{THIRD_TONE} Hz"]
            assert sounds(third)[-1] == f"{CONTACT_TONE} Hz"

    anyio.run(body)


@pytest.mark.parametrize("to", [BUSY, "79161234567", "+78001234567"])
def test_a_transfer_that_comes_to_nothing_leaves_the_call_as_it_was(
    tmp_path: Path, to: str
) -> None:
    """A colleague who is busy, and numbers outside, which phones may not call."""

    async def body() -> None:
        async with baresip_talks(tmp_path) as (made, api, employee, contact, _):
            session = await talking(made, api)
            await employee.hold()
            await in_state(api, session, "hold")
            await employee.transfer(f"sip:{to}@callwright")

            async def tried() -> bool:
                told = api.log.read_text("utf-8")
                return "may not hand over" in told or "486 Busy Here" in told

            await until(tried)
            await in_state(api, session, "hold")
            await employee.resume()
            await in_state(api, session, "talk")
            await anyio.sleep(1.0)
            await over(made, api, session, contact, employee)
            assert sounds(contact)[-1] == f"{EMPLOYEE_TONE} Hz"

    anyio.run(body)
