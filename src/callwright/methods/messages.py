"""Messages in requests: media files and texts to be spoken, checked, found, and made ready."""

import logging
from typing import Literal, Protocol, overload

from callwright.calls.plan import Message, RecordedMessage
from callwright.directory.lookup import Directory
from callwright.directory.model import DIALING_MUSIC, Account, MediaFile, MediaFileId
from callwright.engines.port import Media
from callwright.methods import errors
from callwright.methods.method import Params
from callwright.spoken_text import says_something

log = logging.getLogger(__name__)


class MessageParams(Params):
    """Something to be played to one party."""

    type: Literal["media", "tts"]
    "`media`: a media file; `tts`: a text to be spoken."
    value: str
    "Id of the media file, as a string; or the text, in which there has to be a letter or digit."


class SpeechSynthesis(Protocol):
    """Turns text into a message; the synthesis starts with the call of `prepare`."""

    def prepare(self, text: str) -> Message: ...


class Found:
    """A message of a request that can be played; `ready` is called when the request is accepted."""

    def __init__(self, speech: SpeechSynthesis, text: str, file: MediaFile | None) -> None:
        self._speech = speech
        self._text = text
        self._file = file

    def ready(self) -> Message:
        """Return the message; a text begins to be spoken with this call."""
        return recorded(self._file) if self._file else self._speech.prepare(self._text)


def recorded(file: MediaFile) -> RecordedMessage:
    return RecordedMessage(Media(file.path), f"media {file.id}")


def ready(found: Found | None) -> Message | None:
    return found.ready() if found else None


class Messages:
    """``tts_length_limit``: longest text, in characters."""

    def __init__(
        self, directory: Directory, speech: SpeechSynthesis, *, tts_length_limit: int
    ) -> None:
        self._directory = directory
        self._speech = speech
        self._tts_length_limit = tts_length_limit

    def check(self, field: str, message: MessageParams | None) -> None:
        """Refuse what is wrong by itself. Raises `InvalidParameterValue`, `TtsTextExceeded`."""
        if message is None:
            return
        value = message.value
        if message.type == "media":
            if not (value.isascii() and value.isdigit() and len(value) <= 16):
                raise errors.InvalidParameterValue(field=f"{field}.value", value=value)
            return
        if len(value) > self._tts_length_limit:
            raise errors.TtsTextExceeded(
                field=f"{field}.value",
                value=value,
                tts_message_max_length=self._tts_length_limit,
                sent_tts_message_length=len(value),
            )
        if not says_something(value):
            raise errors.InvalidParameterValue(field=f"{field}.value", value=value)

    @overload
    async def find(self, account: Account, field: str, message: MessageParams) -> Found: ...

    @overload
    async def find(
        self, account: Account, field: str, message: MessageParams | None
    ) -> Found | None: ...

    async def find(
        self, account: Account, field: str, message: MessageParams | None
    ) -> Found | None:
        """Look a checked message up. Raises `MediaFileNotFound`."""
        if message is None:
            return None
        if message.type == "tts":
            return Found(self._speech, message.value, None)
        file = await self._file(account, f"{field}.value", int(message.value), message.value)
        return Found(self._speech, "", file)

    async def waiting_music(self, account: Account, file_id: int | None) -> Message:
        """The music of ``media_file_id``, else the system's. Raises `MediaFileNotFound`."""
        if file_id is not None:
            return recorded(await self._file(account, "media_file_id", file_id, file_id))
        file = await self._directory.system_media_file(DIALING_MUSIC)
        if file is None:
            log.error("the system media file %s is missing: run callwright init", DIALING_MUSIC)
            raise errors.InternalError
        return recorded(file)

    async def _file(self, account: Account, field: str, file_id: int, value: object) -> MediaFile:
        if file_id < 1 << 53 and (
            found := await self._directory.media_file(account.id, MediaFileId(file_id))
        ):
            return found
        raise errors.MediaFileNotFound(field=field, value=value, media_file_id=file_id)
