"""Errors by their texts, which clients compare: code, mnemonic and words, to the last letter.

Typed off the contract, misspellings included, and not made of the definitions in the code.
"""

from collections.abc import Iterator

import pytest

from callwright.calls import events
from callwright.engines.simulated import answers
from callwright.methods.errors import ERRORS, ApiError, NumberWithoutScenario
from tests.api.house import DIRECTORY, House, house
from tests.compat.errors import ASKED, TABLE, Asked

NUMBER, OPERATOR, CONTACT = "74993720692", "79260000001", "79260000000"


@pytest.mark.parametrize(("mnemonic", "code", "template"), TABLE)
def test_the_definition(mnemonic: str, code: int, template: str) -> None:
    error: type[ApiError] = ERRORS[mnemonic]
    if code == -32007 and mnemonic == "scenario_not_found":
        error = NumberWithoutScenario
    if code != error.code:
        assert code in error.code_in.values()
    assert error.message == template


def test_every_published_mnemonic_is_listed() -> None:
    ours = {
        "invalid_idempotency_key",
        "idempotency_key_conflict",
        "direction_not_allowed",
    }
    listed = {mnemonic for mnemonic, _, _ in TABLE}
    assert ours | listed >= set(ERRORS)
    assert listed <= set(ERRORS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {number: answers(after=0.01) for number in (OPERATOR, CONTACT)}
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    with house(tmp_path_factory.mktemp("house"), far_ends, api=many) as up:
        # A number whose scenario is none, and one whose coach is.
        up.apply(DIRECTORY)
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
