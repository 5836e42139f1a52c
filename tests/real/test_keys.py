"""Keys that one phone presses, as the other hears them: each of them once, by programs not ours."""

from pathlib import Path

import anyio
import pytest

from callwright.engines.simulated.far_end import Answers
from demo.phones import Baresip, Behaviour
from demo.service import service
from tests.real.by_hand import ByHand
from tests.real.scene import CONTACT, CONTACT_TONE, EMPLOYEE_TONE, scene, until
from tests.real.test_control import over, talking

pytestmark = [pytest.mark.realtime, pytest.mark.peer("baresip")]

KEYS = "112233#"


def test_keys_of_baresip_reach_baresip_each_once(tmp_path: Path) -> None:
    """It sends each packet of a key before audio of the same timestamp, which goes on beside it."""

    async def body() -> None:
        presses = [(0.5 + 0.4 * number, key) for number, key in enumerate(KEYS)]
        behaviour = Behaviour(says=EMPLOYEE_TONE, answers_after=0.3, keys=presses)
        employee = Baresip(tmp_path / "employee", behaviour, number="79260000001")
        behaviour = Behaviour(says=CONTACT_TONE, answers_after=0.0)
        contact = Baresip(tmp_path / "contact", behaviour, number=CONTACT)
        async with (
            scene(tmp_path, employee, contact) as made,
            service(tmp_path, made.port) as api,
        ):
            session = await talking(made, api)

            async def all_heard() -> bool:
                return len(contact.keys) >= len(KEYS)

            await until(all_heard)
            await over(made, api, session, employee, contact)
            assert "".join(key.key for key in contact.keys) == KEYS

    anyio.run(body)


@pytest.mark.parametrize("pause", [0.1, 0.5])
def test_keys_with_a_pause_inside_reach_baresip_each_once(tmp_path: Path, pause: float) -> None:
    """Twinkle says a key's beginning, and then nothing until its end."""

    async def body() -> None:
        employee = ByHand(
            tmp_path, [(0.3, Answers())], number="79260000001", says=EMPLOYEE_TONE, events=True
        )
        behaviour = Behaviour(says=CONTACT_TONE, answers_after=0.0)
        contact = Baresip(tmp_path / "contact", behaviour, number=CONTACT)
        async with (
            scene(tmp_path, employee, contact) as made,
            service(tmp_path, made.port) as api,
        ):
            session = await talking(made, api)
            for key in KEYS.removesuffix("#"):
                await employee.press_with_pause(int(key), pause)
                await anyio.sleep(0.3)

            async def all_heard() -> bool:
                return len(contact.keys) >= len(KEYS) - 1

            await until(all_heard)
            await anyio.sleep(0.5)
            await over(made, api, session, contact)
            assert "".join(key.key for key in contact.keys) + "#" == KEYS

    anyio.run(body)
