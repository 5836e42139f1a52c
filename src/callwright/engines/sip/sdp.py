"""SDP: what we offer of audio, and what two sides have agreed on (RFC 8866, RFC 3264)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

from callwright.engines.media.media import Stream

TYPE = "application/sdp"

CODECS = {"PCMA": 8, "PCMU": 0}
"What we speak, best first, with the payload types of RFC 3551."
KEYS = 101
"Payload type we propose for telephone-event (RFC 4733)."

_LINES_AT_MOST = 500
_MEDIA_AT_MOST = 16
_FORMATS_AT_MOST = 64
_DIRECTIONS = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
"What the far end says, and what we answer."

_MEDIA = re.compile(r"(\S{1,32}) (\d{1,5})(?:/\d{1,5})? (\S{1,64})((?: \S{1,32})+)")
_RTPMAP = re.compile(r"rtpmap:(\d{1,3}) ([^/\s]{1,64})/(\d{1,6})(?:/(\d+))?\s*")


class Unusable(ValueError):
    """The description cannot be worked with; the text says why."""


class NoCommonCodec(Unusable):
    """There is audio, but nothing in it that we speak."""


@dataclass(slots=True)
class MediaLine:
    """One m= section of the far end."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    host: str | None = None
    "Address of its own c= line, else of the session's; empty if that is of another kind."
    direction: str = ""
    maps: dict[int, str] = field(default_factory=dict)
    "Encoding name by payload type, in capitals, for those of 8000 Hz."


@dataclass(frozen=True, slots=True)
class Description:
    """A far end's SDP, as far as it matters to us."""

    media: tuple[MediaLine, ...]
    audio: MediaLine | None
    "The first audio section over plain RTP that has a port."


def parse(body: bytes) -> Description:
    """Read a description. Raises `Unusable`."""
    if not body.strip():
        raise Unusable("no SDP")
    host, direction = "", ""
    media: list[MediaLine] = []
    for kind, value in _fields(body):
        match kind:
            case "m":
                media.append(_media_line(value))
                if len(media) > _MEDIA_AT_MOST:
                    raise Unusable("too many media lines in the SDP")
            case "c" if media:
                media[-1].host = _host(value)
            case "c":
                host = _host(value)
            case "a" if value in _DIRECTIONS and media:
                media[-1].direction = value
            case "a" if value in _DIRECTIONS:
                direction = value
            case "a" if media and (mapped := _RTPMAP.fullmatch(value)):
                if mapped[3] == "8000" and mapped[4] in (None, "1"):
                    media[-1].maps[int(mapped[1])] = mapped[2].upper()
    for line in media:
        line.host = host if line.host is None else line.host
        line.direction = line.direction or direction or "sendrecv"
    audio = (line for line in media if line.kind == "audio" and line.protocol.upper() == "RTP/AVP")
    return Description(tuple(media), next((line for line in audio if line.port), None))


def agree(description: Description) -> Stream:
    """Find the stream both sides can carry, in the far end's order of codecs.

    Raises `NoCommonCodec`, or `Unusable` where the audio has no address we can send to.
    """
    audio = description.audio
    if audio is None:
        raise NoCommonCodec("no audio over RTP in the SDP")
    named = [(kind, _encoding(audio, kind)) for kind in _payload_types(audio)]
    codec = next(((kind, name) for kind, name in named if name in CODECS), None)
    if codec is None:
        raise NoCommonCodec("no common codec")
    keys = next((kind for kind, name in named if name == "TELEPHONE-EVENT"), None)
    try:
        address = ip_address(audio.host or "")
    except ValueError:
        raise Unusable("no IP address in the SDP") from None
    # RFC 3264 8.4: a connection address of 0.0.0.0 is the hold of RFC 2543.
    held = address.is_unspecified
    if not held and (address.is_multicast or address == IPv4Address("255.255.255.255")):
        raise Unusable("no unicast address in the SDP")
    return Stream(
        remote=(str(address), audio.port),
        codec=codec[1],
        payload_type=codec[0],
        dtmf_payload_type=keys,
        sends=audio.direction in ("sendrecv", "recvonly") and not held,
        receives=audio.direction in ("sendrecv", "sendonly"),
    )


class Session:
    """Our side of one leg's offers and answers."""

    def __init__(self, address: tuple[str, int], *, session_id: int) -> None:
        self._host, self._port = address
        self._id = session_id
        self._version = session_id
        self._said: str | None = None
        self._refused: list[str | None] = [None]
        "What stands in each media line's place: a refusal, or None for our audio."
        self._codecs = dict(CODECS)
        self._keys = KEYS

    def offer(self) -> bytes:
        """Offer everything we speak.

        What the far end's offers have put on the page stays: each media line in its place, and
        each payload type with the meaning it has got (RFC 3264 8.1 and 8.3.2).
        """
        formats = [*self._codecs.values(), self._keys]
        audio = self._audio(formats, self._codecs, self._keys, "sendrecv")
        parts: list[str] = []
        for refused in self._refused:
            parts += audio if refused is None else [refused]
        return self._say(parts)

    def repeat(self) -> bytes:
        """What was said last, word for word: an offer that changes nothing (RFC 4028 7.4)."""
        return self._page(self._said) if self._said is not None else self.offer()

    def answer(self, offer: Description) -> tuple[bytes, Stream]:
        """Answer the far end's offer: its first common codec, its key events, its hold mirrored.

        Raises what `agree` raises.
        """
        stream = agree(offer)
        self._note_types(offer, stream)
        self._refused = []
        parts: list[str] = []
        for line in offer.media:
            if line is offer.audio:
                self._refused.append(None)
                formats = [stream.payload_type]
                if stream.dtmf_payload_type is not None:
                    formats.append(stream.dtmf_payload_type)
                parts += self._audio(
                    formats,
                    {stream.codec: stream.payload_type},
                    stream.dtmf_payload_type,
                    _DIRECTIONS[line.direction],
                )
            else:
                # RFC 3264 6: what is not wanted is answered in its place, with port zero.
                refusal = f"m={line.kind} 0 {line.protocol} {' '.join(line.formats)}"
                self._refused.append(refusal)
                parts.append(refusal)
        return self._say(parts), stream

    def _note_types(self, offer: Description, stream: Stream) -> None:
        """Keep to the payload types the far end uses, and clear of those it uses otherwise."""
        assert offer.audio is not None
        self._codecs[stream.codec] = stream.payload_type
        taken = {*_payload_types(offer.audio), *self._codecs.values()}
        if stream.dtmf_payload_type is not None:
            self._keys = stream.dtmf_payload_type
        elif self._keys in taken:
            free = (kind for kind in range(96, 128) if kind not in taken)
            self._keys = next(free, KEYS)

    def _audio(
        self, formats: list[int], codecs: dict[str, int], keys: int | None, direction: str
    ) -> list[str]:
        lines = [f"m=audio {self._port} RTP/AVP {' '.join(map(str, formats))}"]
        lines += [f"a=rtpmap:{kind} {name}/8000" for name, kind in codecs.items()]
        if keys is not None:
            lines += [f"a=rtpmap:{keys} telephone-event/8000", f"a=fmtp:{keys} 0-15"]
        return [*lines, "a=ptime:20", f"a={direction}"]

    def _say(self, media: list[str]) -> bytes:
        """Put the session around the media lines; the version rises only if they have changed."""
        said = "\r\n".join(media)
        if self._said is not None and self._said != said:
            self._version += 1
        self._said = said
        return self._page(said)

    def _page(self, said: str) -> bytes:
        address = f"IN {'IP6' if ':' in self._host else 'IP4'} {self._host}"
        head = f"v=0\r\no=- {self._id} {self._version} {address}\r\ns=-\r\nc={address}\r\nt=0 0\r\n"
        return f"{head}{said}\r\n".encode()


def _fields(body: bytes) -> Iterator[tuple[str, str]]:
    lines = body.decode("utf-8", "replace").splitlines()
    if len(lines) > _LINES_AT_MOST:
        raise Unusable("too many lines in the SDP")
    for line in lines:
        if line[1:2] == "=":
            yield line[0], line[2:].strip()


def _media_line(value: str) -> MediaLine:
    words = _MEDIA.fullmatch(value)
    if words is None or int(words[2]) > 65535:
        raise Unusable("malformed media line in the SDP")
    formats = words[4].split()
    if len(formats) > _FORMATS_AT_MOST:
        raise Unusable("too many formats in the SDP")
    return MediaLine(words[1], int(words[2]), words[3], formats)


def _host(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0] != "IN":
        raise Unusable("malformed connection line in the SDP")
    return words[2].partition("/")[0] if words[1] in ("IP4", "IP6") else ""


def _payload_types(audio: MediaLine) -> Iterator[int]:
    for word in audio.formats:
        if word.isascii() and word.isdecimal() and int(word) < 128:
            yield int(word)


def _encoding(audio: MediaLine, kind: int) -> str:
    """Name of a payload type: what rtpmap says, else the static table of RFC 3551."""
    return audio.maps.get(kind) or {8: "PCMA", 0: "PCMU"}.get(kind, "")
