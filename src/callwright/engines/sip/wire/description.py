"""Session descriptions of far ends: what their SDP says, as far as it matters to us (RFC 8866).

Read leniently: of what does not matter to the audio, nothing makes a description unusable.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from callwright.engines.media.codec import STATIC
from callwright.engines.sip.wire.crypto import Crypto, parse_crypto

PLAIN, SECURE = "RTP/AVP", "RTP/SAVP"
# RFC 4585 4, RFC 5124: with early feedback, which may be offered and need not be given.
_PLAIN, _SECURE = frozenset({PLAIN, "RTP/AVPF"}), frozenset({SECURE, "RTP/SAVPF"})

DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})

_CRYPTO_AT_MOST = 16
_LINES_AT_MOST = 2000
_MEDIA_AT_MOST = 16
_FORMATS_AT_MOST = 64
_BLANKS = " \t\0"

_MEDIA = re.compile(r"(\S{1,32})\s+(\d{1,5})(?:/\d{1,5})?\s+(\S{1,64})((?:\s+\S{1,32})*)", re.ASCII)
_RTPMAP = re.compile(
    r"\s*(\d{1,3})\s+([^/\s]{1,64})\s*/\s*(\d{1,6})(?:\s*/\s*(\d{1,3}))?(?:\s.*)?", re.ASCII
)
_RTCP = re.compile(r"\s*(\d{1,5})(?:\s.*)?", re.ASCII)


class UnusableSdp(ValueError):
    """The description cannot be worked with; the text says why."""


class NoCommonCodec(UnusableSdp):
    """There is audio, but nothing in it that we speak."""


@dataclass(slots=True)
class MediaLine:
    """One m= section of the far end."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    host: str | None = None
    "Address or name of its own c= line, else of the session's; empty if that is of another kind."
    direction: str = ""
    maps: dict[int, tuple[str, int]] = field(default_factory=dict)
    "Encoding name in capitals, and clock rate, by payload type."
    crypto: list[Crypto] = field(default_factory=list)
    "Keys for SRTP, as far as we can work with them."
    rtcp_port: int | None = None
    "Of RTCP, where that is not RTP's next (RFC 3605)."

    @property
    def is_secure(self) -> bool:
        return self.protocol.upper() in _SECURE

    @property
    def is_usable(self) -> bool:
        """Whether it is audio over RTP that is not refused, and not secured by what we lack."""
        if self.kind.lower() != "audio" or not self.port:
            return False
        return self.protocol.upper() in _PLAIN or (self.is_secure and bool(self.crypto))

    def payload_types(self) -> Iterator[int]:
        for word in self.formats:
            if word.isascii() and word.isdecimal() and int(word) < 128:
                yield int(word)

    def encoding(self, kind: int) -> tuple[str, int]:
        """Name and clock of a payload type: what rtpmap says, else the table of RFC 3551."""
        static, mapped = STATIC.get(kind), self.maps.get(kind)
        # There are phones that say G722/16000 of payload type 9, whose clock is 8000 all the same.
        if static is not None and (mapped is None or mapped[0] == static.name):
            return static.name, static.clock
        return mapped or ("", 0)


@dataclass(frozen=True, slots=True)
class Description:
    """A far end's SDP, as far as it matters to us."""

    media: tuple[MediaLine, ...]
    audio: tuple[MediaLine, ...]
    "Audio sections that we can work with: those over SRTP first, each kind in its order."


def parse(body: bytes) -> Description:
    """Read a description. Raises `UnusableSdp`."""
    if not body.strip():
        raise UnusableSdp("no SDP")
    host, direction = "", ""
    media: list[MediaLine] = []
    for kind, value in _fields(body):
        match kind:
            case "m":
                media.append(_media_line(value))
                if len(media) > _MEDIA_AT_MOST:
                    raise UnusableSdp("too many media lines in the SDP")
            case "c" if media:
                media[-1].host = _host(value)
            case "c":
                host = _host(value)
            case "a" if media:
                _note_attribute(media[-1], value)
            case "a" if (said := value.lower()) in DIRECTIONS:
                direction = said
    for line in media:
        line.host = host if line.host is None else line.host
        line.direction = line.direction or direction or "sendrecv"
    audio = [line for line in media if line.is_usable]
    if len(audio) > 1:
        audio.sort(key=lambda line: not line.is_secure)
    return Description(tuple(media), tuple(audio))


def _note_attribute(line: MediaLine, value: str) -> None:
    name, _, rest = value.partition(":")
    match name.rstrip().lower():
        case "rtpmap" if mapped := _RTPMAP.fullmatch(rest):
            line.maps[int(mapped[1])] = _mapped(mapped[2], mapped[3], mapped[4])
        case "rtcp" if named := _RTCP.fullmatch(rest):
            line.rtcp_port = int(named[1])
        case "crypto" if len(line.crypto) < _CRYPTO_AT_MOST:
            if (crypto := parse_crypto(value)) is not None:
                line.crypto.append(crypto)
        case said if said in DIRECTIONS:
            line.direction = said


def _fields(body: bytes) -> Iterator[tuple[str, str]]:
    # Not splitlines: in a name, other characters may stand that Unicode ends a line by.
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if len(lines) > _LINES_AT_MOST:
        raise UnusableSdp("too many lines in the SDP")
    for given in lines:
        line = given.strip(_BLANKS)
        if line[1:2] == "=":
            yield line[0], line[2:].lstrip(_BLANKS)


def _media_line(value: str) -> MediaLine:
    words = _MEDIA.fullmatch(value)
    if words is None or int(words[2]) > 65535:
        raise UnusableSdp("malformed media line in the SDP")
    formats = words[4].split()[:_FORMATS_AT_MOST]
    if not formats and int(words[2]):
        raise UnusableSdp("no formats in a media line of the SDP")
    return MediaLine(words[1], int(words[2]), words[3], formats or ["0"])


def _host(value: str) -> str:
    words = value.split()
    if len(words) < 3 or words[0].upper() != "IN" or words[1].upper() not in ("IP4", "IP6"):
        return ""
    return words[2].partition("/")[0]


def _mapped(name: str, clock: str, channels: str | None) -> tuple[str, int]:
    """Read what rtpmap says of a payload type."""
    name = name.upper()
    # We have no sound of two channels but Opus, where the number says nothing (RFC 7587 7).
    mono = channels is None or int(channels) == 1 or name == "OPUS"
    return name if mono else f"{name}/{channels}", int(clock)
