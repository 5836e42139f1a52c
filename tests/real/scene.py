"""A real scene: the service as a process, two phones as programs, SIP and RTP on loopback."""

import hashlib
import json
import shutil
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import numpy as np
from anyio import to_thread
from prometheus_client.parser import text_string_to_metric_families

from callwright.cli.service import apply_file, init
from callwright.drawing.call import Call
from demo.phones import Behaviour, Phone, Softphone
from demo.ports import free_port
from demo.service import Api, service
from tests.phones.tones import (
    RATE,
    Samples,
    Stretch,
    find,
    read,
    timeline,
    tone,
    without_seams,
)
from tests.rtp_ports import own_ports
from tests.waiting import WITHIN

SEED = (Path(__file__).parents[2] / "demo" / "request.json").read_bytes()
TOKEN: str = json.loads(SEED)["params"]["access_token"]
CONTACT = "79260000000"

EMPLOYEE_TONE, CONTACT_TONE, EARLY_TONE = 440, 660, 1500
THIRD_TONE, COACH_TONE, RINGBACK_TONE = 1200, 1750, 425
MESSAGE_TONE, MUSIC_TONE = 1000, 800
MESSAGE_LENGTH = 1.5
TONES = (
    EMPLOYEE_TONE,
    CONTACT_TONE,
    EARLY_TONE,
    MESSAGE_TONE,
    MUSIC_TONE,
    THIRD_TONE,
    COACH_TONE,
    RINGBACK_TONE,
)

SETTINGS = """
data = "data"
[http]
port = {port}
[api]
points_per_minute = 100000
[sip]
port = {sip_port}
rtp_ports = [{first}, {last}]
[calls]
drain_within = 0
{more}
"""

DIRECTORY = """
[account]
name = "Real"
[[users]]
login = "real"
[[tokens]]
user = "real"
sha256 = "{sha256}"
[[trunks]]
name = "carrier"
host = "127.0.0.1"
port = {contact_port}
[[virtual_numbers]]
number = "74993720692"
[[employees]]
id = 25
full_name = "Анна Орлова"
[[employees.phones]]
number = "79260000001"
kind = "sip"
contact = "{employee_uri}"
dial_time = {dial_time}
[[media_files]]
id = 2701
name = "music"
file = "music.wav"
[[media_files]]
id = 2561
name = "message"
file = "message.wav"
"""

EXTENSION = """
[[employees]]
id = {number}
full_name = "Colleague {number}"
[[employees.phones]]
number = "{number}"
kind = "{kind}"
contact = "{uri}"
"""

NO_PHONES: Mapping[str, Phone] = {}


@dataclass(slots=True)
class Scene:
    folder: Path
    port: int
    employee: Phone
    contact: Phone

    async def seed_call(self, api: Api, **changes: object) -> int:
        """Send the seed's request: byte for byte, or with some of its parameters changed."""
        if not changes:
            return (await api.start(SEED))[0]
        request = json.loads(SEED)
        request["params"] |= changes
        return (await api.start(json.dumps(request).encode()))[0]

    async def finished(self, api: Api, session: int, *, within: float = WITHIN) -> Call:
        """Wait until ``get.call`` shows the session as finished."""

        async def is_over() -> bool:
            return (await api.call(session, TOKEN)).verdict is not None

        await until(is_over, within=within)
        return await api.call(session, TOKEN)


@asynccontextmanager
async def scene(
    folder: Path,
    employee: Phone,
    contact: Phone,
    *,
    sip_port: int = 0,
    settings: str = "",
    extensions: Mapping[str, Phone] = NO_PHONES,
    kind: str = "extension",
    dial_time: int = 60,
) -> AsyncIterator[Scene]:
    """Start the phones and put what the service needs into ``folder``; do not start it yet.

    ``sip_port``: of the service, 0 for any; ``settings``: sections besides those that it has.
    ``extensions``: phones of colleagues, by their number, ``kind``: of what kind they are.
    ``dial_time``: seconds the employee's phone is rung for.
    """
    phones = (employee, contact, *extensions.values())
    try:
        for phone in phones:
            await phone.start()
        port = free_port()
        _sound(folder / "message.wav", MESSAGE_TONE, MESSAGE_LENGTH)
        _sound(folder / "music.wav", MUSIC_TONE, 1.0)
        first, last = own_ports()
        (folder / "callwright.toml").write_text(
            SETTINGS.format(port=port, sip_port=sip_port, first=first, last=last, more=settings)
        )
        directory = DIRECTORY.format(
            sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
            contact_port=contact.uri.rpartition(":")[2],
            employee_uri=employee.uri,
            dial_time=dial_time,
        )
        for number, phone in extensions.items():
            directory += EXTENSION.format(number=number, uri=phone.uri, kind=kind)
        (folder / "directory.toml").write_text(directory)
        await to_thread.run_sync(initialise, folder)
        await to_thread.run_sync(apply, folder)
        yield Scene(folder, port, employee, contact)
    finally:
        with anyio.CancelScope(shield=True):
            for phone in phones:
                await phone.stop()


def initialise(folder: Path) -> None:
    """What ``callwright init`` does, once for all tests of this process: the others get a copy."""
    made = folder.parent / "initialised"
    if not made.exists():
        made.mkdir()
        (made / "callwright.toml").write_text('data = "data"\n')
        init(made / "callwright.toml")
    shutil.copytree(made / "data", folder / "data", dirs_exist_ok=True)


def apply(folder: Path) -> None:
    """What ``callwright apply`` does; the program alone would take a second to start."""
    apply_file(folder / "directory.toml", config=folder / "callwright.toml")


@asynccontextmanager
async def real_call(
    folder: Path,
    *,
    employee: Behaviour | None = None,
    contact: Behaviour | None = None,
    by_hand: Phone | None = None,
    settings: str = "",
    extensions: Mapping[str, Phone] = NO_PHONES,
    kind: str = "extension",
    dial_time: int = 60,
) -> AsyncIterator[tuple[Scene, Api]]:
    """A scene with two softphones, those of colleagues, and the service up.

    ``by_hand``: the contact, in place of a softphone.
    """
    first, second = softphones(folder, employee=employee, contact=contact)
    async with (
        scene(
            folder,
            first,
            by_hand or second,
            settings=settings,
            extensions=extensions,
            kind=kind,
            dial_time=dial_time,
        ) as made,
        service(folder, made.port) as api,
    ):
        yield made, api


def softphones(
    folder: Path, *, employee: Behaviour | None = None, contact: Behaviour | None = None
) -> tuple[Softphone, Softphone]:
    """Two phones, each with a tone of its own, that answer soon unless told otherwise."""
    return (
        Softphone(
            folder / "employee",
            employee or Behaviour(says=EMPLOYEE_TONE, answers_after=0.3),
            number="79260000001",
        ),
        Softphone(
            folder / "contact",
            contact or Behaviour(says=CONTACT_TONE, answers_after=0.5),
            number=CONTACT,
        ),
    )


async def metrics(port: int) -> dict[str, float]:
    """What the service shows Prometheus: values by name, or by ``name{label values}``."""
    async with httpx.AsyncClient(trust_env=False) as client:
        page = (await client.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status().text
    return {
        sample.name + (f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""): (
            sample.value
        )
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def until(seen: Callable[[], Awaitable[bool]], *, within: float = WITHIN) -> None:
    """Look at another process again and again until it shows what is waited for."""
    with anyio.fail_after(within):
        while not await seen():  # noqa: ASYNC110 - nothing of ours is told of it
            await anyio.sleep(0.03)


def story(phone: Phone) -> list[Stretch]:
    """What a phone heard from its answer on, tone by tone."""
    assert phone.heard, "the phone has recorded nothing"
    return without_seams(timeline(read(phone.heard.path), TONES))


def sounds(phone: Phone) -> list[str]:
    return [stretch.sound for stretch in story(phone)]


def heard(phone: Phone) -> Samples:
    assert phone.heard
    return read(phone.heard.path)


def assert_heard_whole(clip: Samples, phone: Phone) -> float:
    """A clip was heard from its start to its end; returns when it began, in seconds."""
    found = find(clip, heard(phone))
    assert found.score > 0.8, found
    assert found.whole(clip), found
    return found.at


def _sound(file: Path, frequency: int, seconds: float) -> None:
    samples = tone(frequency, seconds)
    with wave.open(str(file), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes((samples * 32767).astype(np.int16).tobytes())
