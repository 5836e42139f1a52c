"""SDP: what we offer of audio, and what two sides have agreed on (RFC 8866, RFC 3264)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address

from callwright.engines.media.codec import CODECS, STATIC, Codec
from callwright.engines.media.media import RtpStream
from callwright.engines.sip.wire.crypto import OurKeys, agreed_by
from callwright.engines.sip.wire.description import PLAIN, SECURE, MediaLine
from callwright.engines.sip.wire.description import Description as Description
from callwright.engines.sip.wire.description import NoCommonCodec as NoCommonCodec
from callwright.engines.sip.wire.description import UnusableSdp as UnusableSdp
from callwright.engines.sip.wire.description import parse as parse

TYPE = "application/sdp"

KEYS = {8000: 101, 48000: 110}
"Payload types we propose for telephone-event, by its clock, which is the audio's (RFC 4733 2.1)."

_DIRECTIONS = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
"What the far end says, and what we answer."

_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.[A-Za-z][A-Za-z0-9-]*\.?"
)


@dataclass(frozen=True, slots=True)
class AudioProfile:
    """What we speak on a leg."""

    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    "Names, best first; see `callwright.engines.media.codec.CODECS`."
    srtp: bool = False
    "SRTP or nothing. Without it, we offer plain RTP, and take SRTP from whoever offers it."
    symmetric: bool = True
    "See `RtpStream`."
    ip_version: int | None = None
    "What our sockets reach: 4 or 6; None: it is not asked."


G711 = AudioProfile()


def agree(description: Description, speech: AudioProfile = G711) -> RtpStream:
    """Find the stream both sides can carry, in the far end's order of codecs; without its SRTP.

    Raises `NoCommonCodec`, or `UnusableSdp` where the audio has no address we can send to, or no
    key for SRTP where we insist on it. The address may be a name, which is to be looked up.
    """
    audio, kind, codec, named = _choose(description, speech)
    keys, clock = _keys(named, codec)
    host, held = _address(audio.host or "", speech.ip_version)
    return RtpStream(
        remote=(host, audio.port),
        codec=codec.name,
        payload_type=kind,
        dtmf_payload_type=keys,
        dtmf_clock=clock,
        sends=audio.direction in ("sendrecv", "recvonly") and not held,
        receives=audio.direction in ("sendrecv", "sendonly"),
        symmetric=speech.symmetric,
        rtcp_port=audio.rtcp_port,
    )


def _choose(
    description: Description, speech: AudioProfile
) -> tuple[MediaLine, int, Codec, Mapping[int, tuple[str, int]]]:
    """Find the audio section that counts, the payload type and codec of ours in it, and all names.

    Names are encodings with their clocks, by payload type.
    """
    audio = description.audio
    if not audio:
        raise NoCommonCodec("no audio over RTP in the SDP")
    if speech.srtp and not (audio := tuple(line for line in audio if line.crypto)):
        raise UnusableSdp("no SRTP in the SDP")
    ours = {(codec.name.upper(), codec.clock): codec for codec in _codecs(speech)}
    for line in audio:
        named = {kind: line.encoding(kind) for kind in line.payload_types()}
        for kind, encoding in named.items():
            if (codec := ours.get(encoding)) is not None:
                return line, kind, codec, named
    raise NoCommonCodec("no common codec")


def _address(host: str, version: int | None) -> tuple[str, bool]:
    """Read where RTP goes: an address or a name, and whether it is the hold of RFC 2543."""
    try:
        address = ip_address(host)
    except ValueError:
        if not _NAME.fullmatch(host):
            raise UnusableSdp("no IP address in the SDP") from None
        return host.lower(), False  # RFC 8866 5.7 allows it
    # RFC 3264 8.4: a connection address of 0.0.0.0 is the hold of RFC 2543.
    if address.is_unspecified:
        return str(address), True
    if address.is_multicast or address == IPv4Address("255.255.255.255"):
        raise UnusableSdp("no unicast address in the SDP")
    if version is not None and address.version != version:
        raise UnusableSdp(f"no IPv{version} address in the SDP")
    return str(address), False


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
        audio, *_ = _choose(answer, self.speech)
        stream = replace(stream, own_dtmf_payload_type=self._own_keys(stream, audio))
        if not self._crypto:
            return stream
        srtp = agreed_by(self._crypto, audio.crypto)
        if srtp is None:
            raise UnusableSdp("no answer to our keys for SRTP in the SDP")
        return replace(stream, srtp=srtp)

    def _own_keys(self, stream: RtpStream, answered: MediaLine) -> int | None:
        """The payload type we have offered for the keys that go with a stream, if it is free."""
        ours = self._keys.get(stream.dtmf_clock)
        return None if ours in {*answered.payload_types()} else ours

    def answer(self, offer: Description) -> tuple[bytes, RtpStream]:
        """Answer the far end's offer: its first common codec, its key events, its hold mirrored.

        Keys for SRTP are answered wherever they are offered, in plain RTP's profile too (RFC 8643).
        Raises what `agree` raises.
        """
        stream = agree(offer, self.speech)
        audio, *_ = _choose(offer, self.speech)
        self._protocol = audio.protocol
        self._crypto = []
        if audio.crypto:
            ours, srtp = self._our_keys.answer(audio.crypto)
            self._crypto = [ours]
            stream = replace(stream, srtp=srtp)
        self._note_types(audio)
        self._refused = []
        parts: list[str] = []
        for line in offer.media:
            if line is audio:
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

    def _note_types(self, audio: MediaLine) -> None:
        """Keep to the payload types the far end uses, and clear of those it uses otherwise."""
        theirs = {kind: audio.encoding(kind) for kind in audio.payload_types()}
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
