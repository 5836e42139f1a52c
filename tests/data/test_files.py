"""Files over HTTP: recordings and media files by signed links, and media files that come in."""

import base64
import io
import math
import socket
import struct
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest

from callwright.calls.events import RecordingReady, TalkStarted
from callwright.downloads.links import Links, link_key
from callwright.engines.simulated.far_end import answers
from callwright.rpc.files import UPLOADS_AT_MOST, UPLOADS_PER_ACCOUNT
from tests.api.answers import without_metadata
from tests.api.house import STRANGER, TOKEN, House, house
from tests.api.listener import by_lines, until
from tests.compat.documented import decode
from tests.data.test_entities import done, one, refused, unusable
from tests.databases import StoredIn
from tests.waiting import WITHIN

NAME = "Приветствие"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Path:
    return tmp_path_factory.mktemp("house")


@pytest.fixture(scope="module")
def home(folder: Path, stored_in: StoredIn) -> Iterator[House]:
    far_ends = {"79260000028": answers(after=0.01), "79260000000": answers(after=0.01)}
    settings = {
        "api": {"points_per_minute": 100_000, "points_per_day": 100_000},
        "http": {"port": 0, "upload_limit": 256 * 1024},
        "media": {"file_length_at_most": 5},
    }
    with house(folder, far_ends, stored_in, **settings) as up:
        yield up


def sound(seconds: float, rate: int = 8000, channels: int = 1) -> bytes:
    """A WAV with a tone in it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((channels, 2, rate, 0, "NONE", ""))
        for at in range(int(seconds * rate)):
            level = int(8000 * math.sin(at * 440 * 2 * math.pi / rate))
            wav.writeframesraw(struct.pack("<h", level) * channels)
    return file.getvalue()


def upload(
    home: House,
    content: bytes,
    fields: dict[str, str] | None = None,
    name: str = f"{NAME}.wav",
    token: str = TOKEN,
) -> Any:
    """Post a form; give the status and the answer."""
    response = home.client.post(
        f"{home.url}/media",
        files={"file": (name, content)},
        data=fields,
        headers={"Authorization": f"Bearer {token}"},
    )
    return response.status_code, response.json()


def refusal_of(answer: Any) -> tuple[object, ...]:
    error = answer["error"]
    return error["data"]["mnemonic"], error["data"]["field"], error["message"]


@pytest.fixture(scope="module")
def recorded(home: House, folder: Path) -> dict[str, Any]:
    """A call that is over, with the recording of its talk."""
    call = {
        "first_call": "employee",
        "employee": {"id": 28},
        "contact": "79260000000",
        "virtual_phone_number": "74993720692",
        "switch_at_once": True,
        "external_id": "crm-1",
    }
    session = home.succeeds("start.employee_call", call)["call_session_id"]
    home.wait_for(session, TalkStarted)
    home.succeeds("release.call", {"call_session_id": session})
    home.wait_for(session, RecordingReady)
    shown = home.until_finished(session)
    # Listeners are told what is on disk.
    with by_lines(home.url, after="0") as read:
        until(read, "session.finished", session)
    # Simulated phones make no sound: what a real engine writes is put there in its place.
    (folder / "recordings").mkdir(exist_ok=True)
    [recording] = shown["recordings"]
    (folder / "recordings" / recording["file_name"]).write_bytes(sound(1.5, channels=2))
    return {"session": session, **recording}


# By links.


def test_a_recording_by_its_link(home: House, recorded: dict[str, Any]) -> None:
    response = home.client.get(recorded["file_link"])
    assert response.status_code == 200
    assert response.content == sound(1.5, channels=2)
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["x-content-type-options"] == "nosniff"
    named = f'inline; filename="{recorded["file_name"]}"'
    assert response.headers["content-disposition"] == named
    assert home.client.head(recorded["file_link"]).headers["content-length"] == str(
        len(response.content)
    )


def test_the_notice_of_a_recording_has_its_link(home: House, recorded: dict[str, Any]) -> None:
    with by_lines(home.url, after="0") as read:
        [ready] = [
            event
            for event in until(read, "session.finished", recorded["session"])
            if event["type"] == "recording.ready"
        ]
    assert ready["data"]["recording_id"] == recorded["recording_id"]
    response = home.client.get(ready["data"]["file_link"])
    assert response.content == home.client.get(recorded["file_link"]).content


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-43", 206, slice(0, 44)),
        ("bytes=44-", 206, slice(44, None)),
        ("bytes=-100", 206, slice(-100, None)),
        ("bytes=9999999-", 416, None),
        ("sounds=1-2", 400, None),
    ],
)
def test_a_part_of_a_recording(
    home: House, recorded: dict[str, Any], asked: str, status: int, part: slice | None
) -> None:
    whole = home.client.get(recorded["file_link"])
    assert whole.headers["accept-ranges"] == "bytes"
    response = home.client.get(recorded["file_link"], headers={"Range": asked})
    assert response.status_code == status
    if part is not None:
        assert response.content == whole.content[part]
    # What has changed since is sent as a whole.
    since = {"Range": "bytes=0-43", "If-Range": '"another"'}
    assert home.client.get(recorded["file_link"], headers=since).status_code == 200


@pytest.mark.parametrize(
    ("form", "content_type", "codec"),
    [("mp3", "audio/mpeg", "mp3float"), ("opus", "audio/ogg", "opus")],
)
def test_a_recording_in_another_format(
    home: House,
    folder: Path,
    recorded: dict[str, Any],
    form: str,
    content_type: str,
    codec: str,
) -> None:
    response = home.client.get(f"{recorded['file_link']}&format={form}")
    assert (response.status_code, response.headers["content-type"]) == (200, content_type)
    assert f'.{form}"' in response.headers["content-disposition"]
    with av.open(io.BytesIO(response.content), "r") as file:
        [stream] = file.streams.audio
        assert (stream.codec_context.name, stream.channels) == (codec, 2)
        seconds = sum(frame.samples / frame.sample_rate for frame in file.decode(stream))
    assert seconds == pytest.approx(1.5, abs=0.15)
    # The copy is kept, and has ranges of its own.
    [copy] = (folder / "copies").glob(f"*.{form}")
    assert copy.read_bytes() == response.content
    ranged = home.client.get(
        f"{recorded['file_link']}&format={form}", headers={"Range": "bytes=10-19"}
    )
    assert (ranged.status_code, ranged.content) == (206, response.content[10:20])


def test_links_that_do_not_hold(home: House, recorded: dict[str, Any], folder: Path) -> None:
    link = recorded["file_link"]
    bare = link.partition("?")[0]
    forged = (403, "Permission denied.\n")
    for tried in (
        bare,
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.replace("expires=1", "expires=2"),
        link.replace(f"/recordings/{recorded['recording_id']}", "/recordings/1"),
        link.replace("/recordings/", "/media/"),
        f"{bare}?expires=1&signature=x",
    ):
        response = home.client.get(tried)
        assert (response.status_code, response.text) == forged, tried
    assert home.client.get(f"{link}&format=exe").status_code == 400
    for nowhere in ("/recordings/..%2Flink-key", "/recordings/-1", "/recordings/", "/media/x"):
        assert home.client.get(f"{home.url}{nowhere}").status_code == 404
    (folder / "recordings" / recorded["file_name"]).rename(folder / "hidden.wav")
    try:
        gone = (404, "There is no such file any more.\n")
        for tried in (link, f"{link}&format=mp3"):
            response = home.client.get(tried)
            assert (response.status_code, response.text) == gone
    finally:
        (folder / "hidden.wav").rename(folder / "recordings" / recorded["file_name"])


@pytest.mark.parametrize(
    ("address", "content_type"),
    [
        ("/system/media/talk/{session}/{record}/", "audio/mpeg"),
        ("/system/media/wav/{session}/{record}/", "audio/wav"),
        ("/system/media/voice_mail/{session}/{record}/", "audio/mpeg"),
        ("/{session}/{record}", "audio/mpeg"),
        ("/system/media/talk/{session}/{record}", "audio/mpeg"),
        ("/{session}/{record}/?format=wav", "audio/wav"),
    ],
)
def test_a_recording_at_the_address_that_clients_compose(
    home: House, recorded: dict[str, Any], address: str, content_type: str
) -> None:
    where = home.url + address.format(session=recorded["session"], record=recorded["record_id"])
    response = home.client.get(where)
    assert (response.status_code, response.headers["content-type"]) == (200, content_type)
    form = "mp3" if content_type == "audio/mpeg" else "wav"
    assert response.content == home.client.get(f"{recorded['file_link']}&format={form}").content
    stem = recorded["file_name"].removesuffix(".wav")
    assert response.headers["content-disposition"] == f'inline; filename="{stem}.{form}"'
    part = home.client.get(where, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, response.content[10:20])


def test_an_address_that_nobody_was_told_of(home: House, recorded: dict[str, Any]) -> None:
    session, record = recorded["session"], recorded["record_id"]
    other = record[:-1] + ("0" if record[-1] != "0" else "1")
    for tried in (
        f"/system/media/talk/{session}/{other}/",
        f"/system/media/talk/{session + 1}/{record}/",
        f"/system/media/talk/{session}/{recorded['recording_id']}/",
        f"/system/media/talk/{session}/{record.upper()}/",
        f"/system/media/talk/{1 << 70}/{record}/",
        # More digits than Python makes a number of.
        *(f"{folder}/{'9' * 4301}/x" for folder in ("", "/system/media/talk")),
        *(f"{folder}/{'9' * 4301}" for folder in ("/recordings", "/media")),
        f"/system/media/fax/{session}/{record}/",
        f"/{session}/%",
        f"/{session}/..%2Flink-key",
    ):
        assert home.client.get(home.url + tried).status_code == 404, tried
    signed = recorded["file_link"].replace(str(recorded["recording_id"]), record)
    assert record not in recorded["file_link"]
    assert home.client.get(signed).status_code == 404


def test_the_addresses_can_be_closed(tmp_path: Path) -> None:
    with house(tmp_path, {}, http={"port": 0, "recording_addresses": False}) as home:
        for closed in ("/system/media/talk/1/", "/1/"):
            response = home.client.get(f"{home.url}{closed}{'0' * 32}")
            assert (response.status_code, response.text) == (404, "Not Found")


def test_a_link_that_was_good_once(home: House, folder: Path) -> None:
    # No test waits an hour: the same key signs a link of long ago.
    once = Links(home.url, link_key(folder), lasts=60, clock=lambda: 1_600_000_000)
    response = home.client.get(once.media_file(2561))
    said = "This link has expired: ask the API for a new one.\n"
    assert (response.status_code, response.text) == (410, said)


def test_links_name_the_address_clients_know(tmp_path: Path) -> None:
    http = {"port": 0, "public_url": "https://calls.example.com/api/"}
    with house(tmp_path, {}, http=http) as home:
        link = one(home, "get.media_files", 2561, "play_link")["play_link"]
        assert link.startswith("https://calls.example.com/api/media/2561?")
        here = link.replace("https://calls.example.com/api", home.url)
        assert home.client.get(here).status_code == 200


# What comes in.


def test_a_media_file_by_a_form(home: House, folder: Path) -> None:
    status, answer = upload(home, sound(1.0))
    assert status == 201
    data = without_metadata(answer)["result"]["data"]
    assert data == {"id": data["id"], "duration": 1.0, "size": 32044}
    shown = one(home, "get.media_files", data["id"])
    played = home.client.get(shown.pop("play_link"))
    with wave.open(io.BytesIO(played.content)) as wav:
        assert (wav.getnchannels(), wav.getframerate(), wav.getnframes()) == (1, 16000, 16000)
    assert shown == {
        "id": data["id"],
        "name": NAME,
        "duration": 1.0,
        "size": 32044,
        "type": "user",
        "normalization": True,
    }
    # It is played like any other: by a call, and by a scenario, which then needs it.
    operations = [{"do": "play", "message": data["id"]}]
    scenario = done(home, "create.scenarios", name="Играет", operations=operations)["id"]
    answer = home.data("delete.media_files", {"id": data["id"]})
    assert answer["error"]["data"]["mnemonic"] == "dependency_error"
    done(home, "delete.scenarios", id=scenario)

    status, answer = upload(home, sound(2.0), {"id": str(data["id"])})
    assert (status, answer["result"]["data"]["duration"]) == (201, 2.0)
    fields = ("name", "duration")
    assert one(home, "get.media_files", data["id"], *fields) == {"name": NAME, "duration": 2.0}

    audio = {path.name for path in (folder / "media").iterdir()}
    done(home, "delete.media_files", id=data["id"])
    left = {path.name for path in (folder / "media").iterdir()}
    assert len(audio - left) == 1
    assert not list((folder / "uploads").iterdir())


def test_a_media_file_in_base64(home: House) -> None:
    content = base64.b64encode(sound(0.5)).decode()
    file = done(home, "create.media_files", name="Кратко", content=content)
    assert file == {"id": file["id"], "duration": 1, "size": 16044}
    assert done(home, "update.media_files", id=file["id"], name="Короче") == {}
    longer = base64.b64encode(sound(1.0)).decode()
    assert done(home, "update.media_files", id=file["id"], content=longer) == {}
    fields = ("name", "duration")
    assert one(home, "get.media_files", file["id"], *fields) == {"name": "Короче", "duration": 1.0}
    other = {"name": "hello", "content": content}
    answer = home.data("create.media_files", other)
    assert answer["error"]["data"]["mnemonic"] == "duplicate_entity"
    done(home, "delete.media_files", id=file["id"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a sound" * 100, "it is a text file, not audio"),
        (b"", "it is empty"),
        (b"\x00\x01\x02\x03" * 1000, "it is in no audio format that is known"),
        (sound(1.0)[:4000], "it is truncated: 4000 of 16044 bytes are there"),
        (sound(6.0), "it is 6.0 s long; at most 5.0 s are taken"),
    ],
)
def test_audio_that_cannot_be_used(home: House, content: bytes, reason: str) -> None:
    before = home.data("get.media_files", {})["result"]["metadata"]["total_items"]
    status, answer = upload(home, content)
    mnemonic, field, message = refusal_of(answer)
    assert (status, mnemonic, field) == (400, "error", "file")
    assert str(message).startswith(f"The audio cannot be used: {reason}")
    assert home.data("get.media_files", {})["result"]["metadata"]["total_items"] == before


def test_too_many_files_at_once_are_no_fault_of_the_file(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callwright.directory.media_upload.WAITING_AT_MOST", 0)
    status, answer = upload(home, sound(1.0))
    busy = ("service_busy", None, "The service is busy, send the request once more")
    assert (status, answer["error"]["code"], refusal_of(answer)) == (503, -32603, busy)
    answer = home.data("create.media_files", {"name": "new", "content": "UklGRg=="})
    assert refusal_of(answer) == busy


def test_base64_that_cannot_be_used(home: House) -> None:
    refused(
        home,
        "create.media_files",
        {"name": "Текст", "content": base64.b64encode(b"text").decode()},
        **unusable("The audio cannot be used: it is a text file, not audio", "content"),
    )
    answer = home.data("create.media_files", {"name": "Текст", "content": "%%%"})
    assert answer["error"]["data"]["mnemonic"] == "invalid_parameter_value"


def test_forms_that_are_refused(home: House) -> None:
    missed = "The required parameter has been missed"
    url, bearer = f"{home.url}/media", {"Authorization": f"Bearer {TOKEN}"}
    good = {"file": ("a.wav", sound(0.1))}

    response = home.client.post(url, files=good)
    assert response.status_code == 401
    assert refusal_of(response.json()) == ("required_parameter_missed", "access_token", missed)
    response = home.client.post(url, files=good, headers={"Authorization": "Bearer x"})
    assert response.status_code == 401
    assert refusal_of(response.json())[0] == "access_token_invalid"

    response = home.client.post(url, data={"name": "x"}, headers=bearer)
    assert response.status_code == 400
    whole = "A whole form is needed: multipart/form-data"
    assert refusal_of(response.json()) == ("error", "file", whole)
    response = home.client.post(url, files={"audio": ("a.wav", b"x")}, headers=bearer)
    assert refusal_of(response.json()) == ("required_parameter_missed", "file", missed)
    cut = {**bearer, "Content-Type": "multipart/form-data; boundary=x"}
    response = home.client.post(url, content=b"--x\r\nhalf", headers=cut)
    assert refusal_of(response.json())[:2] in (
        ("error", "file"),
        ("required_parameter_missed", "file"),
    )

    status, answer = upload(home, sound(0.1), {"id": "404"})
    assert (status, refusal_of(answer)[:2]) == (404, ("entity_not_found", "id"))
    status, answer = upload(home, sound(0.1), {"name": "hello"})
    assert (status, refusal_of(answer)[:2]) == (409, ("duplicate_entity", "name"))
    status, answer = upload(home, sound(0.1), {"colour": "red"})
    assert (status, refusal_of(answer)[:2]) == (400, ("unexpected_parameters", "colour"))
    # Media files of one account are not those of another.
    status, answer = upload(home, sound(0.1), {"id": "2561"}, token=STRANGER)
    assert (status, refusal_of(answer)[:2]) == (404, ("entity_not_found", "id"))


def test_a_form_has_an_end(home: House) -> None:
    large = b"x" * 300_000
    status, answer = upload(home, large)
    assert (status, refusal_of(answer)) == (
        413,
        ("error", "file", "The request has more than 262144 bytes"),
    )

    def pieces() -> Iterator[bytes]:
        """Without a length that could be believed."""
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(20):
            yield b"x" * 16_384

    response = home.client.post(
        f"{home.url}/media",
        content=pieces(),
        headers={
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "multipart/form-data; boundary=x",
        },
    )
    assert response.status_code == 413
    assert home.succeeds("list.calls", {}) == []


def begun_upload(home: House, token: str) -> socket.socket:
    """Begin to send a form that never comes to its end."""
    host, port = home.url.removeprefix("http://").split(":")
    line = socket.create_connection((host, int(port)), timeout=WITHIN)
    line.sendall(
        b"POST /media HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Expect: 100-continue\r\nContent-Length: 1000\r\n"
        b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
    )
    return line


def test_places_for_uploads_are_for_those_with_a_token_and_shared_by_accounts(
    home: House,
) -> None:
    with ExitStack() as held:
        for _ in range(2 * UPLOADS_AT_MOST):
            held.enter_context(begun_upload(home, "nobodys"))
        for _ in range(UPLOADS_PER_ACCOUNT):
            line = held.enter_context(begun_upload(home, TOKEN))
            # Said when the form is read, and so has its place.
            assert line.recv(100).startswith(b"HTTP/1.1 100 ")
        with begun_upload(home, TOKEN) as line:
            assert line.recv(100).startswith(b"HTTP/1.1 503 ")
        with begun_upload(home, STRANGER) as line:
            assert line.recv(100).startswith(b"HTTP/1.1 100 ")


# Tags of calls, which the same call shows.


def test_tags_of_a_call_that_is_over(home: House, recorded: dict[str, Any]) -> None:
    session = recorded["session"]
    call = {"communication_id": session, "communication_type": "call", "tag_id": 7}
    by_name = {"communication_ext_id": "crm-1", "communication_type": "call", "tag_id": 7}

    def tags() -> list[Any]:
        shown: list[Any] = home.succeeds("get.call", {"call_session_id": session})["tags"]
        return shown

    assert tags() == []
    assert done(home, "set.tag_communications", **call) == {}
    assert tags() == [{"tag_id": 7, "tag_name": "Лид"}]
    answer = home.data("set.tag_communications", by_name)
    assert answer["error"]["data"]["mnemonic"] == "duplicate_entity"
    assert done(home, "unset.tag_communications", **by_name) == {}
    assert tags() == []
    answer = home.data("unset.tag_communications", call)
    assert answer["error"]["data"]["mnemonic"] == "entity_not_found"


def test_all_tags_of_a_call_at_once(home: House, recorded: dict[str, Any]) -> None:
    session = recorded["session"]
    call = {"communication_id": session, "communication_type": "call"}
    second = done(home, "create.tags", name="Второй")["id"]

    def tags() -> list[int]:
        shown = home.succeeds("get.call", {"call_session_id": session})["tags"]
        return [one["tag_id"] for one in shown]

    answer = done(home, "set.communications_tags", **call, tag_ids=[7])
    assert answer == {**call, "items": [{"id": 7}]}
    answer = done(home, "set.communications_tags", **call, tag_ids=[second, 7, second])
    assert answer == {**call, "items": [{"id": 7}, {"id": second}]}
    assert tags() == [7, second]
    answer = done(home, "update.tags_communication", **call, tag_ids=[second])
    told = {"id": second, "name": "Второй", "color": None}
    assert answer == {**call, "items": [told]}
    decode("update.tags_communication", answer)
    assert tags() == [second]
    assert done(home, "update.tags_communication", **call, tag_ids=[])["items"] == []
    assert tags() == []
    for method in ("set.communications_tags", "update.tags_communication"):
        for changes, field in (
            ({"communication_id": 404, "tag_ids": [7]}, "communication_id"),
            ({"tag_ids": [7, 404]}, "tag_ids.1"),
        ):
            fault = home.data(method, {**call, **changes})["error"]["data"]
            assert (fault["mnemonic"], fault["field"]) == ("entity_not_found", field)
        chat = {**call, "communication_type": "chat", "tag_ids": [7]}
        fault = home.data(method, chat)["error"]["data"]
        assert fault["mnemonic"] == "invalid_parameter_value"
    assert tags() == []
    done(home, "delete.tags", id=second)


def test_what_a_call_has_sold(home: House, recorded: dict[str, Any]) -> None:
    session = recorded["session"]
    sale = {
        "communication_id": session,
        "communication_type": "call",
        "date_time": "2026-05-02 10:30:00",
        "transaction_value": 1500,
    }
    now = datetime.now(UTC)
    window = {
        "date_from": f"{now - timedelta(days=1):%Y-%m-%d}",
        "date_till": f"{now + timedelta(days=1):%Y-%m-%d}",
    }

    def sold(method: str, **asked: object) -> list[Any]:
        fields = ["id", "sale_date", "sale_cost"]
        answer = home.data(method, {**window, "fields": fields, **asked})
        rows: list[Any] = answer["result"]["data"]
        return rows

    first = done(home, "set.tag_sales", **sale)
    decode("set.tag_sales", first)
    second = done(home, "set.tag_sales", **{**sale, "transaction_value": 99.5}, comment="чай")
    assert second["id"] > first["id"]
    where = {"field": "sale_cost", "operator": ">", "value": 0}
    order = [{"field": "sale_date", "order": "desc"}]
    told = {"id": session, "sale_date": "2026-05-02 10:30:00", "sale_cost": 99.5}
    for report in ("get.calls_report", "get.communications_report"):
        assert sold(report, filter=where) == [told]
        assert sold(report, sort=order)[0] == told
        assert told not in sold(report, filter={**where, "operator": "=", "value": None})
    for changes, mnemonic, field in (
        ({"communication_id": 404}, "entity_not_found", "communication_id"),
        ({"communication_type": "chat"}, "invalid_parameter_value", "communication_type"),
        ({"date_time": "soon"}, "invalid_parameter_value", "date_time"),
        ({"transaction_value": "much"}, "data_type_error", "transaction_value"),
        ({"transaction_value": -1}, "invalid_parameter_value", "transaction_value"),
        ({"comment": "x" * 256}, "invalid_parameter_value", "comment"),
    ):
        fault = home.data("set.tag_sales", {**sale, **changes})["error"]["data"]
        assert (fault["mnemonic"], fault["field"]) == (mnemonic, field)
    assert (
        home.data("set.tag_sales", sale, STRANGER)["error"]["data"]["field"] == "communication_id"
    )


def test_tags_of_a_call_that_lives(home: House) -> None:
    call = {
        "first_call": "employee",
        "employee": {"id": 28},
        "contact": "79260000000",
        "virtual_phone_number": "74993720692",
        "switch_at_once": True,
        "external_id": "crm-2",
    }
    session = home.succeeds("start.employee_call", call)["call_session_id"]
    home.wait_for(session, TalkStarted)
    by_name = {"communication_ext_id": "crm-2", "communication_type": "call", "tag_id": 7}

    def tags() -> list[Any]:
        [listed] = home.succeeds("list.calls", {})
        shown: list[Any] = listed["tags"]
        return shown

    done(home, "set.tag_communications", **by_name)
    assert tags() == [{"tag_id": 7, "tag_name": "Лид"}]
    assert home.data("set.tag_communications", by_name)["error"]["data"]["value"] == "7"
    done(home, "unset.tag_communications", **by_name)
    assert tags() == []
    assert home.data("unset.tag_communications", by_name)["error"]["data"]["field"] == "tag_id"
    of = {"communication_id": session, "communication_type": "call"}
    answer = done(home, "set.communications_tags", **of, tag_ids=[7])
    assert answer == {**of, "items": [{"id": 7}]}
    answer = done(home, "set.communications_tags", **of, tag_ids=[7])
    assert answer == {**of, "items": [{"id": 7}]}
    done(home, "update.tags_communication", **of, tag_ids=[])
    assert tags() == []
    done(home, "update.tags_communication", **of, tag_ids=[7])
    home.succeeds("release.call", {"call_session_id": session})
    shown = home.until_finished(session)
    assert shown["tags"] == [{"tag_id": 7, "tag_name": "Лид"}]
    told = [event["event"] for event in shown["timeline"] if "tag" in event["event"]]
    assert told == ["tag_set", "tag_removed", "tag_set", "tag_removed", "tag_set"]


@pytest.mark.parametrize(
    ("params", "mnemonic", "field"),
    [
        ({}, "required_parameter_missed", "communication_id"),
        ({"communication_id": 404}, "entity_not_found", "communication_id"),
        ({"communication_ext_id": "404"}, "entity_not_found", "communication_ext_id"),
        (
            {"communication_id": 1, "communication_ext_id": "x"},
            "invalid_parameters_combination",
            "communication_ext_id",
        ),
        (
            {"communication_id": 1, "communication_type": "chat"},
            "invalid_parameter_value",
            "communication_type",
        ),
        ({"communication_ext_id": "crm-1", "tag_id": 404}, "entity_not_found", "tag_id"),
    ],
)
def test_tags_that_cannot_be_set(
    home: House,
    recorded: dict[str, Any],
    params: dict[str, object],
    mnemonic: str,
    field: str,
) -> None:
    sent = {"communication_type": "call", "tag_id": 7, **params}
    data = home.data("set.tag_communications", sent)["error"]["data"]
    assert (data["mnemonic"], data["field"]) == (mnemonic, field)
