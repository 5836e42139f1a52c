"""Hold on a phone, over real SIP and RTP: music for the other, and nobody is lost for it."""

from pathlib import Path

import anyio
import pytest

from demo.phones import Baresip, Behaviour
from demo.service import service
from tests.real.scene import CONTACT, CONTACT_TONE, EMPLOYEE_TONE, MUSIC_TONE, TOKEN, scene, sounds
from tests.real.test_control import in_state, over, talking

pytestmark = [pytest.mark.realtime, pytest.mark.peer("baresip")]

LOST_AFTER = 5


@pytest.mark.parametrize("holder", ["employee", "contact"])
def test_hold_on_a_baresip_is_music_for_the_other(tmp_path: Path, holder: str) -> None:
    async def body() -> None:
        employee = Baresip(
            tmp_path / "employee",
            Behaviour(says=EMPLOYEE_TONE, answers_after=0.3),
            number="79260000001",
        )
        contact = Baresip(tmp_path / "contact", Behaviour(says=CONTACT_TONE), number=CONTACT)
        settings = f"[media]\nlost_after = {LOST_AFTER}\n"
        async with (
            scene(tmp_path, employee, contact, settings=settings) as made,
            service(tmp_path, made.port) as api,
        ):
            session = await talking(made, api)
            holds, waits, tone = employee, contact, EMPLOYEE_TONE
            if holder == "contact":
                holds, waits, tone = contact, employee, CONTACT_TONE
            await holds.hold()
            await in_state(api, session, "hold")
            await anyio.sleep(LOST_AFTER + 2)
            assert (await api.call(session, TOKEN)).state == "hold"
            await holds.resume()
            await in_state(api, session, "talk")
            await anyio.sleep(1)
            await over(made, api, session, employee, contact)
            heard = sounds(waits)
            music = heard.index(f"{MUSIC_TONE} Hz")
            assert f"{tone} Hz" in heard[music:]

    anyio.run(body)
