"""Journal file: the dialog journal on disk, which a crash of ours leaves behind for the next start.

There is no secret in the file, but there are phone numbers: only its owner may read it.

Each line is a checksum and a JSON object, so a line torn by a crash is known as such. It names the
instance whose call it is, so a copy of the file is of no use to another one. Lines are only ever
added, off the event loop; now and then the file is written anew without the dead ones.
"""

import asyncio
import json
import logging
import math
import os
import zlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.dialog.dialog_journal import OpenDialog
from callwright.engines.sip.wire.hop import Hop, Transport, Trust
from callwright.worker_thread import WorkerThread

log = logging.getLogger(__name__)

DIALOGS_AT_MOST = 20_000
"Open calls remembered; further ones are not."
LINE_AT_MOST = 8192
"Bytes of one line. A call whose route is longer is not remembered."
FILE_AT_MOST = 1 << 28
"Bytes of the file that are read; one we wrote ourselves is smaller."
SLACK = 1000
"Dead lines the file may have beside as many as it has live ones."
PAUSE = 0.02
"""Seconds between two writes, so that a thread and a disk are asked once for what many calls have
to say. The ACK of a call waits for it (`JournalFile.when_written`)."""
STRUCK_OUT_WITHIN = 0.5
"""Seconds in which a call that is over is struck out, together with whatever is written meanwhile.
A crash in between costs its far end a BYE, which it answers by 481."""

Key = tuple[str, str]
"Call-ID and the far end's tag: a fork may answer one Call-ID twice."


class JournalFile:
    """A `DialogJournal` in a file, written while it is `kept`. `opened` and `closed` never wait."""

    def __init__(self, path: Path, instance: str) -> None:
        """``instance``: see `callwright.engines.sip.instance.instance_of`."""
        self._path = path
        self._instance = instance
        self._open: dict[Key, bytes] = {}
        "The latest line of each open call."
        self._unwritten: list[bytes] = []
        self._fresh: set[str] = set()
        "Call-IDs of calls whose first line is not on disk."
        self._waiting: list[tuple[str, Callable[[], None]]] = []
        "What is to be called, and for which call's line it waits."
        self._lines = 0
        "Lines in the file."
        self._rewrite = False
        self._thread = WorkerThread("open-legs")
        self._writing: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timed_for = 0.0
        self._due = math.inf
        "By when what is unwritten is to be written, by the loop's clock."
        self._not_before = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        "While the file is kept."
        self._fault: int | None = None
        "The ``errno`` that has been told."

    async def read(self) -> list[OpenDialog]:
        """Return what the last run has left open; it stays on record until it is `closed`.

        What another instance has left open is not ours to end, and is forgotten here.
        """
        found = await asyncio.to_thread(_read, self._path, self._instance)
        for call in found[:DIALOGS_AT_MOST]:
            self._open[_key(call.dialog)] = _line_of(call, self._instance)
        # Whatever was torn or dead in the file goes before anything is added to it.
        self._rewrite = True
        self._write_within(0.0)
        return found

    def opened(self, call: OpenDialog) -> None:
        key, line = _key(call.dialog), _line_of(call, self._instance)
        if len(line) > LINE_AT_MOST:
            self.closed(call.dialog)  # better nothing than what no longer holds
        elif self._open.get(key) != line and (
            key in self._open or len(self._open) < DIALOGS_AT_MOST
        ):
            if key not in self._open:
                self._fresh.add(call.dialog.call_id)
            self._open[key] = line
            self._add(line, within=0.0)

    def closed(self, dialog: Dialog) -> None:
        key = _key(dialog)
        if self._open.pop(key, None) is not None:
            self._add(_line({"ended": list(key)}), within=STRUCK_OUT_WITHIN)

    def when_written(self, call_id: str, then: Callable[[], None]) -> bool:
        """Call ``then`` once a call is on record; False if there is nothing to wait for."""
        if call_id not in self._fresh:
            return False
        self._waiting.append((call_id, then))
        return True

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Write while the block runs, and at its end what is left."""
        self._loop = asyncio.get_running_loop()
        self._set_timer()
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                while self._writing or self._due < math.inf:
                    await asyncio.wait([self._writing or self._hand_over()])
            self._loop = None
            self._thread.close()

    def _write_within(self, seconds: float) -> None:
        self._due = min(self._due, asyncio.get_running_loop().time() + seconds)
        self._set_timer()

    def _set_timer(self) -> None:
        # One write at a time, so that the lines of one call stay in their order.
        if self._loop is None or self._writing or self._due == math.inf:
            return
        at = max(self._due, self._not_before)
        if self._timer is not None:
            if self._timed_for <= at:
                return
            self._timer.cancel()
        self._timer, self._timed_for = self._loop.call_at(at, self._hand_over), at

    def _hand_over(self) -> "asyncio.Future[None]":
        """Have the thread write what is unwritten."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due = None, math.inf
        self._writing = writing = self._thread.run(self._take())
        writing.add_done_callback(partial(self._wrote, frozenset(self._fresh)))
        return writing

    def _wrote(self, calls: Collection[str], writing: "asyncio.Future[None]") -> None:
        assert self._loop
        self._writing, self._not_before = None, self._loop.time() + PAUSE
        self._tell_written(calls)
        self._set_timer()
        writing.result()

    def _tell_written(self, calls: Collection[str]) -> None:
        """Say that what could be put on record of these calls has been."""
        self._fresh.difference_update(calls)
        waiting, self._waiting = self._waiting, []
        for call_id, then in waiting:
            if call_id in calls:
                then()
            else:
                self._waiting.append((call_id, then))

    def _add(self, line: bytes, *, within: float) -> None:
        self._unwritten.append(line)
        # A disk that hangs must not fill the memory: what is open is known anyway.
        if len(self._unwritten) > len(self._open) + SLACK:
            self._rewrite = True
            self._unwritten.clear()
        self._write_within(within)

    def _take(self) -> Callable[[], None]:
        """Take what is to be written; return what writes it, in any thread."""
        lines, self._unwritten = self._unwritten, []
        if self._rewrite or self._lines + len(lines) > 2 * len(self._open) + SLACK:
            self._rewrite = False
            lines = list(self._open.values())
            self._lines = len(lines)
            return lambda: self._write(lines, anew=True)
        self._lines += len(lines)
        return lambda: self._write(lines, anew=False)

    def _write(self, lines: list[bytes], *, anew: bool) -> None:
        try:
            if anew:
                beside = self._path.with_name(f"{self._path.name}.new")
                beside.unlink(missing_ok=True)
                _append(beside, lines)
                beside.replace(self._path)
            elif lines:
                _append(self._path, lines)
        except OSError as fault:
            self._rewrite = True  # with the next line that comes
            if self._fault != fault.errno:
                self._fault = fault.errno
                log.warning("open calls cannot be put on record: %s", fault)
        else:
            self._fault = None


def _key(dialog: Dialog) -> Key:
    return dialog.call_id, dialog.remote_tag


def _append(path: Path, lines: list[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        left = memoryview(b"".join(lines))
        while left:
            left = left[os.write(file, left) :]
        os.fdatasync(file)
    finally:
        os.close(file)


def _read(path: Path, instance: str) -> list[OpenDialog]:
    """Read what an instance has open; lines that are torn or make no sense are left out."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_AT_MOST)
    except FileNotFoundError:
        return []
    except OSError as fault:
        log.warning("calls left open cannot be read: %s", fault)
        return []
    found: dict[Key, OpenDialog] = {}
    others: set[Key] = set()
    for words in _intact(data.split(b"\n")):
        try:
            if isinstance(ended := words.get("ended"), list):
                call_id, tag = ended
                found.pop((_text(call_id), _text(tag)), None)
                others.discard((_text(call_id), _text(tag)))
            else:
                call = _call_of(words)
                if words.get("instance") == instance:
                    found[_key(call.dialog)] = call
                else:
                    others.add(_key(call.dialog))
        except (KeyError, TypeError, ValueError):
            log.debug("a line of %s makes no sense", path.name)
    if others:
        log.warning(
            "%d calls in %s are another instance's and are left alone: the data folder is a copy, "
            "or the machine or the address of SIP is another one",
            len(others),
            path.name,
        )
    return list(found.values())


def _intact(lines: Iterable[bytes]) -> Iterator[dict[str, object]]:
    for line in lines:
        checksum, _, text = line.partition(b" ")
        if len(line) > LINE_AT_MOST or checksum != b"%08x" % zlib.crc32(text):
            continue
        try:
            words = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(words, dict):
            yield words


def _line(words: dict[str, object]) -> bytes:
    text = json.dumps(words, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _line_of(call: OpenDialog, instance: str) -> bytes:
    dialog = call.dialog
    words: dict[str, object] = {
        "instance": instance,
        "call_id": dialog.call_id,
        "local": dialog.local,
        "remote": dialog.remote,
        "local_tag": dialog.local_tag,
        "remote_tag": dialog.remote_tag,
        "target": dialog.target,
        "cseq": dialog.cseq,
        "route_set": dialog.route_set,
        "seen_at": _words_of(dialog.detour),
        "line": _words_of(call.first_hop),
        "trunk": call.trunk,
    }
    return _line(words)


def _call_of(words: dict[str, object]) -> OpenDialog:
    """Raises KeyError, TypeError or ValueError."""
    route_set = words["route_set"]
    if not isinstance(route_set, list):
        raise TypeError
    dialog = Dialog(
        call_id=_text(words["call_id"]),
        local=_text(words["local"]),
        remote=_text(words["remote"]),
        local_tag=_text(words["local_tag"]),
        remote_tag=_text(words["remote_tag"]),
        target=_text(words["target"]),
        cseq=_number(words["cseq"]),
        route_set=[_text(one) for one in route_set],
        seen_at=_hop_of(words["seen_at"]),
    )
    trunk = words["trunk"]
    return OpenDialog(dialog, _hop_of(words["line"]), None if trunk is None else _text(trunk))


def _words_of(hop: Hop | None) -> dict[str, object] | None:
    if hop is None:
        return None
    return {
        "host": hop.host,
        "port": hop.port,
        "transport": str(hop.transport),
        "name": hop.name,
        "verify": hop.trust.verify,
        "ca": str(hop.trust.ca) if hop.trust.ca is not None else None,
    }


def _hop_of(words: object) -> Hop | None:
    if words is None:
        return None
    if not isinstance(words, dict):
        raise TypeError
    port, ca = words["port"], words["ca"]
    return Hop(
        _text(words["host"]),
        None if port is None else _number(port),
        Transport(_text(words["transport"])),
        _text(words["name"]),
        Trust(words["verify"] is not False, None if ca is None else Path(_text(ca))),
    )


def _text(word: object) -> str:
    if not isinstance(word, str):
        raise TypeError
    return word


def _number(word: object) -> int:
    if not isinstance(word, int) or not 0 <= word < 2**31:
        raise ValueError
    return word
