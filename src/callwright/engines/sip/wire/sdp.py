"""SDP: what we offer of audio, and what two sides have agreed on (RFC 8866, RFC 3264)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, ip_address

from callwright.engines.media.codec import CODECS, STATIC, Codec
from callwright.engines.media.media import RtpStream
from callwright.engines.sip.wire.crypto import Crypto, OurKeys, agreed_by, parse_crypto

TYPE = "application/sdp"

KEYS = {8000: 101, 48000: 110}
"Payload types we propose for telephone-event, by its clock, which is the audio's (RFC 4733 2.1)."

PLAIN, SECURE = "RTP/AVP", "RTP/SAVP"

_CRYPTO_AT_MOST = 16
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


class UnusableSdp(ValueError):
    """The description cannot be worked with; the text says why."""


class NoCommonCodec(UnusableSdp):
    """There is audio, but nothing in it that we speak."""


@dataclass(frozen=True, slots=True)
class AudioProfile:
    """What we speak on a leg."""

    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    "Names, best first; see `callwright.engines.media.codec.CODECS`."
    srtp: bool = False
    "SRTP or nothing. Without it, we offer plain RTP, and take SRTP from whoever offers it."


G711 = AudioProfile()


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
    maps: dict[int, tuple[str, int]] = field(default_factory=dict)
    "Encoding name in capitals, and clock rate, by payload type."
    crypto: list[Crypto] = field(default_factory=list)
    "Keys for SRTP, as far as we can work with them."

    @property
    def is_secure(self) -> bool:
        return self.protocol.upper() == SECURE


@dataclass(frozen=True, slots=True)
class Description:
    """A far end's SDP, as far as it matters to us."""

    media: tuple[MediaLine, ...]
    audio: MediaLine | None
    "The first audio section over SRTP that we can work with, else the first over plain RTP."


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
            case "a" if value in _DIRECTIONS and media:
                media[-1].direction = value
            case "a" if value in _DIRECTIONS:
                direction = value
            case "a" if media and (mapped := _RTPMAP.fullmatch(value)):
                media[-1].maps[int(mapped[1])] = (mapped[2].upper(), int(mapped[3]))
            case "a" if media and len(media[-1].crypto) < _CRYPTO_AT_MOST:
                if (crypto := parse_crypto(value)) is not None:
                    media[-1].crypto.append(crypto)
    for line in media:
        line.host = host if line.host is None else line.host
        line.direction = line.direction or direction or "sendrecv"
    audio = [line for line in media if line.kind == "audio" and line.port]
    secure = (line for line in audio if line.is_secure and line.crypto)
    plain = (line for line in audio if line.protocol.upper() == PLAIN)
    return Description(tuple(media), next(secure, next(plain, None)))


def agree(description: Description, speech: AudioProfile = G711) -> RtpStream:
    """Find the stream both sides can carry, in the far end's order of codecs; without its SRTP.

    Raises `NoCommonCodec`, or `UnusableSdp` where the audio has no address we can send to, or no
    key for SRTP where we insist on it.
    """
    audio = description.audio
    if audio is None:
        raise NoCommonCodec("no audio over RTP in the SDP")
    if speech.srtp and not audio.crypto:
        raise UnusableSdp("no SRTP in the SDP")
    named = {kind: _encoding(audio, kind) for kind in _payload_types(audio)}
    ours = {(codec.name.upper(), codec.clock): codec for codec in _codecs(speech)}
    kind = next((kind for kind, encoding in named.items() if encoding in ours), None)
    if kind is None:
        raise NoCommonCodec("no common codec")
    codec = ours[named[kind]]
    keys, clock = _keys(named, codec)
    try:
        address = ip_address(audio.host or "")
    except ValueError:
        raise UnusableSdp("no IP address in the SDP") from None
    # RFC 3264 8.4: a connection address of 0.0.0.0 is the hold of RFC 2543.
    held = address.is_unspecified
    if not held and (address.is_multicast or address == IPv4Address("255.255.255.255")):
        raise UnusableSdp("no unicast address in the SDP")
    return RtpStream(
        remote=(str(address), audio.port),
        codec=codec.name,
        payload_type=kind,
        dtmf_payload_type=keys,
        dtmf_clock=clock,
        sends=audio.direction in ("sendrecv", "recvonly") and not held,
        receives=audio.direction in ("sendrecv", "sendonly"),
    )


class SdpSession:
    """Our side of one leg's offers and answers."""

    def __init__(
        self, address: tuple[str, int], *, session_id: int, speech: AudioProfile = G711
    ) -> None:
        self._host, self._port = address
        self._id = session_id
        self._version = session_id
        self._said: str | None = None
        self._refused: list[str | None] = [None]
        "What stands in each media line's place: a refusal, or None for our audio."
        self.speech = speech
        self._types = {codec.name: codec.payload_type for codec in _codecs(speech)}
        "Payload types of our codecs, by name."
        clocks = {codec.clock for codec in _codecs(speech)}
        self._keys = {clock: kind for clock, kind in KEYS.items() if clock in clocks}
        "Payload types of telephone-event, by clock."
        self._our_keys = OurKeys()
        self._protocol = SECURE if speech.srtp else PLAIN
        self._crypto = self._our_keys.offer() if speech.srtp else []
        "The lines of SRTP that stand on the page."

    def offer(self) -> bytes:
        """Offer everything we speak.

        What the far end's offers have put on the page stays: each media line in its place, and
        each payload type with the meaning it has got (RFC 3264 8.1 and 8.3.2).
        """
        if self._crypto:
            self._crypto = self._our_keys.offer()
        audio = self._audio(self._types, self._keys, "sendrecv")
        parts: list[str] = []
        for refused in self._refused:
            parts += audio if refused is None else [refused]
        return self._say(parts)

    def repeat(self) -> bytes:
        """What was said last, word for word: an offer that changes nothing (RFC 4028 7.4)."""
        return self._page(self._said) if self._said is not None else self.offer()

    def answered(self, answer: Description) -> RtpStream:
        """Take the far end's answer to what we have said last. Raises what `agree` raises."""
        stream = agree(answer, self.speech)
        assert answer.audio is not None
        stream = replace(stream, own_dtmf_payload_type=self._own_keys(stream, answer.audio))
        if not self._crypto:
            return stream
        srtp = agreed_by(self._crypto, answer.audio.crypto)
        if srtp is None:
            raise UnusableSdp("no answer to our keys for SRTP in the SDP")
        return replace(stream, srtp=srtp)

    def _own_keys(self, stream: RtpStream, answered: MediaLine) -> int | None:
        """The payload type we have offered for the keys that go with a stream, if it is free."""
        ours = self._keys.get(stream.dtmf_clock)
        return None if ours in {*_payload_types(answered)} else ours

    def answer(self, offer: Description) -> tuple[bytes, RtpStream]:
        """Answer the far end's offer: its first common codec, its key events, its hold mirrored.

        Keys for SRTP are answered wherever they are offered, in plain RTP's profile too (RFC 8643).
        Raises what `agree` raises.
        """
        stream = agree(offer, self.speech)
        assert offer.audio is not None
        self._protocol = SECURE if offer.audio.is_secure else PLAIN
        self._crypto = []
        if offer.audio.crypto:
            ours, srtp = self._our_keys.answer(offer.audio.crypto)
            self._crypto = [ours]
            stream = replace(stream, srtp=srtp)
        self._note_types(offer)
        self._refused = []
        parts: list[str] = []
        for line in offer.media:
            if line is offer.audio:
                self._refused.append(None)
                keys = stream.dtmf_payload_type
                parts += self._audio(
                    {stream.codec: stream.payload_type},
                    {} if keys is None else {stream.dtmf_clock: keys},
                    _DIRECTIONS[line.direction],
                )
            else:
                # RFC 3264 6: what is not wanted is answered in its place, with port zero.
                refusal = f"m={line.kind} 0 {line.protocol} {' '.join(line.formats)}"
                self._refused.append(refusal)
                parts.append(refusal)
        return self._say(parts), stream

    def _note_types(self, offer: Description) -> None:
        """Keep to the payload types the far end uses, and clear of those it uses otherwise."""
        assert offer.audio is not None
        theirs = {kind: _encoding(offer.audio, kind) for kind in _payload_types(offer.audio)}
        used = {*theirs, *self._types.values(), *self._keys.values()}
        free = (kind for kind in range(96, 128) if kind not in used)

        def settled(name: str, clock: int, ours: int, proposed: int) -> int:
            named = (kind for kind, encoding in theirs.items() if encoding == (name.upper(), clock))
            if (kind := next(named, None)) is not None:
                return kind
            return next(free, proposed) if ours in theirs and ours not in STATIC else ours

        for codec in _codecs(self.speech):
            ours = self._types[codec.name]
            self._types[codec.name] = settled(codec.name, codec.clock, ours, codec.payload_type)
        for clock, ours in self._keys.items():
            self._keys[clock] = settled("telephone-event", clock, ours, KEYS[clock])

    def _audio(
        self, types: Mapping[str, int], keys: Mapping[int, int], direction: str
    ) -> list[str]:
        formats = " ".join(map(str, [*types.values(), *keys.values()]))
        lines = [f"m=audio {self._port} {self._protocol} {formats}"]
        for name, kind in types.items():
            codec = CODECS[name]
            channels = f"/{codec.channels}" if codec.channels else ""
            lines.append(f"a=rtpmap:{kind} {name}/{codec.clock}{channels}")
            if codec.parameters:
                lines.append(f"a=fmtp:{kind} {codec.parameters}")
        for clock, kind in keys.items():
            lines += [f"a=rtpmap:{kind} telephone-event/{clock}", f"a=fmtp:{kind} 0-15"]
        lines += [one.line for one in self._crypto]
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
        raise UnusableSdp("too many lines in the SDP")
    for line in lines:
        if line[1:2] == "=":
            yield line[0], line[2:].strip()


def _media_line(value: str) -> MediaLine:
    words = _MEDIA.fullmatch(value)
    if words is None or int(words[2]) > 65535:
        raise UnusableSdp("malformed media line in the SDP")
    formats = words[4].split()
    if len(formats) > _FORMATS_AT_MOST:
        raise UnusableSdp("too many formats in the SDP")
    return MediaLine(words[1], int(words[2]), words[3], formats)


def _host(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0] != "IN":
        raise UnusableSdp("malformed connection line in the SDP")
    return words[2].partition("/")[0] if words[1] in ("IP4", "IP6") else ""


def _payload_types(audio: MediaLine) -> Iterator[int]:
    for word in audio.formats:
        if word.isascii() and word.isdecimal() and int(word) < 128:
            yield int(word)


def _encoding(audio: MediaLine, kind: int) -> tuple[str, int]:
    """Name and clock of a payload type: what rtpmap says, else the static table of RFC 3551."""
    static = STATIC.get(kind)
    return audio.maps.get(kind) or ((static.name, static.clock) if static else ("", 0))


def _codecs(speech: AudioProfile) -> list[Codec]:
    return [CODECS[name] for name in speech.codecs]


def _keys(named: Mapping[int, tuple[str, int]], codec: Codec) -> tuple[int | None, int]:
    """Find the payload type of telephone-event, and its clock.

    It is the audio's (RFC 4733 section 2.1); but many phones have one of 8000 alone and mean it for
    Opus as well.
    """
    for clock in (codec.clock, 8000):
        for kind, encoding in named.items():
            if encoding == ("TELEPHONE-EVENT", clock):
                return kind, clock
    return None, codec.clock
