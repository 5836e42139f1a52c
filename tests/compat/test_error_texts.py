"""Errors by their texts, which clients compare: code, mnemonic and words, to the last letter.

Those that need a house of their own (switched off, out of points, from a foreign network) are tried
in tests.api.test_switches and tests.rpc.test_dispatch.
"""

from collections.abc import Iterator

import pytest

from callwright.calls import events
from callwright.engines.simulated.far_end import answers
from tests.api.house import House, house
from tests.compat.errors import ASKED, Asked

NUMBER, OPERATOR, CONTACT = "74993720692", "79260000001", "79260000000"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {number: answers(after=0.01) for number in (OPERATOR, CONTACT)}
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    with house(tmp_path_factory.mktemp("house"), far_ends, api=many) as up:
        yield up


@pytest.fixture(scope="module")
def talk(home: House) -> int:
    """A session in which two talk."""
    params = {
        "first_call": "employee",
        "virtual_phone_number": NUMBER,
        "contact": CONTACT,
        "employee": {"id": 25, "phone_number": OPERATOR},
    }
    session: int = home.succeeds("start.employee_call", params)["call_session_id"]
    home.wait_for(session, events.TalkStarted)
    home.succeeds("tag.call", {"call_session_id": session, "tag_id": 7})
    return session


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.mnemonic} {asked.method}")
def test_the_answer(home: House, talk: int, asked: Asked) -> None:
    if asked.body is not None:
        answer = home.answer(asked.body, path=asked.path)
    else:
        params = {
            name: talk if value == "the talk" else value for name, value in asked.params.items()
        }
        answer = home.call(asked.method, params, path=asked.path)
    error = answer["error"]
    assert error["data"]["mnemonic"] == asked.mnemonic
    assert (error["code"], error["message"]) == (asked.code, asked.message)
    assert error["data"]["params"] == asked.facts
