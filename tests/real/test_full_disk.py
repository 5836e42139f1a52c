"""A disk that is full: nothing new begins, what is live goes on and ends, and room heals it.

The service is the real program, and its data folder a small file system of its own.
"""

import errno
import os
import sqlite3
import subprocess
import wave
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import pytest

from demo.service import CALLWRIGHT, Api, service
from tests.real.scene import (
    CONTACT_TONE,
    EMPLOYEE_TONE,
    SEED,
    TOKEN,
    Scene,
    scene,
    softphones,
    sounds,
    until,
)
from tests.waiting import WITHIN

pytestmark = pytest.mark.realtime

MEGABYTES = 24


@contextmanager
def small_disk(at: Path) -> Iterator[None]:
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", at],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    with closing(sqlite3.connect(disk / "callwright.db")) as database:
        # Else the log has room in itself, which it would write over first.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as fault:
                if fault.errno != errno.ENOSPC:
                    raise
    assert os.statvfs(disk).f_bavail == 0
    return filler


async def talking(made: Scene, api: Api) -> int:
    session = await made.seed_call(
        api, contact_message=None, employee_message=None, dtmf_string=None
    )
    await told(api, session, "talk_started")
    return session


async def told(api: Api, session: int, event: str) -> None:
    async def is_there() -> bool:
        return (await api.call(session, TOKEN)).first(event) is not None

    await until(is_there)


async def answer_to_start(api: Api) -> object:
    response = await api.client.post("/v4.0", content=SEED)
    assert response.status_code == 200
    return response.json()


async def healthy(api: Api, wanted: dict[str, str]) -> None:
    """Wait until the health is told so."""

    async def is_told() -> bool:
        told = (await api.client.get("/health")).json()
        return bool(told.pop("version")) and told == wanted

    await until(is_told)


async def begun(recordings: Path) -> None:
    """Wait until a recording has more than its header."""

    async def is_heard() -> bool:
        return longest(recordings) > 44

    await until(is_heard)


def longest(recordings: Path) -> int:
    return max((file.stat().st_size for file in recordings.rglob("*.wav")), default=0)


def on_record(disk: Path, session: int) -> str | None:
    """How the session has ended, by the database."""
    with closing(sqlite3.connect(disk / "callwright.db")) as database:
        [(reason,)] = database.execute(
            "SELECT finish_reason FROM call_sessions WHERE id = ?", (session,)
        )
    return reason if reason is None else str(reason)


def test_a_disk_that_fills_up_and_is_emptied(tmp_path: Path) -> None:
    async def body() -> None:
        disk = tmp_path / "data"
        async with scene(tmp_path, *softphones(tmp_path)) as made:
            async with service(tmp_path, made.port) as api:
                live = await talking(made, api)
                await api.ask("record.call", access_token=TOKEN, call_session_id=live, action="on")
                await told(api, live, "recording_started")
                await begun(disk / "recordings")
                filler = fill(disk)

                # The recording ends, and not the call; what there is of it is offered.
                await told(api, live, "recording_ready")
                shown = await api.ask("get.call", access_token=TOKEN, call_session_id=live)
                assert isinstance(shown, dict)
                [ready] = [one for one in shown["timeline"] if one["event"] == "recording_ready"]
                assert ready["fault"] == "No space left on device"
                [offered] = shown["recordings"]
                assert ready["duration"] == offered["duration"] > 0
                file = await api.client.get(offered["file_link"])
                assert file.status_code == 200
                assert len(file.content) > 44

                # Nothing new begins, and nobody is rung; the health tells why.
                await healthy(api, {"status": "failing", "fault": "the disk is full"})
                for _ in range(3):
                    answer = await answer_to_start(api)
                    assert isinstance(answer, dict)
                    error = answer["error"]
                    assert (error["code"], error["data"]["mnemonic"]) == (-32603, "internal_error")
                assert [call["call_session_id"] for call in await listed(api)] == [live]

                # What is live can be commanded, goes on, and ends.
                command = {"access_token": TOKEN, "call_session_id": live}
                message = {"type": "media", "value": "2561"}
                await api.ask("hold.call", **command, contact_message=message)
                await told(api, live, "hold_started")
                await api.ask("unhold.call", **command)
                await told(api, live, "hold_finished")
                await anyio.sleep(1.0)
                await made.contact.hang_up()
                call = await made.finished(api, live)
                assert call.finish_reason == "subscriber_disconnects"
                for phone in (made.employee, made.contact):
                    await phone.events.wait("recorded", within=WITHIN)
                    assert len(phone.events.all("invite")) == 1
                assert sounds(made.contact)[-1] == f"{EMPLOYEE_TONE} Hz"
                assert sounds(made.employee)[-1] == f"{CONTACT_TONE} Hz"
                assert on_record(disk, live) is None, "there is no room for it"
                [recording] = (disk / "recordings").rglob("*.wav")
                with wave.open(str(recording)) as heard:
                    assert heard.getnframes() > 0, "what had been written before can be heard"

                # Room: what has waited is written, and calls begin again.
                filler.unlink()

                async def is_written() -> bool:
                    return on_record(disk, live) == "subscriber_disconnects"

                await until(is_written)
                await healthy(api, {"status": "ok"})
                again = await talking(made, api)
                await made.employee.hang_up()
                call = await made.finished(api, again)
                assert call.finish_reason == "operator_disconnects"
            log = (tmp_path / "callwright.log").read_text("utf-8")
            assert "no call was started: the database does not take it: the disk is full" in log
            assert "Traceback" not in log
            with closing(sqlite3.connect(disk / "callwright.db")) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                unfinished = "SELECT count(*) FROM call_sessions WHERE finished_at IS NULL"
                assert database.execute(unfinished).fetchall() == [(0,)]

            # A service that is started on a full disk says what is wrong, and ends.
            filler = fill(disk)
            with anyio.fail_after(WITHIN):
                done = await anyio.run_process(
                    [str(CALLWRIGHT), "serve", "--config", "callwright.toml"],
                    cwd=tmp_path,
                    check=False,
                )
            assert done.returncode == 1
            said = done.stderr.decode()
            assert said == "callwright: the database cannot be read: the disk is full\n"

            # Where there is room again it starts, and calls begin.
            filler.unlink()
            async with service(tmp_path, made.port) as api:
                live = await talking(made, api)
                await api.ask("release.call", access_token=TOKEN, call_session_id=live)
                await made.finished(api, live)

    with small_disk(tmp_path / "data"):
        anyio.run(body)


async def listed(api: Api) -> list[dict[str, object]]:
    calls = await api.ask("list.calls", access_token=TOKEN)
    assert isinstance(calls, list)
    return calls
