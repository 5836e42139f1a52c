"""Playback to a party: a message once, then music until further notice."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, Self

import anyio
import anyio.lowlevel

from callwright.calls import events
from callwright.calls.events import SessionEvent
from callwright.calls.leg import Leg
from callwright.calls.plan import Message, MessageUnavailable
from callwright.calls.renamed_legs import RenamedLegs
from callwright.engines.port import LegGone, Media, PlaybackId

if TYPE_CHECKING:
    from callwright.calls.bridges import Bridges

TURNS = 5
"""Of the event loop, in which whoever waits for a message may end the sound. No time goes by in
them, so music that goes on is not later for it."""
SOON = 0.25
"Seconds in which speech may come without music before it, which would be a blip."
AT_LEAST = 0.5
"Seconds of that music, for the same reason."


class Room(Protocol):
    """A session, as far as those know it who make something heard in it."""

    engine: RenamedLegs
    next_id: Callable[[], int]
    playing: dict[PlaybackId, Callable[[], None]]
    waiting_music: Message | None
    "What is heard while a text is still being made into speech."
    bridges: "Bridges"

    def tell(self, kind: type[SessionEvent], **facts: Any) -> None: ...

    def start_soon(
        self, helper: Callable[..., Coroutine[Any, Any, None]], *args: object
    ) -> None: ...


class Rung(Protocol):
    """A party, as far as somebody knows it who waits for it."""

    when_early: Callable[[Leg], None] | None


class PlaybackQueue:
    """A ``with`` block during which a party hears something; leaving the block ends the sound.

    The sound is started by a task of the session's, so entering never waits. Nothing is raised into
    the block: a message that cannot be played counts as heard (an event says why), and a party that
    has gone is noticed by ``present``.
    """

    def __init__(
        self, room: Room, leg: Leg | None, message: Message | None, then: Message | None
    ) -> None:
        self.finished = anyio.Event()
        "Set when the message has been heard to its end (at once if there is none)."
        self.failed = False
        "The message could not be played, and counts as heard nevertheless."
        self._room = room
        self._leg = leg
        self._message = message
        self._music = then
        self._scope = anyio.CancelScope()
        self._sound: _Sound | None = None

    def __enter__(self) -> Self:
        if self._message is None:
            self.finished.set()
        self._start(self._message)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the sound at once; without effect if there is none."""
        self._scope.cancel()
        if self._sound:
            self._sound.stop()
            self._sound = None

    @contextmanager
    def gives_way_to(self, other: Rung) -> Iterator[None]:
        """In the block, the early media of ``other`` is heard instead, as soon as there is any."""
        joined = None

        def switch(ringing: Leg) -> None:
            nonlocal joined
            if self._leg:
                self.stop()
                joined = self._room.bridges.join_early(self._leg, ringing)

        other.when_early = switch
        try:
            yield
        finally:
            other.when_early = None
            if joined is not None:
                self._room.engine.unbridge(joined)
                self._start(None)

    def _start(self, message: Message | None) -> None:
        if self._leg is None or (message is None and self._music is None):
            return
        self._scope = anyio.CancelScope()
        self._room.start_soon(self._perform, self._scope, self._leg, message)

    async def _perform(self, scope: anyio.CancelScope, leg: Leg, message: Message | None) -> None:
        with scope:
            if message:
                await self._play_through(scope, leg, message)
                self.finished.set()
            if self._music:
                # Who has waited for the message may have no more use for music: no blip of it.
                for _ in range(TURNS):
                    await anyio.lowlevel.checkpoint()
                await self._play_on(scope, leg, self._music)

    async def _play_on(self, scope: anyio.CancelScope, leg: Leg, music: Message) -> None:
        media = await self._audio(leg, music)
        if media and not scope.cancel_called:
            self._sound = self._sounding(leg, music, media, loop=True)

    async def _play_through(self, scope: anyio.CancelScope, leg: Leg, message: Message) -> None:
        audio = self._audio if message.is_ready else self._audio_after_music
        media = await audio(leg, message)
        if media is None or scope.cancel_called:
            return
        self._sound = sound = self._sounding(leg, message, media, loop=False)
        if sound:
            await sound.ended.wait()
            self._sound = None

    async def _audio_after_music(self, leg: Leg, message: Message) -> Media | None:
        """Wait for a message that is still being made; music passes the time."""
        music = self._music or self._room.waiting_music
        if music is None:
            return await self._audio(leg, message)
        made: list[Media | None] = []
        ready = anyio.Event()

        async def make() -> None:
            made.append(await self._audio(leg, message))
            ready.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(make)
            with anyio.move_on_after(SOON):
                await ready.wait()
            if not ready.is_set():
                await self._play_on(self._scope, leg, music)
                await anyio.sleep(AT_LEAST)
        if self._sound:
            self._sound.stop()
            self._sound = None
        return made[0]

    async def _audio(self, leg: Leg, message: Message) -> Media | None:
        try:
            return await message.audio()
        except MessageUnavailable as reason:
            self.failed = True
            self._room.tell(
                events.MessageFailed, leg=leg.id, label=message.label, reason=str(reason)
            )
            return None

    def _sounding(self, leg: Leg, message: Message, media: Media, *, loop: bool) -> "_Sound | None":
        try:
            return _Sound(self._room, leg, message.label, media, loop=loop)
        except LegGone:  # LegEnded is on its way, and ends whoever waits for this sound.
            return None


class _Sound:
    """One playback, with its beginning and end told as events."""

    def __init__(self, room: Room, leg: Leg, label: str, media: Media, *, loop: bool) -> None:
        self.ended = anyio.Event()
        self._room = room
        self._leg = leg
        self._label = label
        self._loop = loop
        self._playback = PlaybackId(self._room.next_id())
        self._room.engine.play(leg.id, self._playback, media, loop=loop)
        self._room.playing[self._playback] = self.finish
        started = events.MusicStarted if loop else events.MessageStarted
        self._room.tell(started, leg=leg.id, label=label)

    def finish(self) -> None:
        """Take the fact that it was played to its end."""
        self._room.tell(events.MessageFinished, leg=self._leg.id, label=self._label, whole=True)
        self.ended.set()

    def stop(self) -> None:
        if self._room.playing.pop(self._playback, None) is None:
            return
        self._room.engine.stop(self._playback)
        if self._loop:
            self._room.tell(events.MusicStopped, leg=self._leg.id, label=self._label)
        else:
            self._room.tell(
                events.MessageFinished, leg=self._leg.id, label=self._label, whole=False
            )
