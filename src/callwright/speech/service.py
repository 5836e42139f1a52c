"""The speech service: a text is spoken while the phone still rings."""

import hashlib
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakValueDictionary

import anyio
import anyio.to_thread

from callwright.calls.plan import Message, MessageUnavailable
from callwright.config import SpeechSettings
from callwright.engines.port import Media
from callwright.speech.cache import SpeechCache
from callwright.speech.frames import Job
from callwright.speech.language import voice_for
from callwright.speech.process import COMMAND, SpeechWorkerLost, WorkerProcess
from callwright.speech.synthesiser import CannotSpeak
from callwright.speech.text import speakable

log = logging.getLogger(__name__)

FORMAT = b"1"
"Counts up when the same text would sound different, so that cached files of old are not used."
WAITING_AT_MOST = 64
"Texts waiting for the worker; one takes it a few hundredths of a second."
ATTEMPTS = 2
FILES_AT_MOST = 5_000
BYTES_AT_MOST = 512 << 20


@dataclass(slots=True, eq=False, weakref_slot=True)
class SpeechJob:
    """One text on its way to audio, shared by all messages with that text."""

    key: str
    text: str
    voice: str
    path: Path | None = None
    fault: str | None = None
    done: anyio.Event = field(default_factory=anyio.Event)

    def finish(self, path: Path) -> None:
        self.path = path
        self.done.set()

    def fail(self, fault: str) -> None:
        self.fault = fault
        self.done.set()

    @property
    def usable(self) -> bool:
        """On its way, or there; not failed, nor gone from the disk."""
        return self.fault is None and (self.path is None or self.path.exists())


@dataclass(frozen=True, slots=True)
class SpokenMessage:
    """A text to be played. While this lives, its audio stays in the cache."""

    speech: SpeechJob
    within: float
    "Seconds `audio` waits at most."
    label: str = "tts"
    is_tts: bool = True

    @property
    def is_ready(self) -> bool:
        return self.speech.done.is_set()

    async def audio(self) -> Media:
        """Return the audio, waiting while it is being made. Raises `MessageUnavailable`."""
        with anyio.move_on_after(self.within):
            await self.speech.done.wait()
        if self.speech.path is None:
            raise MessageUnavailable(self.speech.fault or f"not ready within {self.within:.1f} s")
        return Media(self.speech.path)


class SpeechService:
    """Turns texts into messages: ``prepare`` takes them, ``run`` has them spoken one by one.

    Both belong to one event loop. What is prepared before ``run`` waits for it.
    """

    def __init__(
        self, folder: Path, settings: SpeechSettings, *, command: Sequence[str] = COMMAND
    ) -> None:
        self._settings = settings
        self._worker = WorkerProcess(command)
        self._cache = SpeechCache(folder, files_at_most=FILES_AT_MOST, bytes_at_most=BYTES_AT_MOST)
        self._waiting: deque[SpeechJob] = deque()
        self._called = anyio.Event()
        self._closed = False
        # Those somebody holds a message of: not made twice, not evicted.
        self._speeches: WeakValueDictionary[str, SpeechJob] = WeakValueDictionary()

    async def run(self) -> None:
        """Synthesise what is prepared until cancelled. Raises `OSError` if the folder is no use."""
        self._closed = False
        try:
            await anyio.to_thread.run_sync(self._cache.open)
            while True:
                while self._waiting:
                    await self._make(self._waiting.popleft())
                self._called = anyio.Event()
                await self._called.wait()
        finally:
            self._closed = True
            for speech in self._speeches.values():
                if not speech.done.is_set():
                    speech.fail("the service is shutting down")
            self._waiting.clear()
            await self._worker.close()

    def prepare(self, text: str) -> Message:
        """Start making the audio of ``text``; return at once, whatever becomes of it."""
        words = speakable(text)
        voice = self._settings.voice or voice_for(words)
        key = hashlib.sha256(b"\0".join([FORMAT, voice.encode(), words.encode()])).hexdigest()
        speech = self._speeches.get(key)
        if speech is None or not speech.usable:
            speech = SpeechJob(key, words, voice)
            self._speeches[key] = speech
            self._start(speech)
        # Both attempts, and those of one text that is before us.
        return SpokenMessage(speech, within=(ATTEMPTS + 1) * self._settings.within)

    def _start(self, speech: SpeechJob) -> None:
        if not speech.text:
            speech.fail("there is nothing to say in the text")
        elif self._closed:
            speech.fail("the service is shutting down")
        elif path := self._cache.find(speech.key):
            speech.finish(path)
        elif len(self._waiting) >= WAITING_AT_MOST:
            log.warning("text not spoken: %d others are waiting", len(self._waiting))
            speech.fail("too many texts are waiting to be spoken")
        else:
            self._waiting.append(speech)
            self._called.set()

    async def _make(self, speech: SpeechJob) -> None:
        # Prepared before the cache was read, it may be there all the same.
        if path := self._cache.find(speech.key):
            speech.finish(path)
            return
        job = Job(speech.text, speech.voice, self._settings.within)
        for _ in range(ATTEMPTS):
            try:
                wav = await self._worker.speak(job)
                part = await anyio.to_thread.run_sync(self._cache.write, wav)
                path = self._cache.add(speech.key, part, in_use=self._speeches.__contains__)
            except SpeechWorkerLost as fault:
                log.warning("the speech worker is lost and will be restarted: %s", fault)
            except CannotSpeak as reason:
                log.warning("text not spoken: %s", reason)
                speech.fail(str(reason))
                return
            except OSError as fault:
                log.error("spoken text not kept: %s", fault)
                speech.fail("the audio could not be written")
                return
            else:
                speech.finish(path)
                return
        speech.fail("the synthesiser failed")
