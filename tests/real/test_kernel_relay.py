"""The whole service, with talks in the kernel, between phones that are not ours."""

from pathlib import Path

import anyio
import pytest

from tests.real.scene import (
    CONTACT_TONE,
    EMPLOYEE_TONE,
    metrics,
    real_call,
    sounds,
    until,
)
from tests.real.test_stops import talking
from tests.waiting import WITHIN

pytestmark = [pytest.mark.realtime, pytest.mark.kernel_relay]


@pytest.mark.parametrize("workers", [0, 2])
def test_two_hear_each_other_by_the_kernel(tmp_path: Path, workers: int) -> None:
    async def body() -> None:
        settings = f'[media]\nworkers = {workers}\nkernel_relay = "on"\n'
        async with real_call(tmp_path, settings=settings) as (made, api):
            session = await talking(made, api)

            async def both_ways() -> bool:
                shown = await metrics(made.port)
                return shown["callwright_media_kernel_streams"] == 2

            await until(both_ways)
            await made.contact.hang_up()
            call = await made.finished(api, session)
            assert call.finish_reason == "subscriber_disconnects"

            async def none() -> bool:
                return (await metrics(made.port))["callwright_media_kernel_streams"] == 0

            await until(none)
            await made.employee.events.wait("recorded", within=WITHIN)
        for phone, other in ((made.employee, CONTACT_TONE), (made.contact, EMPLOYEE_TONE)):
            assert f"{other} Hz" in " ".join(map(str, sounds(phone)))

    anyio.run(body)
