"""Calls cut off by a crash: what is remembered of them, and that they get a BYE."""

import asyncio
import json
import logging
import shutil
import stat
import threading
import zlib
from pathlib import Path

import pytest

from callwright.config import SipSettings
from callwright.engines.network import Trunk
from callwright.engines.port import Address, LegConnected, LegId, LegReleased
from callwright.engines.simulated.far_end import Answers
from callwright.engines.sip import driver, instance, journal_file
from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.dialog.dialog_journal import OpenDialog
from callwright.engines.sip.instance import instance_of
from callwright.engines.sip.journal_file import SLACK, JournalFile
from callwright.engines.sip.transaction.transactions import Timing
from callwright.engines.sip.wire.hop import Hop, Transport, Trust
from tests.engines.sip.challenges import challenge, proves
from tests.engines.sip.desk import running, to
from tests.engines.sip.phone import Phone
from tests.engines.sip.world import FAR, SDP, World, answered, ask, reply
from tests.waiting import WITHIN

A = LegId(1)
CALLER = "74993720692"
SETTINGS = SipSettings(port=0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def leftover(number: int = 1, *, trunk: str | None = None, line: Hop | None = None) -> OpenDialog:
    dialog = Dialog(
        call_id=f"call-{number}@h",
        local='"Анна" <sip:us@h>;tag=us',
        remote="<sip:far@127.0.0.1>;tag=far",
        local_tag="us",
        remote_tag="far",
        target="sip:far@127.0.0.1:6000",
        cseq=7,
        route_set=["<sip:127.0.0.2;lr>", "<sip:127.0.0.3;lr>"],
    )
    return OpenDialog(dialog, line, trunk)


def journal_at(path: Path) -> JournalFile:
    """The journal of the instance that `running` starts."""
    return JournalFile(path, instance_of(path.parent, SETTINGS))


def written(path: Path, *calls: OpenDialog, closed: tuple[OpenDialog, ...] = ()) -> None:
    async def write() -> None:
        journal = journal_at(path)
        async with journal.kept():
            for call in calls:
                journal.opened(call)
            for call in closed:
                journal.closed(call.dialog)

    asyncio.run(write())


def left(path: Path) -> list[OpenDialog]:
    return asyncio.run(journal_at(path).read())


LINES = [
    None,
    Hop("127.0.0.1", 6000),
    Hop("sip.example.com", None, Transport.TLS, "example.com", Trust(False, Path("/ca.pem"))),
]


@pytest.mark.parametrize("line", LINES)
def test_what_is_written_is_read(tmp_path: Path, line: Hop | None) -> None:
    call = leftover(trunk="out", line=line)
    call.dialog.seen_at = line
    call.dialog.remote = "<sip:far@127.0.0.1>;tag=far;x=\udcff"  # as bytes that are no UTF-8 come
    written(tmp_path / "open", call, leftover(2), closed=(leftover(2),))
    assert left(tmp_path / "open") == [call]


def test_what_has_changed_counts_as_it_is_now(tmp_path: Path) -> None:
    call, moved = leftover(), leftover()
    moved.dialog.target = "sip:far@127.0.0.9"
    written(tmp_path / "open", call, moved)
    assert left(tmp_path / "open") == [moved]


def test_no_file_is_no_call(tmp_path: Path) -> None:
    assert left(tmp_path / "open") == []


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    written(tmp_path / "open", leftover())
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o600


def test_a_torn_line_costs_one_call(tmp_path: Path) -> None:
    path = tmp_path / "open"
    written(path, leftover(1), leftover(2), leftover(3))
    whole = path.read_bytes()
    for cut in range(0, len(whole), 11):
        path.write_bytes(whole[:cut])
        assert len(left(path)) == whole[: cut + 1].count(b"\n")


def test_damage_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "open"
    written(path, leftover(1), leftover(2))
    whole = path.read_bytes()
    calls = left(path)
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :])
        found = left(path)
        assert all(call in calls for call in found)
        assert len(found) <= 2


def line_of(words: object) -> bytes:
    text = json.dumps(words).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


GOOD: dict[str, object] = {
    "call_id": "c",
    "local": "l",
    "remote": "r",
    "local_tag": "lt",
    "remote_tag": "rt",
    "target": "sip:x@h",
    "cseq": 1,
    "route_set": [],
    "seen_at": None,
    "line": None,
    "trunk": None,
}


@pytest.mark.parametrize(
    "words",
    [
        [],
        {},
        {"ended": ["c"]},
        {"ended": [1, 2]},
        GOOD | {"cseq": -1},
        GOOD | {"cseq": 2**31},
        GOOD | {"cseq": "1"},
        GOOD | {"route_set": "x"},
        GOOD | {"route_set": [1]},
        GOOD | {"target": None},
        GOOD | {"line": 7},
        GOOD | {"seen_at": {"host": "h", "port": 1, "transport": "pigeon", "name": "", "ca": None}},
        GOOD | {"line": {"host": "h"}},
        GOOD | {"trunk": 7},
    ],
)
def test_lines_that_make_no_sense_are_left_out(tmp_path: Path, words: object) -> None:
    path, ours = tmp_path / "open", {"instance": instance_of(tmp_path, SETTINGS)}
    if isinstance(words, dict):
        words = {**ours, **words}
    path.write_bytes(line_of(words) + b"\xff\xff\n00000000 {}\n" + line_of(ours | GOOD))
    assert [call.dialog.call_id for call in left(path)] == ["c"]


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    async def many() -> None:
        journal = journal_at(tmp_path / "open")
        async with journal.kept():
            for number in range(6 * SLACK):
                journal.opened(leftover(number))
                if number >= 10:
                    journal.closed(leftover(number).dialog)
                if number % 100 == 0:
                    await asyncio.sleep(0)

    asyncio.run(many())
    assert len((tmp_path / "open").read_bytes().splitlines()) <= 2 * 10 + SLACK
    assert len(left(tmp_path / "open")) == 10


def test_a_call_with_an_endless_route_is_not_remembered(tmp_path: Path) -> None:
    short, long = leftover(), leftover()
    long.dialog.route_set = ["<sip:127.0.0.1;lr>"] * 1000
    written(tmp_path / "open", short, long)
    assert left(tmp_path / "open") == []


def test_the_next_start_clears_the_file_of_what_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "open"
    written(path, leftover(1), leftover(2), closed=(leftover(1),))
    path.write_bytes(path.read_bytes() + b"0123")

    async def start() -> None:
        journal = journal_at(path)
        assert len(await journal.read()) == 1
        async with journal.kept():
            pass

    asyncio.run(start())
    assert len(path.read_bytes().splitlines()) == 1
    assert left(path) == [leftover(2)]


def test_a_disk_that_refuses_is_told_once_and_disturbs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def write() -> None:
        journal = JournalFile(tmp_path / "gone" / "open", "here")
        async with journal.kept():
            journal.opened(leftover(1))
            await asyncio.sleep(0)
            journal.opened(leftover(2))

    with caplog.at_level(logging.WARNING):
        asyncio.run(write())
    assert len(caplog.records) == 1
    assert not (tmp_path / "gone").exists()


class Notebook:
    """A memory that lies open."""

    def __init__(self) -> None:
        self.open: dict[str, OpenDialog] = {}

    def opened(self, call: OpenDialog) -> None:
        self.open[call.dialog.remote_tag] = call

    def closed(self, dialog: Dialog) -> None:
        self.open.pop(dialog.remote_tag, None)


def remembering(*, user: str | None = None) -> tuple[World, Notebook]:
    notebook = Notebook()
    world = World(journal=notebook)
    world.ring(user=user)
    assert notebook.open == {}
    answered(world)
    return world, notebook


def test_an_answered_call_is_on_record_until_its_bye_is_answered() -> None:
    world, notebook = remembering(user="carol")
    call = notebook.open["far"]
    assert (call.trunk, call.first_hop, call.dialog.target) == (
        "out",
        FAR,
        "sip:far@127.0.0.1:6000",
    )
    world.hang_up()
    assert notebook.open
    bye = world.requests("BYE")[0]
    world.hear(reply(bye, 100, contact=None))
    assert notebook.open
    world.hear(reply(bye, 200, contact=None))
    assert notebook.open == {}


def test_a_bye_that_gets_no_answer_is_forgotten_in_the_end() -> None:
    world, notebook = remembering()
    world.hang_up()
    world.until(31)
    assert notebook.open
    world.until(33)
    assert notebook.open == {}


def test_a_call_the_far_end_has_ended_is_off_the_record() -> None:
    world, notebook = remembering()
    world.hear(ask(world.requests("INVITE")[0], "BYE"))
    assert notebook.open == {}


def test_the_second_answer_of_a_fork_leaves_the_first_on_record() -> None:
    world, notebook = remembering()
    answered(world, tag="other")
    world.hear(reply(world.requests("BYE")[0], 200, contact=None))
    assert list(notebook.open) == ["far"]


def test_a_target_that_has_moved_is_remembered() -> None:
    world, notebook = remembering()
    moved = ("Contact: <sip:far@127.0.0.5:5555>",)
    world.hear(ask(world.requests("INVITE")[0], "UPDATE", body=SDP, extra=moved))
    assert notebook.open["far"].dialog.target == "sip:far@127.0.0.5:5555"


async def forgotten(path: Path) -> None:
    async with asyncio.timeout(WITHIN):
        while await journal_at(path).read():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.005)


async def crashed(path: Path, phone: Phone) -> None:
    """An engine is cut off in mid-call; what it has put on record is kept aside."""
    async with running(journal=path) as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        async with asyncio.timeout(WITHIN):
            while not await journal_at(path).read():  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.005)
        record = await asyncio.to_thread(path.read_bytes)
    await asyncio.to_thread(path.write_bytes, record)


@pytest.mark.anyio
async def test_a_call_is_on_record_before_its_ack_leaves(tmp_path: Path) -> None:
    """A kill in between would leave the far end connected to nobody."""
    path = tmp_path / "open"
    async with Phone([(0, Answers())]) as phone, running(journal=path) as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        ack = await phone.got("ACK")
        assert str(ack.call_id).encode() in path.read_bytes()


@pytest.mark.anyio
async def test_an_ack_does_not_wait_for_a_disk_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, answers_again = tmp_path / "open", threading.Event()
    monkeypatch.setattr(driver, "HELD_AT_MOST", 0.01)
    monkeypatch.setattr(journal_file, "_append", lambda *_: answers_again.wait())
    async with Phone([(0, Answers())]) as phone, running(journal=path) as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await phone.got("ACK")
        assert not path.exists()
        answers_again.set()


def test_who_waits_for_a_call_waits_for_that_call_alone(tmp_path: Path) -> None:
    written: list[str] = []

    async def write() -> None:
        journal = journal_at(tmp_path / "open")
        assert not journal.when_written("call-1@h", lambda: written.append("early"))
        journal.opened(leftover(1))
        assert journal.when_written("call-1@h", lambda: written.append("1"))
        assert not journal.when_written("call-2@h", lambda: written.append("2"))
        async with journal.kept():
            pass
        assert not journal.when_written("call-1@h", lambda: written.append("late"))
        # What only changes is on record already.
        moved = leftover(1)
        moved.dialog.target = "sip:far@127.0.0.9"
        journal.opened(moved)
        assert not journal.when_written("call-1@h", lambda: written.append("moved"))

    asyncio.run(write())
    assert written == ["1"]


@pytest.mark.anyio
async def test_the_next_engine_hangs_up_what_the_last_one_left(tmp_path: Path) -> None:
    path = tmp_path / "open"
    async with Phone([(0, Answers())]) as phone:
        await crashed(path, phone)
        before = len(phone.requests)
        async with running(journal=path) as desk:
            bye = await phone.got("BYE", times=2)
            invite = phone.requests[0]
            assert bye.call_id == invite.call_id
            assert bye.from_address.parameters == invite.from_address.parameters
            assert bye.to_address.parameters["tag"] == "far"
            assert bye.cseq.sequence > 100_000
            # It is forgotten as soon as the phone has said yes.
            await forgotten(path)
            assert desk.events == []
        assert len(phone.requests) == before + 1


@pytest.mark.anyio
async def test_a_copy_of_the_data_hangs_up_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It would say good-bye to calls on which people are talking, over the original."""
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.mkdir()
    async with Phone([(0, Answers())]) as phone:
        await crashed(original / "open", phone)
        await asyncio.to_thread(shutil.copytree, original, copy)
        async with running(journal=copy / "open"):
            pass
        assert (copy / "open").read_bytes() == b""
        async with running(journal=original / "open"):
            await phone.got("BYE", times=2)
    assert len([one for one in phone.requests if one.method == "BYE"]) == 2
    assert "1 calls in open are another instance's and are left alone" in caplog.text


def test_an_instance_is_a_machine_a_folder_and_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, moved = tmp_path / "data", tmp_path / "moved"
    folder.mkdir()
    ours = instance_of(folder, SETTINGS)
    assert instance_of(folder, SipSettings(port=0, realm="x")) == ours
    folder.rename(moved)
    assert instance_of(moved, SETTINGS) == ours
    folder.mkdir()
    assert instance_of(folder, SETTINGS) != ours
    for other in ({"port": 5070}, {"host": "127.0.0.2"}, {"advertise": "192.0.2.1"}):
        assert instance_of(moved, SipSettings.model_validate({"port": 0, **other})) != ours
    (tmp_path / "machine-id").write_text("another\n")
    monkeypatch.setattr(instance, "_MACHINE_IDS", (tmp_path / "none", tmp_path / "machine-id"))
    assert instance_of(moved, SETTINGS) != ours
    # Containers have none, and are made anew on the same folder.
    monkeypatch.setattr(instance, "_MACHINE_IDS", (tmp_path / "none",))
    assert instance_of(moved, SETTINGS) == instance_of(moved, SETTINGS)


@pytest.mark.anyio
async def test_a_leftover_of_a_trunk_waits_for_its_credentials(tmp_path: Path) -> None:
    path = tmp_path / "open"
    async with Phone([]) as carrier:
        host, port = carrier.address
        call = leftover(trunk="out", line=Hop(host, port))
        call.dialog.target = f"sip:far@{host}:{port}"
        call.dialog.route_set = []
        await asyncio.to_thread(written, path, call)
        carrier.challenges["BYE"] = challenge(407, "n")
        async with running(journal=path, timing=Timing()) as desk:
            await asyncio.sleep(0)
            assert carrier.requests == []
            desk.engine.use_trunks([Trunk("out", host, port, user="carol", password="secret")])
            bye = await carrier.got("BYE", times=2)
            assert proves(bye, "n") == "00000001"
            assert bye.cseq.sequence == 7 + 100_000 + 2


@pytest.mark.anyio
async def test_a_leftover_of_a_trunk_that_has_gone_is_hung_up_without(tmp_path: Path) -> None:
    path = tmp_path / "open"
    async with Phone([]) as carrier:
        call = leftover(trunk="out")
        call.dialog.target = f"sip:far@127.0.0.1:{carrier.address[1]}"
        call.dialog.route_set = []
        await asyncio.to_thread(written, path, call)
        async with running(journal=path) as desk:
            desk.engine.use_trunks([])
            await carrier.got("BYE")


@pytest.mark.anyio
async def test_a_leftover_nobody_can_reach_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "open"
    call = leftover()
    call.dialog.target, call.dialog.route_set = "tel:+74950000000", []
    await asyncio.to_thread(written, path, call)
    async with running(journal=path):
        await forgotten(path)


@pytest.mark.anyio
async def test_a_call_that_ends_well_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "open"
    async with Phone([(0, Answers())]) as phone:
        async with running(journal=path) as desk:
            desk.engine.ring(A, Address("25", phone=phone.uri), caller_id=CALLER)
            await desk.told(LegConnected)
            desk.engine.hang_up(A)
            await desk.told(LegReleased)
        assert await journal_at(path).read() == []
