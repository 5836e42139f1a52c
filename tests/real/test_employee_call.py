"""Employee calls over real SIP and RTP: each phone sends its own tone; who hears whom is heard."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from callwright.engines.port import Cause
from callwright.engines.simulated.far_end import (
    Acts,
    Answers,
    HangsUp,
    Rejects,
    Rings,
    SendsEarlyMedia,
)
from demo.phones import Baresip, Behaviour, Phone
from demo.service import service
from tests.phones.tones import read
from tests.real.by_hand import ByHand
from tests.real.scene import (
    CONTACT,
    CONTACT_TONE,
    EARLY_TONE,
    EMPLOYEE_TONE,
    MESSAGE_LENGTH,
    MESSAGE_TONE,
    MUSIC_TONE,
    assert_heard_whole,
    real_call,
    scene,
    softphones,
    sounds,
    story,
)
from tests.waiting import WITHIN

EMPLOYEE = Behaviour(says=EMPLOYEE_TONE, answers_after=0.3)
TALKATIVE_CONTACT = Behaviour(says=CONTACT_TONE, answers_after=1.0, hangs_up_after=5.0)


async def seeds_call(folder: Path, employee: Phone, contact: Phone) -> None:
    """The seed's request byte for byte, sentence by sentence."""
    async with scene(folder, employee, contact) as made, service(folder, made.port) as api:
        session = await made.seed_call(api)
        answered = await employee.events.wait("answered", within=WITHIN)
        rung = await contact.events.wait("invite", within=WITHIN)
        picked_up = await contact.events.wait("answered", within=WITHIN)
        call = await made.finished(api, session)
        for phone in (employee, contact):
            await phone.events.wait("ended", within=WITHIN)
            await phone.events.wait("recorded", within=WITHIN)

        # The employee hears the message to its end before the contact is rung.
        assert rung.at - answered.at >= MESSAGE_LENGTH - 0.05
        told = story(employee)
        expected = [f"{MESSAGE_TONE} Hz", f"{MUSIC_TONE} Hz", f"{CONTACT_TONE} Hz"]
        assert [part.sound for part in told if part.sound != "silence"] == expected
        message = next(part for part in told if part.sound == f"{MESSAGE_TONE} Hz")
        assert message.end - message.start == pytest.approx(MESSAGE_LENGTH, abs=0.1)

        # The contact hears "Привет" to its end although switch_at_once is true; then the employee.
        [spoken] = (folder / "data" / "speech").rglob("*.wav")
        assert_heard_whole(read(spoken), contact)
        assert sounds(contact)[-1] == f"{EMPLOYEE_TONE} Hz"
        assert f"{MUSIC_TONE} Hz" not in sounds(contact)

        # Keys 1, 2, 3, one second apart, each within 40 ms of its time.
        assert [key.key for key in contact.keys] == ["1", "2", "3"]
        for due, key in enumerate(contact.keys, start=1):
            assert abs(key.at - picked_up.at - due) < 0.040 + 0.010, "10 ms for the phone itself"
        assert employee.keys == [], "only the contact gets the keys"

        # One hang-up ends both legs.
        assert call.finish_reason == "subscriber_disconnects"
        assert employee.events.all("bye"), "the employee's phone was told"


@pytest.mark.realtime
def test_the_seeds_call_between_two_softphones(tmp_path: Path) -> None:
    async def body() -> None:
        await seeds_call(tmp_path, *softphones(tmp_path, contact=TALKATIVE_CONTACT))

    anyio.run(body)


@pytest.mark.realtime
@pytest.mark.peer("baresip")
def test_the_seeds_call_between_two_baresips(tmp_path: Path) -> None:
    async def body() -> None:
        await seeds_call(
            tmp_path,
            Baresip(tmp_path / "employee", EMPLOYEE, number="79260000001"),
            Baresip(tmp_path / "contact", TALKATIVE_CONTACT, number=CONTACT),
        )

    anyio.run(body)


@pytest.mark.realtime
def test_contact_first(tmp_path: Path) -> None:
    """The contact hears its message while the employee is rung, then music, then the employee."""

    async def body() -> None:
        employee = replace(EMPLOYEE, answers_after=3.0, hangs_up_after=3.0)
        async with real_call(tmp_path, employee=employee) as (made, api):
            session = await made.seed_call(
                api,
                first_call="contact",
                contact_message={"type": "media", "value": "2561"},
                employee_message=None,
                dtmf_string=None,
                switch_at_once=False,
            )
            answered = await made.contact.events.wait("answered", within=WITHIN)
            rung = await made.employee.events.wait("invite", within=WITHIN)
            assert rung.at - answered.at < 0.2
            call = await made.finished(api, session)
            for phone in (made.contact, made.employee):
                await phone.events.wait("recorded", within=WITHIN)
            assert sounds(made.contact) == [
                f"{MESSAGE_TONE} Hz",
                f"{MUSIC_TONE} Hz",
                f"{EMPLOYEE_TONE} Hz",
            ]
            assert sounds(made.employee) == [f"{CONTACT_TONE} Hz"]
            assert call.finish_reason == "operator_disconnects"

    anyio.run(body)


@pytest.mark.realtime
@pytest.mark.parametrize(("ours", "theirs"), [("PCMA", "PCMU"), ("PCMU", "PCMA")])
def test_phones_that_speak_different_laws_understand_each_other(
    tmp_path: Path, ours: str, theirs: str
) -> None:
    async def body() -> None:
        employee = replace(EMPLOYEE, codec=ours)
        contact = Behaviour(says=CONTACT_TONE, answers_after=0.3, hangs_up_after=2.0, codec=theirs)
        async with real_call(tmp_path, employee=employee, contact=contact) as (made, api):
            session = await made.seed_call(
                api, contact_message=None, employee_message=None, dtmf_string=None
            )
            await made.finished(api, session)
            for phone in (made.contact, made.employee):
                await phone.events.wait("recorded", within=WITHIN)
            assert sounds(made.contact) == [f"{EMPLOYEE_TONE} Hz"]
            assert sounds(made.employee) == [f"{MUSIC_TONE} Hz", f"{CONTACT_TONE} Hz"]

    anyio.run(body)


@pytest.mark.realtime
def test_early_switching(tmp_path: Path) -> None:
    """With early_switching the employee hears the contact's early media as soon as there is any."""

    async def body() -> None:
        acts: Acts = [(1.0, SendsEarlyMedia()), (2.0, Answers()), (1.5, HangsUp())]
        contact = ByHand(tmp_path, acts, says=CONTACT_TONE, early_tone=EARLY_TONE)
        async with real_call(tmp_path, by_hand=contact) as (made, api):
            session = await made.seed_call(
                api,
                early_switching=True,
                contact_message=None,
                employee_message=None,
                dtmf_string=None,
            )
            await made.finished(api, session)
            await made.employee.events.wait("recorded", within=WITHIN)
            told = [part for part in story(made.employee) if part.sound != "silence"]
            assert [part.sound for part in told] == [
                f"{MUSIC_TONE} Hz",
                f"{EARLY_TONE} Hz",
                f"{CONTACT_TONE} Hz",
            ]

    anyio.run(body)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, "subscriber_busy"),
        (404, "subscriber_number_problems"),
        (480, "subscriber_not_responsible"),
        (603, "no_success_subscriber_call"),
        (503, "no_success_subscriber_call"),
    ],
)
def test_a_contact_that_is_not_reached(tmp_path: Path, status: int, reason: str) -> None:
    async def body() -> None:
        refusal = Rejects(Cause.REJECTED, f"{status} Whatever")
        contact = ByHand(tmp_path, [(0.0, Rings()), (0.2, refusal)])
        async with real_call(tmp_path, by_hand=contact) as (made, api):
            session = await made.seed_call(api, employee_message=None)
            call = await made.finished(api, session)
            assert call.finish_reason == reason
            ended = [entry for entry in call.timeline if entry.event == "leg_ended"]
            assert ended[0].raw.startswith(f"{status} ")
            await made.employee.events.wait("bye", within=WITHIN)

    anyio.run(body)


@pytest.mark.realtime
def test_an_employee_that_never_answers(tmp_path: Path) -> None:
    async def body() -> None:
        employee = Behaviour(answers_after=None)
        async with real_call(tmp_path, employee=employee, dial_time=5) as (made, api):
            session = await made.seed_call(api)
            call = await made.finished(api, session)
            assert call.finish_reason == "operator_not_responsible"
            assert call.duration == pytest.approx(5.0, abs=0.5), "the phone's own dial time"
            await made.employee.events.wait("cancelled", within=WITHIN)
            assert made.contact.events.all("invite") == []

    anyio.run(body)
