"""The whole service with media workers: a call over them, and what becomes of it when one dies."""

import os
import signal
from pathlib import Path

import anyio
import psutil
import pytest

from demo.service import service
from tests.real.scene import (
    CONTACT_TONE,
    metrics,
    real_call,
    scene,
    softphones,
    sounds,
    until,
)
from tests.real.test_stops import gone, service_process, talking
from tests.waiting import WITHIN

pytestmark = pytest.mark.realtime

WORKERS = "[media]\nworkers = 2\n"


def media_workers(port: int) -> list[psutil.Process]:
    return [
        child
        for child in service_process(port).children()
        if "callwright.engines.media.worker" in child.cmdline()
    ]


def test_two_talk_over_a_worker_and_stopping_leaves_no_process(tmp_path: Path) -> None:
    async def body() -> None:
        async with scene(tmp_path, *softphones(tmp_path), settings=WORKERS) as made:
            async with service(tmp_path, made.port) as api:
                session = await talking(made, api)
                processes = [service_process(made.port), *media_workers(made.port)]
                assert len(processes) == 3
                await anyio.sleep(1.0)  # they talk

                async def counted() -> bool:
                    shown = await metrics(made.port)
                    assert shown["callwright_media_workers"] == 2
                    sent = shown["callwright_media_packets_sent_total"]
                    assert shown["callwright_media_packets_late_total"] <= sent
                    return sent > 0

                await until(counted)
                await made.contact.hang_up()
                call = await made.finished(api, session)
                assert call.finish_reason == "subscriber_disconnects"
            for process in processes:
                await gone(process)
        assert f"{CONTACT_TONE} Hz" in " ".join(map(str, sounds(made.employee)))

    anyio.run(body)


def test_a_killed_worker_ends_its_call_and_the_next_one_goes_through(tmp_path: Path) -> None:
    async def body() -> None:
        async with real_call(tmp_path, settings=WORKERS) as (made, api):
            session = await talking(made, api)
            workers = media_workers(made.port)
            # Both legs of a call are on one.
            carrying = [each for each in workers if each.net_connections("udp")]
            assert len(workers) == 2
            assert len(carrying) == 1
            os.kill(carrying[0].pid, signal.SIGKILL)
            call = await made.finished(api, session)
            assert call.finish_reason == "internal_error"
            causes = [entry.cause for entry in call.timeline if entry.event == "leg_ended"]
            assert causes[0] == "engine_lost"
            await made.employee.events.wait("bye", within=WITHIN)
            await made.contact.events.wait("bye", within=WITHIN)

            async def replaced() -> bool:
                return len(media_workers(made.port)) == 2

            await until(replaced)
            assert await talking(made, api)

    anyio.run(body)
