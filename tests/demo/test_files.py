"""The demo's files: the request is the published one, and the directory has all that it names."""

import hashlib
import json
from pathlib import Path

from callwright.config import read_settings
from callwright.provisioning.file import read_directory_file
from demo.service import HERE, filled_in

REQUEST = HERE / "request.json"


def test_the_request_is_the_published_one_byte_for_byte() -> None:
    digest = hashlib.sha256(REQUEST.read_bytes()).hexdigest()
    assert digest == "ba0e6fbda15117116d84f97d55a72ba1a7426363c79ce52bd103d3a0914df040"


def test_the_directory_has_all_that_the_request_names(tmp_path: Path) -> None:
    file = tmp_path / "directory.toml"
    addresses = {"contact_port": 5070, "employee_contact": "sip:25@127.0.0.1:5071"}
    file.write_text(filled_in(HERE / "directory.toml", addresses), "utf-8")
    directory = read_directory_file(file).content
    params = json.loads(REQUEST.read_bytes())["params"]

    token = hashlib.sha256(params["access_token"].encode()).hexdigest()
    assert [t.sha256 for t in directory.tokens] == [token]
    assert [n.number for n in directory.virtual_numbers] == [params["virtual_phone_number"]]
    (employee,) = directory.employees
    assert employee.id == params["employee"]["id"]
    assert [(p.number, p.contact) for p in employee.phones] == [
        (params["employee"]["phone_number"], "sip:25@127.0.0.1:5071")
    ]
    assert {f.id for f in directory.media_files} == {
        params["media_file_id"],
        int(params["employee_message"]["value"]),
    }
    assert [(t.host, t.port) for t in directory.trunks] == [("127.0.0.1", 5070)]


def test_the_settings_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "callwright.toml"
    file.write_text(filled_in(HERE / "callwright.toml", {"http_port": 8123}), "utf-8")
    settings = read_settings(file)
    assert (settings.http.port, settings.sip.port) == (8123, 0)
    assert str(settings.sip.host) == "127.0.0.1"
