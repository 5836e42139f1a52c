"""A PBX hands our calls back to us as a B2BUA does: without the marks that they bear (Asterisk)."""

import re
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from demo.service import service
from tests.engines.sip.asterisk import PASSWORD, asterisk
from tests.real.scene import apply, metrics, scene, softphones, until
from tests.waiting import WITHIN

pytestmark = [pytest.mark.realtime, pytest.mark.peer("asterisk")]

OWN = 'number = "74993720692"'
THROUGH_PBX = """
trunk = "pbx"
scenario = 1
[[scenarios]]
id = 1
name = "Calls on"
operations = [{{ do = "ring", numbers = ["{number}"] }}]
[[trunks]]
name = "pbx"
host = "127.0.0.1"
port = {port}
user = "6001"
password = "{password}"
register = true
from_user = "6001"
caller_id_header = "pai"
"""


@pytest.mark.parametrize(
    ("number", "calls"),
    [
        # From where a call comes back: the number shown, the number rung, another one, none. And
        # how many calls one request makes then, the first included.
        ("79261111111", 3),
        ("79271111111", 1),
        ("79281111111", 4),
        ("79291111111", 6),
    ],
)
def test_one_request_makes_few_calls_however_often_they_come_back(
    tmp_path: Path, number: str, calls: int
) -> None:
    async def body() -> None:
        employee, contact = softphones(tmp_path)
        async with asterisk() as pbx, scene(tmp_path, employee, contact) as made:
            file = anyio.Path(tmp_path / "directory.toml")
            through = THROUGH_PBX.format(number=number, port=pbx.port, password=PASSWORD)
            await file.write_text((await file.read_text()).replace(OWN, OWN + through))
            await to_thread.run_sync(apply, tmp_path)
            async with service(tmp_path, made.port) as api:

                async def is_registered() -> bool:
                    shown = await metrics(made.port)
                    return shown.get("callwright_trunk_registrations{registered}") == 1

                await until(is_registered)
                session = await made.seed_call(
                    api,
                    contact=number,
                    employee_message=None,
                    contact_message=None,
                    dtmf_string=None,
                )
                await made.finished(api, session, within=WITHIN)
                told = api.log.read_text("utf-8")
                assert len(re.findall(rf"rings \.\.{number[-4:]} through pbx", told)) == calls

    anyio.run(body)
