"""The service as a whole: what is ready when it is up, and what keeps it from starting."""

from pathlib import Path

import anyio
import pytest

from callwright.app import service
from callwright.config import Settings, StartFault
from callwright.methods.method import Params
from tests.api.house import house


def test_two_services_cannot_share_their_data(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"data": tmp_path, "engine": "simulated", "http": {"port": 0}}
    )

    async def second() -> None:
        async with service(settings):
            pytest.fail("it came up")

    with house(tmp_path, {}) as home:
        with pytest.raises(StartFault, match="another service runs on the data"):
            anyio.run(second)
        assert home.succeeds("list.calls", {}) == []


def test_what_checks_a_request_is_there_before_the_first_one_comes(tmp_path: Path) -> None:
    class Unused(Params):
        id: int

    assert not Unused.__pydantic_complete__
    with house(tmp_path, {}):
        assert Unused.__pydantic_complete__


def not_started(tmp_path: Path, **sip: Path) -> str:
    """What a service says that does not come up on data that are there."""
    settings = Settings.model_validate(
        {"data": tmp_path, "http": {"port": 0}, "sip": {"port": 0, "tls_port": 0, **sip}}
    )

    async def start() -> None:
        async with service(settings):
            pytest.fail("it came up")

    with pytest.raises(StartFault) as told:
        anyio.run(start)
    return str(told.value)


def test_a_certificate_that_is_not_there_is_told_by_its_setting(tmp_path: Path) -> None:
    with house(tmp_path, {}):
        pass
    there, none = tmp_path / "cert.pem", tmp_path / "none.pem"
    assert not_started(tmp_path, tls_certificate=none) == (
        f"sip.tls_certificate: {none}: No such file or directory"
    )
    there.write_text("")
    assert not_started(tmp_path, tls_certificate=there, tls_key=none) == (
        f"sip.tls_key: {none}: No such file or directory"
    )


def test_a_certificate_that_is_none_is_told_by_its_setting(tmp_path: Path) -> None:
    with house(tmp_path, {}):
        pass
    file = tmp_path / "cert.pem"
    file.write_text("Dear Sir or Madam\n")
    said = not_started(tmp_path, tls_certificate=file)
    assert said.startswith(f"sip.tls_certificate: {file}: no certificate with its key, in PEM")
