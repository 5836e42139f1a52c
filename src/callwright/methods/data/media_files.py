"""Media files: get.media_files, and create, update and delete of ours.

Audio comes in base64 here, or, where it is larger than a request may be, by ``POST /media``.
"""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from typing import IO, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from callwright.calls.durations import whole_seconds
from callwright.directory.editing import MediaEditor, MediaGone
from callwright.directory.entries import Text
from callwright.directory.media import MediaFault, StoredMedia
from callwright.directory.media_upload import IntakeBusy, MediaUpload
from callwright.directory.model import MediaFileId
from callwright.methods import errors
from callwright.methods.data.entity_method import (
    DEPENDENCY,
    DONE,
    DUPLICATE,
    NOT_FOUND,
    UNUSABLE,
    Done,
    OfEntity,
    answering,
    deletion,
    entity_declaration,
)
from callwright.methods.data.list_fields import (
    UNFILTERABLE,
    UNSORTABLE,
    Always,
    MadeOf,
    Stored,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Id, Method, Params, described

Keep: TypeAlias = Callable[[StoredMedia], Awaitable[MediaFileId]]
"Puts audio into the directory. May raise `MediaGone`, and what `answering` answers."

ATTEMPTS = 3
"To keep audio that somebody else removes at the same time."


def _base64(text: str) -> str:
    try:
        b64decode(text, validate=True)
    except binascii.Error as fault:
        raise ValueError("not base64") from fault
    return text


Content = Annotated[str, Field(min_length=1), AfterValidator(_base64)]


class CreateMediaFile(Params):
    name: Text
    "Unique in the account."
    content: Content
    """The file in base64: WAV, MP3, Ogg, FLAC, M4A and others. A request may have `http.body_limit`
    bytes, which is 48 KB of audio unless set otherwise; larger files go to `POST /media`."""


class UpdateMediaFile(Params):
    id: Id
    "Which one. What is left out stays."
    name: Text | None = None
    "Unique in the account."
    content: Content | None = None
    "Audio in place of what is there, in base64."


class UploadMediaFile(Params):
    """The fields of a form for ``POST /media`` beside ``file``."""

    id: Id | None = None
    "A media file that gets this audio; left out: a new one is created."
    name: Text | None = None
    "Unique in the account; left out: that of the file, without its ending."


@described
class MadeMediaFile(TypedDict):
    id: int
    duration: int
    "Seconds."
    size: int
    "Bytes of what is played: WAV, mono, 16 bit, 16000 Hz, made equally loud."


@described
class ShownMediaFile(TypedDict):
    id: int
    name: str
    duration: int
    "Seconds."
    size: int
    "Bytes."
    type: Annotated[Literal["user", "system"], Stored("is_system", {True: "system", False: "user"})]
    "Those of the system are every account's, and cannot be changed."
    normalization: Annotated[bool, Always(True)]
    "Always true: all files are made equally loud."
    play_link: Annotated[str, MadeOf("id"), UNSORTABLE, UNFILTERABLE]
    "Where it is fetched, without a token, for a while; `&format=mp3` or `opus` may be added."


BUSY = errors.ServiceBusy.mnemonic

GET_MEDIA_FILES = list_declaration(
    "get.media_files",
    ShownMediaFile,
    table="media_files",
    params=ListRequest,
    summary="List what can be played.",
)
CREATE_MEDIA_FILES = entity_declaration(
    "create.media_files",
    CreateMediaFile,
    summary="Create a media file; see also `POST /media`.",
    errors=(DUPLICATE, UNUSABLE, BUSY),
    result=MadeMediaFile,
)
UPDATE_MEDIA_FILES = entity_declaration(
    "update.media_files",
    UpdateMediaFile,
    summary="Rename a media file, or replace its audio.",
    errors=(NOT_FOUND, DUPLICATE, UNUSABLE, BUSY),
)
DELETE_MEDIA_FILES = deletion(
    "delete.media_files",
    summary="Delete a media file that no scenario plays.",
    errors=(DEPENDENCY,),
)
UPLOAD = entity_declaration(
    "create.media_files",
    UploadMediaFile,
    summary="The same by `POST /media`.",
    errors=(NOT_FOUND, DUPLICATE, UNUSABLE, BUSY),
    result=MadeMediaFile,
)
DECLARATIONS = (GET_MEDIA_FILES, CREATE_MEDIA_FILES, UPDATE_MEDIA_FILES, DELETE_MEDIA_FILES)


class MediaFiles:
    def __init__(self, editor: MediaEditor, intake: MediaUpload) -> None:
        self._editor = editor
        self._intake = intake

    def methods(self) -> Sequence[Method[Any]]:
        return (
            CREATE_MEDIA_FILES.served_by(self.create),
            UPDATE_MEDIA_FILES.served_by(self.update),
            DELETE_MEDIA_FILES.served_by(self.delete),
        )

    async def create(self, caller: Caller, params: CreateMediaFile) -> MadeMediaFile:
        content = BytesIO(b64decode(params.content))
        return await self.add(caller, params.name, content, field="content")

    async def add(
        self, caller: Caller, name: str, content: IO[bytes], *, field: str
    ) -> MadeMediaFile:
        """Make a media file of audio that a parameter has brought, and ``field`` names."""

        async def keep(audio: StoredMedia) -> MediaFileId:
            return await self._editor.add_media_file(caller.account.id, name, audio)

        return await self._kept(content, field, keep)

    async def update(self, caller: Caller, params: UpdateMediaFile) -> Done:
        file = MediaFileId(params.id)
        if params.content is None:
            with answering():
                await self._editor.change_media_file(caller.account.id, file, params.name, None)
            return DONE
        content = BytesIO(b64decode(params.content))
        await self.replace(caller, file, params.name, content, field="content")
        return DONE

    async def replace(
        self,
        caller: Caller,
        file: MediaFileId,
        name: str | None,
        content: IO[bytes],
        *,
        field: str,
    ) -> MadeMediaFile:
        """Put other audio in the place of a media file's; ``field`` names what has brought it."""

        async def keep(audio: StoredMedia) -> MediaFileId:
            await self._editor.change_media_file(caller.account.id, file, name, audio)
            return file

        return await self._kept(content, field, keep)

    async def delete(self, caller: Caller, params: OfEntity) -> Done:
        with answering():
            await self._editor.remove_media_file(caller.account.id, MediaFileId(params.id))
        return DONE

    async def _kept(self, content: IO[bytes], field: str, keep: Keep) -> MadeMediaFile:
        try:
            async with self._intake.brought(content) as source:
                for attempt in range(1, ATTEMPTS + 1):
                    audio = await self._intake.take_in(source)
                    try:
                        with answering():
                            made = await keep(audio)
                    except MediaGone:
                        if attempt == ATTEMPTS:
                            raise
                    else:
                        return {
                            "id": made,
                            "duration": whole_seconds(audio.duration),
                            "size": audio.size,
                        }
        except MediaFault as fault:
            raise errors.Unusable(
                field=field, reason=f"The audio cannot be used: {fault}"
            ) from None
        except IntakeBusy:
            raise errors.ServiceBusy from None
        raise AssertionError("the last attempt returns or raises")
