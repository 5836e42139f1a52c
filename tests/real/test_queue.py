"""A queue over real SIP and RTP: the position is announced, music is heard, then somebody talks."""

from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from demo.phones import Behaviour, Phone, Softphone
from demo.ports import free_port
from demo.service import service
from tests.phones.tones import find, read
from tests.real.scene import (
    CONTACT,
    CONTACT_TONE,
    EMPLOYEE_TONE,
    MUSIC_TONE,
    THIRD_TONE,
    apply,
    heard,
    scene,
    softphones,
    sounds,
    story,
)
from tests.waiting import WITHIN

pytestmark = pytest.mark.realtime

NUMBER = "74993720692"

SCENARIO = """
[[scenarios]]
id = 1
name = "Line"
[[scenarios.operations]]
do = "queue"
name = "line"
employees = [25]
announcement = "You are number {position} in the queue."
music = 2701
"""


async def spoken(folder: Path, number: int) -> set[Path]:
    """The announcements, as soon as there are so many."""
    with anyio.fail_after(WITHIN):
        while len(found := set((folder / "data" / "speech").rglob("*.wav"))) < number:  # noqa: ASYNC110
            await anyio.sleep(0.03)
    return found


def hears_position_and_music(phone: Phone, announcement: Path) -> None:
    """The announcement to its end, the music, the employee: in that order, nothing cut off."""
    clip = read(announcement)
    found = find(clip, heard(phone))
    assert found.score > 0.8, found
    assert found.whole(clip), found
    assert found.at < 1.0
    after = [part for part in story(phone) if part.start > found.at + len(clip) / 8000 - 0.1]
    tones = [part.sound for part in after if part.sound.endswith("Hz")]
    assert tones == [f"{MUSIC_TONE} Hz", f"{EMPLOYEE_TONE} Hz"]


def test_two_callers_wait_for_one_employee(tmp_path: Path) -> None:
    """The second hears that it is number two, and talks when the first has gone."""

    async def body() -> None:
        employee, first = softphones(
            tmp_path,
            employee=Behaviour(says=EMPLOYEE_TONE, answers_after=3.0),
            contact=Behaviour(says=CONTACT_TONE),
        )
        second = Softphone(tmp_path / "second", Behaviour(says=THIRD_TONE), number="79261111111")
        port = free_port()
        phones = {"2601": second}
        async with scene(tmp_path, employee, first, sip_port=port, extensions=phones) as made:
            path = tmp_path / "directory.toml"
            number = f'number = "{NUMBER}"\n'
            text = path.read_text("utf-8").replace(number, f"{number}scenario = 1\n") + SCENARIO
            path.write_text(text, "utf-8")
            await to_thread.run_sync(apply, tmp_path)
            async with service(tmp_path, made.port):
                called = f"sip:{NUMBER}@127.0.0.1:{port}"
                await first.call(called)
                number_one = await spoken(tmp_path, 1)
                await second.call(called)
                number_two = await spoken(tmp_path, 2) - number_one
                await employee.events.wait("answered", within=WITHIN)
                await anyio.sleep(1.0)
                assert len(employee.events.all("invite")) == 1, "it is talking"
                await first.hang_up()
                await employee.events.wait("recorded", within=WITHIN)
                talked_with_first = sounds(employee)[-1]
                await employee.events.wait("answered", within=WITHIN, number=2)
                await anyio.sleep(1.0)
                await second.hang_up()
                for phone in (first, second):
                    await phone.events.wait("recorded", within=WITHIN)
                await employee.events.wait("recorded", within=WITHIN, number=2)
        callers = [one.details["caller"] for one in employee.events.all("invite")]
        assert callers == [CONTACT, "79261111111"]
        assert talked_with_first == f"{CONTACT_TONE} Hz"
        assert sounds(employee)[-1] == f"{THIRD_TONE} Hz"
        hears_position_and_music(first, number_one.pop())
        hears_position_and_music(second, number_two.pop())

    anyio.run(body)
