"""Who reads, changes and writes sends back what is shown: it is taken, and changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.house import DIRECTORY, House, house
from tests.compat.documented import documented
from tests.data.test_entities import done, refused

MANY = DIRECTORY.replace(
    'contact = "sip:2501@192.0.2.7"\n', 'contact = "sip:2501@192.0.2.7"\nchannels = 1000\n'
).replace('password = "geheim-2502"\n', 'password = "geheim-2502"\nchannels = 200\n')
"The directory file may say of a phone what no request may."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), {}, api={"points_per_minute": 100_000}) as up:
        up.apply(MANY)
        yield up


def rows(home: House, method: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.data(method, {})["result"]["data"]
    assert found
    return found


@pytest.mark.parametrize(
    "things", ["employees", "sip_lines", "group_employees", "tags", "schedules", "contacts"]
)
def test_what_is_shown_is_taken_back(home: House, things: str) -> None:
    before = rows(home, f"get.{things}")
    taken = {one.field for one in documented(f"update.{things}", "request")}
    for row in before:
        sent = {name: value for name, value in row.items() if name in taken}
        done(home, f"update.{things}", **sent)
    assert rows(home, f"get.{things}") == before


def test_a_request_gives_a_phone_no_more_channels_than_documented(home: House) -> None:
    def above(method: str, field: str, channels: int, **params: Any) -> None:
        refused(
            home,
            method,
            params,
            (-32602, "Invalid parameter value"),
            mnemonic="invalid_parameter_value",
            field=field,
            value=str(channels),
        )

    own = {"phone_number": "2910", "channels_count": 151}
    field = "phone_numbers.0.channels_count"
    above("create.employees", field, 151, last_name="Седов", phone_numbers=[own])
    above("update.employees", field, 151, id=29, phone_numbers=[own])
    above("create.sip_lines", "channels_count", 151, employee_id=29, channels_count=151)
    [line] = rows(home, "get.sip_lines")
    above("update.sip_lines", "channels_count", 201, id=line["id"], channels_count=201)
    done(home, "update.sip_lines", id=line["id"], channels_count=150)
