"""Calls that come in over real SIP and RTP: a scenario is heard, obeyed, and leads to people."""

import wave
from pathlib import Path

import anyio
import numpy as np
import pytest
from anyio import to_thread

from callwright.drawing.call import Call
from demo.phones import Baresip, Behaviour, Phone
from demo.ports import free_port
from demo.service import Api, service
from tests.real.by_hand import ByHand
from tests.real.scene import (
    CONTACT,
    CONTACT_TONE,
    EMPLOYEE_TONE,
    MESSAGE_TONE,
    TOKEN,
    apply,
    scene,
    softphones,
    sounds,
    until,
)
from tests.waiting import WITHIN

pytestmark = pytest.mark.realtime

NUMBER = "74993720692"

SCENARIO = """
[[scenarios]]
id = 1
name = "Reception"
[[scenarios.operations]]
do = "menu"
message = 2561
keys = { 1 = "sales", 2 = "voicemail" }
repeats = 0
timeout = 10
[[scenarios.branches.sales]]
do = "ring"
employees = [25]
[[scenarios.branches.voicemail]]
do = "voicemail"
at_most = 30
"""


async def session_of(api: Api) -> int:
    """The one live session, as soon as there is one."""
    found: list[int] = []

    async def is_there() -> bool:
        listed = await api.ask("list.calls", access_token=TOKEN)
        assert isinstance(listed, list)
        found.extend(call["call_session_id"] for call in listed)
        return bool(found)

    await until(is_there)
    return found[0]


async def calls_in(folder: Path, employee: Phone, contact: Phone, key: str) -> Call:
    """Let the contact call in through the trunk, hear the menu and press a key; then hang up."""
    port = free_port()
    async with scene(folder, employee, contact, sip_port=port) as made:
        path = folder / "directory.toml"
        text = path.read_text("utf-8")
        number = f'number = "{NUMBER}"\n'
        path.write_text(text.replace(number, f"{number}scenario = 1\n") + SCENARIO, "utf-8")
        await to_thread.run_sync(apply, folder)
        async with service(folder, made.port) as api:
            await contact.call(f"sip:{NUMBER}@127.0.0.1:{port}")
            await contact.events.wait("answered", within=WITHIN)
            session = await session_of(api)
            await anyio.sleep(1.0)  # of the menu's 1.5 s
            await contact.press(key)
            if key == "1":
                await employee.events.wait("answered", within=WITHIN)
            await anyio.sleep(2.5)
            await contact.hang_up()
            call = await made.finished(api, session)
            await contact.events.wait("recorded", within=WITHIN)
            if key == "1":
                await employee.events.wait("recorded", within=WITHIN)
            return call


def phones(folder: Path, program: str) -> tuple[Phone, Phone]:
    if program == "softphone":
        return softphones(folder)
    return (
        Baresip(
            folder / "employee",
            Behaviour(says=EMPLOYEE_TONE, answers_after=0.3),
            number="79260000001",
        ),
        Baresip(folder / "contact", Behaviour(says=CONTACT_TONE), number=CONTACT),
    )


PROGRAMS = ["softphone", pytest.param("baresip", marks=pytest.mark.peer("baresip"))]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_caller_hears_the_menu_and_talks_with_the_employee(tmp_path: Path, program: str) -> None:
    async def body() -> None:
        employee, contact = phones(tmp_path, program)
        call = await calls_in(tmp_path, employee, contact, "1")
        assert call.finish_reason == "subscriber_disconnects"
        told = [sound for sound in sounds(contact) if sound != "silence"]
        assert told[0] == f"{MESSAGE_TONE} Hz"
        assert told[-1] == f"{EMPLOYEE_TONE} Hz", "the employee is heard"
        assert sounds(employee)[-1] == f"{CONTACT_TONE} Hz", "and hears the contact"
        rung = employee.events.all("invite")
        assert [one.details["caller"] for one in rung] == [CONTACT], "the employee sees who calls"

    anyio.run(body)


def test_a_caller_without_telephone_events_chooses_by_the_tones_of_its_keys(
    tmp_path: Path,
) -> None:
    """The tones come in the middle of what the caller says, while it hears the menu."""

    async def body() -> None:
        employee, _ = softphones(tmp_path)
        contact = ByHand(tmp_path, number=CONTACT, says=CONTACT_TONE)
        call = await calls_in(tmp_path, employee, contact, "1")
        assert [entry.key for entry in call.timeline if entry.event == "key_received"] == ["1"]
        assert sounds(contact)[-1] == f"{EMPLOYEE_TONE} Hz"

    anyio.run(body)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_caller_leaves_a_voicemail(tmp_path: Path, program: str) -> None:
    async def body() -> None:
        employee, contact = phones(tmp_path, program)
        call = await calls_in(tmp_path, employee, contact, "2")
        assert call.finish_reason == "subscriber_disconnects"
        assert not employee.events.all("invite")
        [file] = (tmp_path / "data" / "recordings").rglob("*.wav")
        with wave.open(str(file)) as recording:
            rate = recording.getframerate()
            sound = np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2")
        left, right = sound[::2], sound[1::2]
        assert 1.0 < len(left) / rate < 3.0
        spectrum = np.abs(np.fft.rfft(left.astype(float)))
        loudest = np.fft.rfftfreq(len(left), 1 / rate)[int(np.argmax(spectrum))]
        assert loudest == pytest.approx(CONTACT_TONE, abs=5)
        assert not right.any()

    anyio.run(body)
