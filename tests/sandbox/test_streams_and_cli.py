"""What a sandbox shows: its events to whoever listens, its table to whoever asks."""

import itertools
import json
import os
import shlex
import subprocess
import sys
from http.client import HTTPConnection
from typing import NoReturn
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from callwright.cli import app
from callwright.cli.terminal import CommandFault
from callwright.sandbox.client import running
from callwright.sandbox.numbers import FAMILIES
from tests.sandbox.test_webhooks import call
from tests.waiting import WITHIN

CLOSED = {
    "type": "stream.closed",
    "code": 4009,
    "reason": "all begins anew, ids too: come back without one",
}


def test_a_stream_has_what_an_advance_tells_of_and_ends_with_a_reset() -> None:
    with running("--clock", "stepped") as sandbox:
        where = urlsplit(sandbox.url)
        stream = HTTPConnection(where.hostname or "", where.port, timeout=WITHIN)
        stream.request("GET", "/events", headers={"Authorization": f"Bearer {sandbox.token}"})
        lines = stream.getresponse()
        call(sandbox, "79000011010")
        told = [event.event_id for event in sandbox.advance(3600)]
        heard: list[str] = []
        while len(heard) < len(told):
            line = lines.readline()
            # The stream tells of itself, too.
            if line.startswith(b"data:") and b'"event_id"' in line:
                heard.append(json.loads(line.removeprefix(b"data:"))["event_id"])
        assert heard == told
        sandbox.reset()
        [closed] = [line for line in lines.read().splitlines() if line.startswith(b"data:")]
        assert json.loads(closed.removeprefix(b"data:")) == CLOSED
        stream.close()


def heard_out(socket: ClientConnection) -> NoReturn:
    while True:
        socket.recv(WITHIN)


def test_a_socket_ends_with_a_reset() -> None:
    with running("--clock", "stepped") as sandbox:
        url = sandbox.url.replace("http", "ws") + "/events"
        token = {"Authorization": f"Bearer {sandbox.token}"}
        with connect(url, additional_headers=token) as socket:
            assert json.loads(socket.recv(WITHIN))["type"] == "stream.opened"
            call(sandbox, "79000012000")
            sandbox.advance(0)
            sandbox.reset()
            with pytest.raises(ConnectionClosed) as end:
                heard_out(socket)
        assert end.value.rcvd
        assert (end.value.rcvd.code, end.value.rcvd.reason) == (CLOSED["code"], CLOSED["reason"])


def test_what_it_prints_can_be_typed() -> None:
    token = "with 'quotes' and [bold]"
    words = ["sandbox", "--port", "0", "--clock", "stepped", "--token", token]
    process = subprocess.Popen(
        [sys.executable, "-m", "callwright", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "80"},
    )
    try:
        assert process.stdout
        shown = list(itertools.takewhile(lambda line: "790000FFPPP" not in line, process.stdout))
        listen, call, advance = (shlex.split(line) for line in shown if line.startswith("curl "))
        header, url = listen[3:]
        stream = urlopen(Request(url, headers=dict([header.split(": ", 1)])), timeout=WITHIN)
        for _, posted, _, body in (call, advance):
            with urlopen(posted, body.encode(), timeout=WITHIN) as response:
                assert "result" in json.load(response)
        assert any(b'"talk.started"' in line for line in stream)
        stream.close()
    finally:
        process.terminate()
        process.communicate(timeout=WITHIN)


def test_the_magic_numbers_are_shown() -> None:
    shown = CliRunner().invoke(app, ["sandbox", "--numbers"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for family in FAMILIES:
        assert family.number in shown.stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--clock", "stepped", "--speed", "2"), "--speed is for a clock that runs"),
        (("--token", ""), "a token has 1 to 255 characters"),
    ],
)
def test_options_that_make_no_sense_are_refused(words: tuple[str, ...], reason: str) -> None:
    refused = CliRunner().invoke(app, ["sandbox", *words])
    assert isinstance(refused.exception, CommandFault)
    assert reason in str(refused.exception)
