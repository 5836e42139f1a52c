import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.calls.events import Event, LegAnswered, LegEnded, SessionEvent
from callwright.storage.history.event_codec import decode, encode
from tests.storage.stories import CAPTION, later, started

KINDS: list[type[SessionEvent]] = list(get_args(SessionEvent))

MOMENTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@pytest.fixture(autouse=True, scope="module")
def storable() -> Iterator[None]:
    """Draw what an event may hold: texts of whole characters, and numbers that are numbers."""
    st.register_type_strategy(str, TEXTS)
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    yield
    st.register_type_strategy(str, st.text())
    st.register_type_strategy(float, st.floats())


def through_json(event: SessionEvent) -> SessionEvent | None:
    kind, fields = encode(event)
    stored = json.dumps(fields, allow_nan=False)
    stored.encode()
    return decode(event.session, event.sequence, kind, json.loads(stored))


def test_every_event_is_a_kind() -> None:
    # By name: a class with slots is made twice, and both are subclasses.
    names = {kind.__name__ for kind in Event.__subclasses__()}
    assert {kind.__name__ for kind in KINDS} == names


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=25)
def test_every_event_comes_back_as_it_was(kind: type[SessionEvent], data: st.DataObject) -> None:
    drawn: st.SearchStrategy[SessionEvent] = st.builds(kind, time=MOMENTS)
    event = data.draw(drawn)
    assert through_json(event) == event


def test_what_no_database_takes_is_replaced() -> None:
    ended = later(1)[8]
    assert isinstance(ended, LegEnded)
    back = through_json(replace(ended, raw="486 \ud83d\x00Busy"))
    assert back == replace(ended, raw="486 \ufffd\ufffdBusy")

    assert through_json(started(1, replace(CAPTION, external_id="\udc00"))) == started(
        1, replace(CAPTION, external_id="\ufffd")
    )


def test_an_event_of_a_later_version_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert decode(later(7)[0].session, 3, "PhoneExploded", {}) is None
    assert "7: event 3 is of the unknown kind 'PhoneExploded'" in caplog.text


def test_an_event_with_a_field_missing_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    answered = later(7)[2]
    assert isinstance(answered, LegAnswered)
    kind, fields = encode(answered)
    del fields["leg"]
    assert decode(answered.session, 4, kind, fields) is None
    assert "event 4, LegAnswered, cannot be read" in caplog.text
