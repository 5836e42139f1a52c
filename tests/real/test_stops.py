"""What becomes of calls when something stops: a phone, the service, the machine under it."""

import os
import signal
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import anyio
import psutil
import pytest

from callwright.storage.history.heartbeat import last_beat
from callwright.wiring.service import HEARTBEAT
from demo.phones.driver import Driver
from demo.ports import free_port
from demo.service import Api, service
from tests.real.scene import TOKEN, Scene, real_call, scene, softphones, until
from tests.waiting import WITHIN


async def talking(made: Scene, api: Api) -> int:
    """Start the call and wait until the two talk."""
    session = await made.seed_call(
        api, contact_message=None, employee_message=None, dtmf_string=None
    )

    async def talk() -> bool:
        return (await api.call(session, TOKEN)).first("talk_started") is not None

    await until(talk)
    return session


def service_process(port: int) -> psutil.Process:
    """The service's process: the child of ours that listens on its HTTP port."""
    for child in psutil.Process().children(recursive=True):
        for connection in child.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                return child
    raise AssertionError(f"nothing of ours listens on {port}")


async def gone(process: psutil.Process) -> None:
    """Wait until a process of the demo's has ended (who started it takes its status)."""

    async def ended() -> bool:
        return not process.is_running()

    await until(ended)


async def live_calls(api: Api) -> object:
    request = {"jsonrpc": "2.0", "id": 1, "method": "list.calls"}
    response = await api.client.post("/v4.0", json=request | {"params": {"access_token": TOKEN}})
    return response.json()["result"]["data"]


def test_sigterm_in_mid_call_says_goodbye_to_both_phones(tmp_path: Path) -> None:
    async def body() -> None:
        async with scene(tmp_path, *softphones(tmp_path)) as made:
            async with service(tmp_path, made.port) as api:
                session = await talking(made, api)
                process = service_process(made.port)
                process.send_signal(signal.SIGTERM)
                await made.employee.events.wait("bye", within=WITHIN)
                await made.contact.events.wait("bye", within=WITHIN)
                await gone(process)
            async with service(tmp_path, made.port) as api:
                call = await api.call(session, TOKEN)
                assert call.finish_reason == "internal_error"
                assert call.verdict
                assert call.verdict.detail == "the service was stopped"

    anyio.run(body)


def test_sigterm_lets_a_live_call_go_on_for_a_while(tmp_path: Path) -> None:
    """Draining: no new calls, /health says so, live ones go on up to the limit."""

    async def body() -> None:
        settings = "[media]\nlost_after = 30\n"
        async with scene(tmp_path, *softphones(tmp_path), settings=settings) as made:
            file = tmp_path / "callwright.toml"
            file.write_text(file.read_text().replace("drain_within = 0", "drain_within = 60"))
            async with service(tmp_path, made.port) as api:
                session = await talking(made, api)
                process = service_process(made.port)
                process.send_signal(signal.SIGTERM)

                async def draining() -> bool:
                    return (await api.client.get("/health")).status_code == 503

                await until(draining)
                with pytest.raises(Exception, match="internal_error"):
                    await made.seed_call(api)
                assert (await api.call(session, TOKEN)).verdict is None
                await made.contact.hang_up()
                await made.employee.events.wait("bye", within=WITHIN)
                await gone(process)

    anyio.run(body)


def test_after_sigkill_no_session_is_live_and_the_record_says_why(tmp_path: Path) -> None:
    async def body() -> None:
        async with scene(tmp_path, *softphones(tmp_path)) as made:
            async with service(tmp_path, made.port) as api:
                session = await talking(made, api)
                began, beats = datetime.now(UTC), tmp_path / "data" / HEARTBEAT

                async def known_to_live() -> bool:
                    beat = last_beat(beats)
                    return beat is not None and beat > began

                await until(known_to_live)
                process = service_process(made.port)
                os.kill(process.pid, signal.SIGKILL)
                await gone(process)
            async with service(tmp_path, made.port) as api:
                assert await live_calls(api) == []
                call = await api.call(session, TOKEN)
                assert call.finish_reason == "internal_error"
                assert call.verdict
                assert call.verdict.detail == "the service was restarted"
                assert call.verdict.talk_duration > 0, "also of a call that is not recorded"
                assert call.state == "finished"
                ended = [entry for entry in call.timeline if entry.event == "leg_ended"]
                assert len(ended) == 2

    anyio.run(body)


def test_after_sigkill_both_phones_are_hung_up_by_the_next_start(tmp_path: Path) -> None:
    """Choreography 8: no leg is left connected, also after a crash and restart of the service."""

    async def body() -> None:
        async with scene(tmp_path, *softphones(tmp_path), sip_port=free_port()) as made:
            async with service(tmp_path, made.port) as api:
                await talking(made, api)
                process = service_process(made.port)
                os.kill(process.pid, signal.SIGKILL)
                await gone(process)
            assert made.employee.events.all("bye") == []
            assert made.contact.events.all("bye") == []
            async with service(tmp_path, made.port):
                await made.employee.events.wait("bye", within=WITHIN)
                await made.contact.events.wait("bye", within=WITHIN)
            # They are forgotten: a third start has nobody to say good-bye to.
            async with service(tmp_path, made.port):
                pass
            assert len(made.employee.events.all("bye")) == 1
            assert len(made.contact.events.all("bye")) == 1

    anyio.run(body)


def test_a_phone_that_vanishes_in_mid_call(tmp_path: Path) -> None:
    async def body() -> None:
        settings = "[media]\nlost_after = 1.0\n"
        async with real_call(tmp_path, settings=settings) as (made, api):
            session = await talking(made, api)
            assert isinstance(made.employee, Driver)
            os.kill(made.employee.pid, signal.SIGKILL)
            call = await made.finished(api, session)
            assert call.finish_reason == "operator_disconnects"
            await made.contact.events.wait("bye", within=WITHIN)

    anyio.run(body)


def test_a_locked_database_refuses_calls_and_rings_nobody(tmp_path: Path) -> None:
    async def body() -> None:
        async with real_call(tmp_path) as (made, api):
            lock = sqlite3.connect(tmp_path / "data" / "callwright.db", isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            try:
                with pytest.raises(Exception, match="internal_error"):
                    await made.seed_call(api)
            finally:
                lock.execute("ROLLBACK")
                lock.close()
            assert await live_calls(api) == []
            log = (tmp_path / "callwright.log").read_text()
            assert "it is locked by another program" in log
            assert made.employee.events.all("invite") == []
            # The next one goes through as if nothing had been.
            session = await talking(made, api)
            assert session
            assert len(made.employee.events.all("invite")) == 1

    anyio.run(body)


def test_a_taken_sip_port_is_told_in_one_line(tmp_path: Path) -> None:
    async def body() -> None:
        employee, contact = softphones(tmp_path)
        async with scene(tmp_path, employee, contact, settings="") as made:
            port = contact.uri.rpartition(":")[2]
            file = tmp_path / "callwright.toml"
            file.write_text(file.read_text().replace("[sip]\nport = 0", f"[sip]\nport = {port}"))
            with pytest.raises(Exception, match="use") as told:
                async with service(tmp_path, made.port):
                    raise AssertionError("it came up")
            assert "Traceback" not in str(told.value)
            assert port in str(told.value)

    anyio.run(body)
