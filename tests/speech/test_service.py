"""The speech service: real speech, no text twice, and no harm from a synthesiser that fails."""

import sys
import tempfile
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import numpy as np
import pytest

from callwright.calls.plan import MessageUnavailable
from callwright.config import SpeechSettings
from callwright.speech import service
from callwright.speech.process import COMMAND
from callwright.speech.service import SpeechService
from tests.speech import fake_worker
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

Speaking = Callable[..., AbstractAsyncContextManager[SpeechService]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@asynccontextmanager
async def running(service: SpeechService) -> AsyncIterator[SpeechService]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(service.run)
        try:
            with anyio.fail_after(WITHIN):
                yield service
        finally:
            tasks.cancel_scope.cancel()


@pytest.fixture
def speaking(folder: Path, tmp_path: Path) -> Speaking:
    """A running service whose worker is `fake_worker`."""

    def start(within: float = 10.0) -> AbstractAsyncContextManager[SpeechService]:
        command = [sys.executable, fake_worker.__file__, str(tmp_path)]
        settings = SpeechSettings(voice=None, within=within)
        return running(SpeechService(folder, settings, command=command))

    return start


def jobs(tmp_path: Path) -> list[str]:
    return (tmp_path / "jobs").read_text().splitlines()


def files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_a_greeting_is_spoken_audibly(folder: Path) -> None:
    async with running(SpeechService(folder, SpeechSettings())) as speech:
        media = await speech.prepare("Привет").audio()
    with wave.open(str(media.path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    assert 0.3 < len(samples) / 16000 < 2.0
    assert np.sqrt(np.mean(samples**2)) > 0.03


async def test_languages_and_texts_sound_different(folder: Path) -> None:
    texts = ["Привет", "Здравствуйте, это аптека", "Hello, this is the pharmacy"]
    async with running(SpeechService(folder, SpeechSettings())) as speech:
        sounds = [(await speech.prepare(text).audio()).path.read_bytes() for text in texts]
    assert len(set(sounds)) == 3


async def test_the_voice_of_the_settings_is_used(folder: Path) -> None:
    async with running(SpeechService(folder, SpeechSettings())) as speech:
        russian = (await speech.prepare("Привет").audio()).path.read_bytes()
    async with running(SpeechService(folder, SpeechSettings(voice="bg"))) as speech:
        bulgarian = (await speech.prepare("Привет").audio()).path.read_bytes()
    assert russian != bulgarian


async def test_an_unknown_voice_is_named(folder: Path) -> None:
    async with running(SpeechService(folder, SpeechSettings(voice="nowhere"))) as speech:
        with pytest.raises(MessageUnavailable, match="no voice 'nowhere'"):
            await speech.prepare("Привет").audio()


async def test_a_message_says_that_it_is_spoken(speaking: Speaking) -> None:
    async with speaking() as speech:
        message = speech.prepare("one")
        assert message.is_tts
        assert message.label == "tts"


async def test_preparing_returns_at_once_and_synthesis_starts_without_being_asked(
    speaking: Speaking, tmp_path: Path, folder: Path
) -> None:
    async with speaking() as speech:
        message = speech.prepare("one")
        assert not (tmp_path / "jobs").exists()
        with anyio.fail_after(WITHIN):
            # Nobody asks for the audio: a second text, made after the first, shows it was made.
            await speech.prepare("two").audio()
    assert jobs(tmp_path) == ["one", "two"]
    assert (await message.audio()).path.read_bytes() == b"one"


async def test_what_is_prepared_before_the_start_is_made_after_it(
    speaking: Speaking, folder: Path, tmp_path: Path
) -> None:
    command = [sys.executable, fake_worker.__file__, str(tmp_path)]
    speech = SpeechService(folder, SpeechSettings(), command=command)
    message = speech.prepare("one")
    async with running(speech):
        assert (await message.audio()).path.read_bytes() == b"one"


async def test_the_same_text_is_synthesised_once(speaking: Speaking, tmp_path: Path) -> None:
    async with speaking() as speech:
        one, same = speech.prepare("one"), speech.prepare(" one\n")
        assert await one.audio() == await same.audio()
        assert await speech.prepare("one").audio() == await one.audio()
    assert jobs(tmp_path) == ["one"]


async def test_the_cache_outlives_the_service(speaking: Speaking, tmp_path: Path) -> None:
    async with speaking() as speech:
        before = await speech.prepare("one").audio()
    async with speaking() as speech:
        await speech.prepare("two").audio()
        assert await speech.prepare("one").audio() == before
    assert jobs(tmp_path) == ["one", "two"]


async def test_a_file_that_has_gone_is_made_again(speaking: Speaking, tmp_path: Path) -> None:
    async with speaking() as speech:
        message = speech.prepare("one")
        (await message.audio()).path.unlink()
        assert (await speech.prepare("one").audio()).path.read_bytes() == b"one"
    assert jobs(tmp_path) == ["one", "one"]


async def test_a_worker_that_dies_over_a_job_gets_it_again(
    speaking: Speaking, tmp_path: Path
) -> None:
    async with speaking() as speech:
        media = await speech.prepare("die once").audio()
    assert media.path.read_bytes() == b"die once"
    assert jobs(tmp_path) == ["die once", "die once"]


@pytest.mark.parametrize("text", ["die", "babble", "flood"])
async def test_a_text_that_breaks_the_worker_twice_is_given_up(
    speaking: Speaking, tmp_path: Path, text: str
) -> None:
    async with speaking() as speech:
        with pytest.raises(MessageUnavailable, match="synthesiser failed"):
            await speech.prepare(text).audio()
        assert (await speech.prepare("next").audio()).path.read_bytes() == b"next"
    assert jobs(tmp_path) == [text, text, "next"]


async def test_a_worker_that_hangs_is_killed_and_the_next_text_is_spoken(
    speaking: Speaking,
) -> None:
    async with speaking(within=WITHIN / 30) as speech:
        hanging, following = speech.prepare("hang"), speech.prepare("next")
        with pytest.raises(MessageUnavailable, match="synthesiser failed"):
            await hanging.audio()
        assert (await following.audio()).path.read_bytes() == b"next"


async def test_the_worker_s_own_reason_is_told_and_not_tried_again(
    speaking: Speaking, tmp_path: Path
) -> None:
    async with speaking() as speech:
        with pytest.raises(MessageUnavailable, match="too rude"):
            await speech.prepare("refuse").audio()
    assert jobs(tmp_path) == ["refuse"]


async def test_a_worker_that_cannot_be_started_is_no_more_than_a_missing_message(
    folder: Path,
) -> None:
    command = ["/nonexistent/worker"]
    async with running(SpeechService(folder, SpeechSettings(), command=command)) as speech:
        with pytest.raises(MessageUnavailable):
            await speech.prepare("one").audio()


@pytest.mark.parametrize("text", ["", "  \n", "\0\x01", "\ud800", "...", "\u200b"])
async def test_nothing_to_say_is_told_at_once(speaking: Speaking, text: str) -> None:
    async with speaking() as speech:
        with pytest.raises(MessageUnavailable, match="nothing to say"):
            await speech.prepare(text).audio()


async def test_more_texts_than_may_wait_are_refused(
    speaking: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WAITING_AT_MOST", 3)
    async with speaking() as speech:
        messages = [speech.prepare(f"text {number}") for number in range(4)]
        with pytest.raises(MessageUnavailable, match="too many"):
            await messages[3].audio()
        for message in messages[:3]:
            await message.audio()


async def test_a_killed_worker_leaves_no_files_behind(
    speaking: Speaking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    async with speaking() as speech:
        await speech.prepare("one").audio()
        assert len(files(scratch)) == 1
        with pytest.raises(MessageUnavailable):
            await speech.prepare("die").audio()
        await speech.prepare("two").audio()
        assert len(files(scratch)) == 1
    assert files(scratch) == []


async def test_shutdown_ends_the_worker_and_all_waiting(speaking: Speaking) -> None:
    async with speaking() as speech:
        message = speech.prepare("hang")
        waiting = speech.prepare("next")
        with anyio.move_on_after(0.2):
            await message.audio()
    for late in (message, waiting, speech.prepare("later")):
        with pytest.raises(MessageUnavailable, match="shutting down"):
            await late.audio()


async def test_the_cache_makes_room_but_not_for_what_is_still_needed(
    speaking: Speaking, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FILES_AT_MOST", 2)
    async with speaking() as speech:
        kept = speech.prepare("kept")
        await kept.audio()
        for number in range(5):
            await speech.prepare(f"text {number}").audio()
        assert (await kept.audio()).path.exists()
    assert len(files(folder)) <= 3


def test_the_worker_is_a_fresh_python() -> None:
    """Not a fork of a process with threads and sockets."""
    assert COMMAND[0] == sys.executable
