"""Live control over real SIP and RTP: every party sends its own tone; who hears whom is heard."""

import json
import wave
from collections.abc import Mapping
from pathlib import Path

import anyio
import numpy as np
import pytest

from demo.phones import Behaviour, Phone, Softphone
from demo.service import Api
from tests.phones.tones import RATE, Samples, level
from tests.real.scene import (
    COACH_TONE,
    CONTACT_TONE,
    EMPLOYEE_TONE,
    MESSAGE_TONE,
    MUSIC_TONE,
    RINGBACK_TONE,
    THIRD_TONE,
    TOKEN,
    Scene,
    heard,
    real_call,
    sounds,
    story,
    until,
)
from tests.waiting import WITHIN

THIRD, COACH, BUSY = "2601", "2701", "2801"
AUDIBLE = 0.03
"Amplitude from which on a party's tone counts as heard; they send 0.2 and more."


def colleague(folder: Path, number: str, tone: int) -> Softphone:
    behaviour = Behaviour(says=tone, answers_after=0.5)
    return Softphone(folder / number, behaviour, number=number)


async def do(api: Api, session: int, method: str, **params: object) -> None:
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {"access_token": TOKEN, "call_session_id": session, **params},
    }
    response = await api.client.post("/v4.0", content=json.dumps(request))
    answer = response.json()
    assert answer.get("result", {}).get("data") == {"success": "true"}, answer


async def in_state(api: Api, session: int, state: str) -> None:
    async def reached() -> bool:
        return (await api.call(session, TOKEN)).state == state

    await until(reached)


async def talking(made: Scene, api: Api) -> int:
    session = await made.seed_call(
        api, contact_message=None, employee_message=None, dtmf_string=None
    )
    await in_state(api, session, "talk")
    return session


async def over(made: Scene, api: Api, session: int, *phones: Phone) -> None:
    await do(api, session, "release.call")
    await made.finished(api, session)
    for phone in phones:
        await phone.events.wait("recorded", within=WITHIN)


def loud(samples: Samples, tones: Mapping[str, int]) -> set[str]:
    """Whose tones are in a piece of audio."""
    return {who for who, tone in tones.items() if level(samples, tone) > AUDIBLE}


WHO = {"contact": CONTACT_TONE, "employee": EMPLOYEE_TONE, "third": THIRD_TONE, "coach": COACH_TONE}


def who_is_heard(phone: Phone, last: float) -> set[str]:
    """Whose tones a phone heard in its last ``last`` seconds, less the very end."""
    samples = heard(phone)
    return loud(samples[-round(last * RATE) : -round(0.2 * RATE)], WHO)


@pytest.mark.realtime
@pytest.mark.realtime
def test_hold_consult_and_restore(tmp_path: Path) -> None:
    """Nobody hears anybody in hold, A hears music; B and C talk, not A; then A and B again."""

    async def body() -> None:
        third = colleague(tmp_path, THIRD, THIRD_TONE)
        async with real_call(tmp_path, extensions={THIRD: third}) as (made, api):
            session = await talking(made, api)
            await anyio.sleep(1.0)
            message = {"type": "media", "value": "2561"}
            await do(api, session, "hold.call", contact_message=message)
            await anyio.sleep(2.5)
            await do(api, session, "make.call", to=THIRD)
            await in_state(api, session, "operator_talk")
            await anyio.sleep(1.0)
            await do(api, session, "restore.talk")
            await third.events.wait("bye", within=WITHIN)
            await anyio.sleep(1.0)
            await over(made, api, session, made.contact, made.employee, third)
            assert sounds(made.contact) == [
                f"{tone} Hz" for tone in (EMPLOYEE_TONE, MESSAGE_TONE, MUSIC_TONE, EMPLOYEE_TONE)
            ]
            told = [part.sound for part in story(made.employee) if part.sound != "other"]
            assert told == [
                f"{MUSIC_TONE} Hz",
                f"{CONTACT_TONE} Hz",
                "silence",
                f"{RINGBACK_TONE} Hz",
                f"{THIRD_TONE} Hz",
                f"{CONTACT_TONE} Hz",
            ]
            assert sounds(third) == [f"{EMPLOYEE_TONE} Hz"]

    anyio.run(body)


@pytest.mark.realtime
@pytest.mark.realtime
@pytest.mark.parametrize("blind", [False, True])
def test_transfer(tmp_path: Path, blind: bool) -> None:
    """B leaves; A and C talk."""

    async def body() -> None:
        third = colleague(tmp_path, THIRD, THIRD_TONE)
        async with real_call(tmp_path, extensions={THIRD: third}) as (made, api):
            session = await talking(made, api)
            if blind:
                await do(api, session, "transfer.call", to=THIRD)
            else:
                message = {"type": "media", "value": "2561"}
                await do(api, session, "hold.call", contact_message=message)
                await do(api, session, "make.call", to=THIRD)
                await in_state(api, session, "operator_talk")
                await do(api, session, "transfer.talk")
            await made.employee.events.wait("bye", within=WITHIN)
            await in_state(api, session, "talk")
            await anyio.sleep(1.5)
            await over(made, api, session, made.contact, third)
            assert who_is_heard(made.contact, 1.0) == {"third"}
            assert who_is_heard(third, 1.0) == {"contact"}

    anyio.run(body)


def test_blind_transfer_to_a_busy_number(tmp_path: Path) -> None:
    async def body() -> None:
        busy = Softphone(tmp_path / BUSY, Behaviour(busy=True, answers_after=0.1), number=BUSY)
        async with real_call(tmp_path, extensions={BUSY: busy}) as (made, api):
            session = await talking(made, api)
            await do(api, session, "transfer.call", to=BUSY)
            call = await made.finished(api, session)
            assert call.finish_reason == "operator_busy"
            await made.contact.events.wait("bye", within=WITHIN)

    anyio.run(body)


@pytest.mark.realtime
@pytest.mark.realtime
@pytest.mark.parametrize(
    ("mode", "contact_hears", "employee_hears"),
    [
        ("listen", {"employee"}, {"contact"}),
        ("whisper", {"employee"}, {"contact", "coach"}),
        ("barge", {"employee", "coach"}, {"contact", "coach"}),
    ],
)
def test_coach(
    tmp_path: Path, mode: str, contact_hears: set[str], employee_hears: set[str]
) -> None:
    """Only B hears a whisper; and no recording does."""

    async def body() -> None:
        coach = colleague(tmp_path, COACH, COACH_TONE)
        async with real_call(tmp_path, extensions={COACH: coach}) as (made, api):
            session = await talking(made, api)
            await do(api, session, "record.call", action="on")
            await do(api, session, "add.coach", phone_number=COACH, mode=mode)
            await coach.events.wait("answered", within=WITHIN)
            await anyio.sleep(1.5)
            await over(made, api, session, made.contact, made.employee, coach)
            assert who_is_heard(made.contact, 1.0) == contact_hears
            assert who_is_heard(made.employee, 1.0) == employee_hears
            assert who_is_heard(coach, 1.0) == {"contact", "employee"}
            [file] = (tmp_path / "data" / "recordings").glob("*.wav")
            left, right = channels(file)
            assert loud(left[RATE // 4 :], WHO) == {"contact"}
            assert loud(right[RATE // 4 :], WHO) == {"employee"}

    anyio.run(body)


@pytest.mark.realtime
@pytest.mark.realtime
def test_mute(tmp_path: Path) -> None:
    async def body() -> None:
        async with real_call(tmp_path) as (made, api):
            session = await talking(made, api)
            call = await api.call(session, TOKEN)
            employee = next(leg for leg, role in call.roles.items() if role == "employee")
            await do(api, session, "mute.leg", leg_id=employee)
            await anyio.sleep(1.2)
            await over(made, api, session, made.contact, made.employee)
            assert who_is_heard(made.contact, 0.9) == set()
            assert who_is_heard(made.employee, 0.9) == {"contact"}

    anyio.run(body)


@pytest.mark.realtime
@pytest.mark.realtime
def test_a_recording_holds_the_talk_and_nothing_of_the_hold(tmp_path: Path) -> None:
    """Stereo, left A, right B; one file for each stretch of talk."""

    async def body() -> None:
        async with real_call(tmp_path) as (made, api):
            session = await talking(made, api)
            await do(api, session, "record.call", action="on")
            await anyio.sleep(1.5)
            message = {"type": "media", "value": "2561"}
            await do(api, session, "hold.call", contact_message=message)
            await anyio.sleep(1.0)
            await do(api, session, "unhold.call")
            await anyio.sleep(1.0)
            await over(made, api, session)
            call = await api.call(session, TOKEN)
            assert [entry.event for entry in call.timeline].count("recording_ready") == 2
            files = sorted((tmp_path / "data" / "recordings").glob("*.wav"))
            assert len(files) == 2
            for file in files:
                left, right = channels(file)
                assert len(left) / RATE > 0.8
                for samples, tone in ((left, CONTACT_TONE), (right, EMPLOYEE_TONE)):
                    inner = samples[RATE // 5 : -RATE // 10]
                    assert level(inner, tone) > 0.1
                    assert level(inner, MUSIC_TONE) < AUDIBLE
                    assert level(inner, MESSAGE_TONE) < AUDIBLE
                assert level(left, EMPLOYEE_TONE) < AUDIBLE
                assert level(right, CONTACT_TONE) < AUDIBLE

    anyio.run(body)


def channels(file: Path) -> tuple[Samples, Samples]:
    """Left and right of a stereo WAV at 8000 Hz, 16 bit."""
    with wave.open(str(file), "rb") as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (2, 2, RATE)
        samples = np.frombuffer(wav.readframes(wav.getnframes()), "<i2") / 32768
    return samples[0::2], samples[1::2]
