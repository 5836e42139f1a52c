"""Somebody listens to a real service that is killed: nothing is missed, and nothing told twice."""

import subprocess
from pathlib import Path

from tests.api.listener import Message, by_lines, by_socket, until
from tests.notify.test_killed import CALLWRIGHT, DIRECTORY, SETTINGS, TOKEN, serving, told

LAST = "session.finished"


def test_a_listener_misses_nothing_of_a_service_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "callwright.toml").write_text(SETTINGS, "utf-8")
    (tmp_path / "directory.toml").write_text(DIRECTORY, "utf-8")
    for command in ("init", "apply"):
        subprocess.run([CALLWRIGHT, command], cwd=tmp_path, check=True, capture_output=True)

    heard: list[Message] = []
    last = "0"
    for listening, kind in ((by_lines, "leg.started"), (by_socket, "leg.answered")):
        with serving(tmp_path) as service:
            begun = [service.start(f"7926000010{n}") for n in range(4)]
            with listening(service.url, after=last, token=TOKEN) as read:
                assert read()["type"] == "stream.opened"
                # Killed in the middle of calls, with some of their events told and others not.
                heard += until(read, kind, begun[-1])
        last = heard[-1]["id"]
    expected = told(tmp_path)
    with serving(tmp_path) as service, by_lines(service.url, after=last, token=TOKEN) as read:
        assert read()["type"] == "stream.opened"
        end = until(read, LAST, begun[-1])
        while {one["call_session_id"] for one in heard + end if one["type"] == LAST} < set(
            expected
        ):
            end += until(read, LAST)
        heard += end
        closed = told(tmp_path)
    assert len(closed) == 8
    places = [int(event.pop("id")) for event in heard]
    assert places == sorted(set(places))
    for session, events in closed.items():
        assert [event for event in heard if event["call_session_id"] == session] == events
        assert events[-1]["data"]["detail"] == "the service was restarted"
