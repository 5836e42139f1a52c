"""Board of live calls: made HTML once for all who look at it, and brought to them as it changes.

Readers of one account, one language and the same rights share what is made. Changes are gathered
for a moment, so that a call that tells ten things at once is drawn once.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import anyio

from callwright.calls.plan import SessionId
from callwright.calls.state import State
from callwright.console.pages import Pages
from callwright.console.translations import Language
from callwright.directory.model import AccountId
from callwright.methods.live_board import BoardCall, LiveBoard

GATHERED_FOR = 0.25
"Seconds."
READERS_AT_MOST = 200
READERS_PER_ACCOUNT = 50


class TooManyReaders(Exception):
    """As many look at boards as may."""


class Share(NamedTuple):
    """Whose readers see the very same: an account, in a language, with the same rights."""

    account: AccountId
    language: Language
    may: frozenset[str]
    "Methods that the reader may call."


@dataclass(frozen=True, slots=True)
class Person:
    """An employee, as a board names them."""

    id: int
    name: str
    number: str
    "Of the phone that is rung first; empty: there is none."


@dataclass(eq=False, slots=True)
class BoardReader:
    share: Share
    people: tuple[Person, ...]
    changed: set[SessionId] = field(default_factory=set)
    woken: anyio.Event = field(default_factory=anyio.Event)

    def take(self, session: SessionId) -> None:
        self.changed.add(session)
        self.woken.set()


@dataclass(slots=True)
class Drawn:
    """What was last made of a call, for those who ask for the same next."""

    call: BoardCall
    html: str


class Board:
    """All boards. `html` is a whole one, `changes` what comes after it."""

    def __init__(self, live: LiveBoard, pages: Pages, gathered_for: float = GATHERED_FOR) -> None:
        self._live = live
        self._pages = pages
        self._gathered_for = gathered_for
        self._readers: set[BoardReader] = set()
        self._drawn: dict[tuple[Share, SessionId], Drawn] = {}
        self._beside: dict[tuple[str, tuple[Person, ...]], tuple[Mapping[str, object], str]] = {}
        "What was last made of the rest, and of what."

    def calls(self, account: AccountId) -> list[BoardCall]:
        """Newest first."""
        return self._live.calls(account)[::-1]

    def call_html(self, share: Share, call: BoardCall, csrf: str = "") -> str:
        """One call. ``csrf``: for forms of one session, which no other reader is shown."""
        facts = {"call": call, "may": share.may, "csrf": csrf}
        if csrf:
            return self._pages.fragment(share.language, "_call.html", facts)
        drawn = self._drawn.get((share, call.session))
        if drawn is None or drawn.call != call:
            drawn = Drawn(call, self._pages.fragment(share.language, "_call.html", facts))
            self._drawn[share, call.session] = drawn
        return drawn.html

    @contextmanager
    def read(self, share: Share, people: tuple[Person, ...]) -> Iterator[BoardReader]:
        """Look at a board while the block runs. Raises `TooManyReaders`."""
        mine = sum(one.share.account == share.account for one in self._readers)
        if mine >= READERS_PER_ACCOUNT or len(self._readers) >= READERS_AT_MOST:
            raise TooManyReaders
        reader = BoardReader(share, people)
        self._readers.add(reader)
        if len(self._readers) == 1:
            self._live.listeners.append(self._changed)
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._live.listeners.remove(self._changed)
                self._drawn.clear()
                self._beside.clear()

    def _changed(self, session: SessionId) -> None:
        for reader in self._readers:
            reader.take(session)

    async def changes(self, reader: BoardReader) -> AsyncGenerator[str, None]:
        """HTML that brings a board up to date: at once all of it, then what changes; for ever."""
        share = reader.share
        shown = {call.session: call for call in self.calls(share.account)}
        beside = self.beside_html(share.language, shown.values(), reader.people)
        yield f"{self._all(share, shown.values())}{beside}"
        while True:
            await reader.woken.wait()
            # The first change of many: the others come within a moment.
            await anyio.sleep(self._gathered_for)
            reader.woken = anyio.Event()
            changed, reader.changed = reader.changed, set()
            pieces = [*self._pieces(share, changed, shown)]
            before, beside = (
                beside,
                self.beside_html(share.language, shown.values(), reader.people),
            )
            if pieces:
                yield "".join([*pieces, beside if beside != before else ""])

    def _pieces(
        self, share: Share, changed: Iterable[SessionId], shown: dict[SessionId, BoardCall]
    ) -> Iterator[str]:
        for session in sorted(changed):
            before, now = shown.get(session), self._live.call(share.account, session)
            if now is None:
                self._drawn.pop((share, session), None)
                if shown.pop(session, None):
                    yield f'<li id="call-{session}" hx-swap-oob="delete"></li>'
            elif before is None:
                shown[session] = now
                yield (f'<ol id="calls" hx-swap-oob="afterbegin">{self.call_html(share, now)}</ol>')
            elif before != now:
                shown[session] = now
                html = self.call_html(share, now)
                yield html.replace("<li ", '<li hx-swap-oob="outerMorph" ', 1)

    def _all(self, share: Share, calls: Iterable[BoardCall]) -> str:
        rows = "".join(self.call_html(share, call) for call in calls)
        return f'<ol id="calls" hx-swap-oob="innerMorph">{rows}</ol>'

    def beside_html(
        self, language: Language, calls: Iterable[BoardCall], people: tuple[Person, ...]
    ) -> str:
        """What stands beside the calls, as it is put in place of what stands there."""
        facts = figures(calls)
        before = self._beside.get((language.code, people))
        if before is not None and before[0] == facts:
            return before[1]
        html = self._pages.fragment(
            language, "_beside.html", {**facts, "people": people, "replaces": True}
        )
        self._beside[language.code, people] = facts, html
        return html


def figures(calls: Iterable[BoardCall]) -> Mapping[str, object]:
    """What a board says beside its calls."""
    calls = [*calls]
    waiting = sorted(call.queue for call in calls if call.queue)
    return {
        "live": len(calls),
        "talking": sum(call.state is State.TALK for call in calls),
        "waiting": len(waiting),
        "queues": Counter(waiting),
        "busy": {
            leg.employee: leg.state.value
            for call in calls
            for leg in call.legs
            if leg.employee is not None
        },
    }
