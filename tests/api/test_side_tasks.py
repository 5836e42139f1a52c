"""A task that no call needs fails in a running service: the call goes on, and so does the task."""

import threading
from pathlib import Path
from typing import Any

import pytest

from callwright.calls.events import TalkStarted
from callwright.engines.simulated.far_end import answers
from callwright.storage.history import request_log
from callwright.wiring import supervision
from tests.api.house import house
from tests.waiting import WITHIN

CONTACT, EMPLOYEE = "79260000000", "79260000028"
TALK = {
    "first_call": "employee",
    "virtual_phone_number": "74993720692",
    "contact": CONTACT,
    "employee": {"id": 28},
}


@pytest.mark.parametrize("fault", [MemoryError(), OSError(24, "Too many open files")])
def test_a_log_that_fails_ends_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    failed, written = threading.Event(), threading.Event()
    insert = request_log._insert

    def fail_once(*arguments: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise fault
        insert(*arguments)
        written.set()

    monkeypatch.setattr(request_log, "_insert", fail_once)
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.0)
    with house(tmp_path, {CONTACT: answers(after=0.0), EMPLOYEE: answers(after=0.0)}) as home:
        session = home.succeeds("start.employee_call", TALK)["call_session_id"]
        home.wait_for(session, TalkStarted)
        assert failed.wait(WITHIN)
        assert written.wait(WITHIN)
        assert [call["call_session_id"] for call in home.succeeds("list.calls", {})] == [session]
        assert home.data("get.api_requests", {"fields": ["method"]})
