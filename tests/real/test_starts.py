"""The other starts over real SIP and RTP: keys that take a call, messages, phones that lose."""

import json
from collections.abc import Mapping
from pathlib import Path

import anyio
import numpy as np
import pytest

from demo.phones import Behaviour, Softphone
from demo.service import Api
from tests.phones.tones import RATE
from tests.real.scene import (
    CONTACT,
    CONTACT_TONE,
    EMPLOYEE_TONE,
    MESSAGE_LENGTH,
    MESSAGE_TONE,
    MUSIC_TONE,
    THIRD_TONE,
    TOKEN,
    heard,
    real_call,
    sounds,
    story,
)
from tests.waiting import WITHIN

pytestmark = pytest.mark.realtime

OPERATOR = "79260000001"


async def start(api: Api, method: str, params: Mapping[str, object]) -> int:
    common = {"access_token": TOKEN, "virtual_phone_number": "74993720692", "contact": CONTACT}
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**common, **params}}
    response = await api.client.post("/v4.0", content=json.dumps(request))
    answer = response.json()
    session: int = answer["result"]["data"]["call_session_id"]
    return session


def test_an_operator_takes_the_call_by_a_key_sent_as_rfc_4733(tmp_path: Path) -> None:
    """The wrong key changes nothing; the contact is dialled only after the right one."""

    async def body() -> None:
        operator = Behaviour(says=EMPLOYEE_TONE, answers_after=0.3, keys=[(1.0, "4"), (2.0, "5")])
        contact = Behaviour(says=CONTACT_TONE, answers_after=0.3, hangs_up_after=1.5)
        async with real_call(tmp_path, employee=operator, contact=contact) as (made, api):
            params = {"first_call": "operator", "operator": OPERATOR, "operator_confirmation": "5"}
            session = await start(api, "start.simple_call", params)
            call = await made.finished(api, session)
            assert call.finish_reason == "subscriber_disconnects"
            await made.employee.events.wait("recorded", within=WITHIN)
            answered = await made.employee.events.wait("answered", within=WITHIN)
            invited = await made.contact.events.wait("invite", within=WITHIN)
            assert invited.at - answered.at >= 2.0
            # A voice that invites to press, then what every call has.
            before_key = heard(made.employee)[: round(1.9 * RATE)]
            assert np.abs(before_key).max() > 0.1
            assert [part.sound for part in story(made.employee)][-1] == f"{CONTACT_TONE} Hz"

    anyio.run(body)


def test_an_informer_plays_its_message_whole_and_hangs_up(tmp_path: Path) -> None:
    async def body() -> None:
        async with real_call(tmp_path) as (made, api):
            params = {"contact_message": {"type": "media", "value": "2561"}}
            session = await start(api, "start.informer_call", params)
            call = await made.finished(api, session)
            assert call.finish_reason == "success_finish"
            await made.contact.events.wait("recorded", within=WITHIN)
            [message, pause] = story(made.contact)
            assert (message.sound, pause.sound) == (f"{MESSAGE_TONE} Hz", "silence")
            assert message.end - message.start == pytest.approx(MESSAGE_LENGTH, abs=0.1)
            assert pause.end - pause.start == pytest.approx(0.5, abs=0.15)

    anyio.run(body)


def test_the_losers_of_a_group_are_cancelled_or_hung_up(tmp_path: Path) -> None:
    """One rings, one has answered and not pressed: the one who presses has the contact alone."""

    async def body() -> None:
        ringing = Softphone(tmp_path / "2601", Behaviour(answers_after=None), number="2601")
        voicemail = Softphone(
            tmp_path / "2602", Behaviour(says=THIRD_TONE, answers_after=0.1), number="2602"
        )
        operator = Behaviour(says=EMPLOYEE_TONE, answers_after=0.5, keys=[(0.6, "1")])
        contact = Behaviour(says=CONTACT_TONE, answers_after=1.5, hangs_up_after=1.5)
        phones = {"2601": ringing, "2602": voicemail}
        async with real_call(
            tmp_path, employee=operator, contact=contact, extensions=phones, kind="sip"
        ) as (made, api):
            group = {
                "lines_start": 3,
                "phones": [
                    {"number": number, "confirmation": "1"} for number in (*phones, OPERATOR)
                ],
            }
            params = {"first_call": "operator", "operators": [group], "media_file_id": 2701}
            session = await start(api, "start.multi_call", params)
            await ringing.events.wait("cancelled", within=WITHIN)
            await voicemail.events.wait("bye", within=WITHIN)
            call = await made.finished(api, session)
            assert call.finish_reason == "subscriber_disconnects"
            await made.contact.events.wait("recorded", within=WITHIN)
            assert sounds(made.contact) == [f"{EMPLOYEE_TONE} Hz"]
            await made.employee.events.wait("recorded", within=WITHIN)
            told = sounds(made.employee)
            assert told[-2:] == [f"{MUSIC_TONE} Hz", f"{CONTACT_TONE} Hz"]

    anyio.run(body)
