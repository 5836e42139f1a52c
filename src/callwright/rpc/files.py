"""Files over HTTP: recordings and media files by signed links, and media files that come in.

``GET /recordings/<id>`` and ``GET /media/<id>`` need no token but the signature of their link
(`callwright.downloads.links`); they know ranges (RFC 9110 section 14). The same recordings are at
the addresses that clients of the published API compose of session and record id
(`RECORDING_ADDRESSES`), where that id is the secret. ``POST /media`` takes a form
(multipart/form-data) with ``file`` and, if wanted, ``name`` and ``id``; the token stands in its
``Authorization`` header, so that nobody's audio is read before we know whose it is.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePath
from typing import Protocol

import anyio
import anyio.to_thread
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from callwright.config import HttpSettings
from callwright.directory.model import AccountId, MediaFileId
from callwright.downloads.copies import Copies, CopiesBusy
from callwright.downloads.encoding import CONTENT_TYPES, AudioFormat
from callwright.downloads.links import MEDIA, RECORDINGS, LinkExpired, LinkForged, Links
from callwright.methods import errors
from callwright.methods.api_error import ApiError
from callwright.methods.data.media_files import (
    UPLOAD,
    MadeMediaFile,
    MediaFiles,
)
from callwright.methods.method import Caller
from callwright.rpc.auth import ACCESS_TOKEN, Client
from callwright.rpc.client import client_of
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.envelope import Json
from callwright.rpc.file_turns import FileTurns, TooManyLookUps
from callwright.rpc.parameters import read_params

log = logging.getLogger(__name__)
# It warns of every form that is none.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

_JSON = "application/json; charset=utf-8"

RECORD_ID = re.compile(r"[0-9a-f]{32}")
"The id of a recording as clients know it; see `callwright.calls.recording`."

UPLOAD_WITHIN = 600.0
"Seconds a client has to send a file."
UPLOADS_AT_MOST = 8
"Files that are being sent at once, by clients that have shown a token."
UPLOADS_PER_ACCOUNT = 4
"Of them, those for one account."
HEARD_OUT_WITHIN = 10.0
"Seconds for which some of a refused form is still taken."
NAME_AT_MOST = 200
# Bytes of a form that was refused that are still taken; see `http.LISTENED_TO`.
LISTENED_TO = 1 << 20


class NumberConvertor(IntegerConvertor):
    """A number in a path (``{…:number}``), of as many digits as an id may have.

    Of thousands of digits Python makes no number but a ValueError; such an address leads nowhere.
    """

    regex = "[0-9]{1,18}"


register_url_convertor("number", NumberConvertor())

RECORDING_ADDRESSES = {
    "/system/media/talk/{session:number}/{record}": AudioFormat.MP3,
    "/system/media/wav/{session:number}/{record}": AudioFormat.WAV,
    "/system/media/voice_mail/{session:number}/{record}": AudioFormat.MP3,
    "/{session:number}/{record}": AudioFormat.MP3,
}
"""Where the published API's clients look for recordings, with a slash at the end or none, and the
format they expect there."""

_STATUSES: dict[type[ApiError], int] = {
    errors.IpNotWhitelisted: 403,
    errors.Forbidden: 403,
    errors.AccountInactive: 403,
    errors.MethodComponentDisabled: 403,
    errors.LimitExceeded: 429,
    errors.EntityNotFound: 404,
    errors.DuplicateEntity: 409,
    errors.InternalError: 500,
    errors.ServiceBusy: 503,
}
"HTTP says the outcome of an upload, too; 400 is that of all other errors."
COME_AGAIN = 5
"Seconds after which whoever found too much going on may try again."


class Shelf(Protocol):
    """Where the files are that links lead to. None: there is none of this id."""

    async def recording(self, recording: int) -> Path | None: ...

    async def recording_of(self, session: int, record: str) -> Path | None:
        """By the id that clients know it by, which has to be one of this session's."""

    async def media_file(self, file: int) -> Path | None: ...


class Files:
    """``upload_within``: seconds a client has to send a file."""

    def __init__(
        self,
        links: Links,
        shelf: Shelf,
        copies: Copies,
        media: MediaFiles,
        *,
        upload_within: float = UPLOAD_WITHIN,
    ) -> None:
        self._links = links
        self._shelf = shelf
        self._copies = copies
        self._media = media
        self._upload_within = upload_within
        self._look_ups = FileTurns()
        self._uploads: Counter[AccountId] = Counter()

    def routes(self, dispatcher: Dispatcher, settings: HttpSettings) -> list[Route]:
        """``dispatcher``: of the API whose tokens, limits and log uploads have."""

        async def recording(request: Request) -> Response:
            return await self._serve(request, RECORDINGS, self._shelf.recording)

        async def media(request: Request) -> Response:
            return await self._serve(request, MEDIA, self._shelf.media_file)

        async def upload(request: Request) -> Response:
            client = client_of(request, settings.trusted_proxies)
            return await self._upload(request, dispatcher, client, settings.upload_limit)

        async def record(form: AudioFormat, request: Request) -> Response:
            client = client_of(request, settings.trusted_proxies)
            return await self._serve_record(form, request, client)

        addresses = RECORDING_ADDRESSES if settings.recording_addresses else {}
        return [
            Route(f"{RECORDINGS}/{{id:number}}", recording, methods=["GET"]),
            Route(f"{MEDIA}/{{id:number}}", media, methods=["GET"]),
            Route(MEDIA, upload, methods=["POST"]),
            *(
                Route(path + end, partial(record, form), methods=["GET"])
                for path, form in addresses.items()
                for end in ("/", "")
            ),
        ]

    async def _serve_record(self, form: AudioFormat, request: Request, client: Client) -> Response:
        """Serve a recording to whoever knows its id; links and their ends are nothing to it."""
        session, record = request.path_params["session"], request.path_params["record"]
        if session >= 1 << 53 or not RECORD_ID.fullmatch(record):
            return _said(404, "There is no such file any more.")
        try:
            async with self._look_ups.turn(client.address):
                source = await self._shelf.recording_of(session, record)
        except TooManyLookUps:
            return _said(503, "Too many recordings are being asked for; come again.")
        return await self._give(request, source, form, lambda source: source.stem)

    async def _serve(
        self, request: Request, folder: str, find: Callable[[int], Awaitable[Path | None]]
    ) -> Response:
        number: int = request.path_params["id"]
        query = request.query_params
        try:
            path = f"{folder}/{number}"
            self._links.check(path, query.get("expires", ""), query.get("signature", ""))
        except LinkForged:
            return _said(403, "Permission denied.")
        except LinkExpired:
            return _said(410, "This link has expired: ask the API for a new one.")
        source = await find(number) if number < 1 << 53 else None

        def named(source: Path) -> str:
            return source.stem if folder == RECORDINGS else str(number)

        return await self._give(request, source, AudioFormat.WAV, named)

    async def _give(
        self,
        request: Request,
        source: Path | None,
        usual: AudioFormat,
        named: Callable[[Path], str],
    ) -> Response:
        """Give a file, if there is one, in the format asked for; ``named``: what it is saved as."""
        if (asked := request.query_params.get("format", usual)) not in [*AudioFormat]:
            return _said(400, f"The format is one of {', '.join(AudioFormat)}.")
        form = AudioFormat(asked)
        if source is None:
            return _said(404, "There is no such file any more.")
        try:
            file = await self._copies.copy(source, form)
            facts = await anyio.to_thread.run_sync(os.stat, file)
        except FileNotFoundError:
            return _said(404, "There is no such file any more.")
        except CopiesBusy:
            return _said(503, "Too many files are being encoded; come again.")
        except (OSError, ValueError) as fault:
            log.error("%s cannot be given as %s: %s", source.name, form, fault)
            return _said(500, "The file cannot be read.")
        return FileResponse(
            file,
            headers={
                "Cache-Control": "private, max-age=3600",
                "X-Content-Type-Options": "nosniff",
            },
            media_type=CONTENT_TYPES[form],
            filename=f"{named(source)}.{form}",
            stat_result=facts,
            content_disposition_type="inline",
        )

    async def _upload(
        self, request: Request, dispatcher: Dispatcher, client: Client, limit: int
    ) -> Response:
        status, begun = 201, False

        async def take(caller: Caller) -> MadeMediaFile:
            # Only now: whoever has not shown a token takes a place from nobody.
            if not self._has_place_for(caller.account.id):
                raise errors.ServiceBusy
            self._uploads[caller.account.id] += 1
            try:
                return await received(caller)
            finally:
                self._uploads[caller.account.id] -= 1
                self._uploads += Counter()  # leaves out those that are zero

        async def received(caller: Caller) -> MadeMediaFile:
            nonlocal status, begun
            begun = True
            try:
                with anyio.fail_after(self._upload_within):
                    fields, file = await _form(request, limit)
            except _TooLarge:
                status = 413
                raise _refused(f"The request has more than {limit} bytes") from None
            except TimeoutError:
                status = 408
                raise _refused("The file did not come in time") from None
            except (MultiPartException, ClientDisconnect) as fault:
                raise _refused("A whole form is needed: multipart/form-data") from fault
            try:
                return await self._take(caller, fields, file)
            finally:
                await file.close()

        answer, fault = await dispatcher.carry_out(UPLOAD, client, take)
        if fault is None:
            return Response(answer, status, media_type=_JSON)
        if fault.field == ACCESS_TOKEN:
            status = 401
        elif status == 201:
            status = _STATUSES.get(type(fault), 400)
        if begun or "expect" not in request.headers:
            # Who waits for our word has sent nothing, and listening would give it.
            await self._listen_out(request)
        return Response(answer, status, {"Connection": "close", **_again(status)}, _JSON)

    def _has_place_for(self, account: AccountId) -> bool:
        mine = self._uploads[account]
        return mine < UPLOADS_PER_ACCOUNT and self._uploads.total() < UPLOADS_AT_MOST

    async def _listen_out(self, request: Request) -> None:
        """Take some of what is still being sent, so that the client gets to see the answer."""
        length = 0
        # RuntimeError: it has been read to its end.
        with anyio.move_on_after(HEARD_OUT_WITHIN), suppress(ClientDisconnect, RuntimeError):
            async for chunk in request.stream():
                length += len(chunk)
                if length > LISTENED_TO:
                    break

    async def _take(
        self, caller: Caller, fields: dict[str, Json], file: UploadFile
    ) -> MadeMediaFile:
        params = read_params(UPLOAD, fields, lenient=True)
        if params.id is not None:
            replaced = MediaFileId(params.id)
            return await self._media.replace(caller, replaced, params.name, file.file, field="file")
        name = params.name or PurePath(file.filename or "").stem[:NAME_AT_MOST]
        if not name or not name.isprintable():
            raise errors.RequiredParameterMissed(field="name")
        return await self._media.add(caller, name, file.file, field="file")


class _TooLarge(Exception):
    """More was sent than may be."""


async def _form(request: Request, limit: int) -> tuple[dict[str, Json], UploadFile]:
    """Read a form with a file. Raises `_TooLarge`, `MultiPartException` and `ApiError`."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise MultiPartException("no form")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _TooLarge

    async def bounded() -> AsyncGenerator[bytes, None]:
        length = 0
        async for chunk in request.stream():
            length += len(chunk)
            if length > limit:
                raise _TooLarge
            yield chunk

    parser = MultiPartParser(
        request.headers, bounded(), max_files=1, max_fields=8, max_part_size=4096
    )
    form = await parser.parse()
    file = form.get("file")
    if not isinstance(file, UploadFile):
        await form.close()
        raise errors.RequiredParameterMissed(field="file")
    return {name: value for name, value in form.items() if isinstance(value, str)}, file


def _refused(reason: str) -> errors.Unusable:
    return errors.Unusable(field="file", reason=reason)


def _said(status: int, reason: str) -> Response:
    return PlainTextResponse(reason + "\n", status, _again(status))


def _again(status: int) -> dict[str, str]:
    """Say when to come again, where that is all that can be done (RFC 9110 section 10.2.3)."""
    return {"Retry-After": f"{COME_AGAIN}"} if status == 503 else {}
