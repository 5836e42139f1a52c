"""SDP, as far as one phone with G.711 and telephone-events needs it (RFC 4566, RFC 3264)."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address

# Static payload types of RFC 3551.
CODECS = {"PCMU": 0, "PCMA": 8}
OUR_EVENTS = 101

MIRRORED = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


class NoAudio(Exception):
    """The description has no audio stream this phone can take part in."""


@dataclass(frozen=True, slots=True)
class Description:
    """The audio stream of the far end."""

    address: tuple[str, int]
    codec: str
    events: int | None
    "Payload type of telephone-event."
    direction: str
    "As the far end says it."

    @property
    def we_send(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")


def read(body: str, codecs: tuple[str, ...]) -> Description:
    """Read an offer or answer; of its codecs takes the first that we have. Raises `NoAudio`."""
    lines = [line.strip() for line in body.splitlines()]
    medium = next((n for n, line in enumerate(lines) if line.startswith("m=audio ")), None)
    if medium is None:
        raise NoAudio("no m=audio")
    session = lines[: next(n for n, line in enumerate(lines) if line.startswith("m="))]
    end = next((n for n in range(medium + 1, len(lines)) if lines[n].startswith("m=")), len(lines))
    audio = lines[medium:end]
    found = re.fullmatch(r"m=audio (\d{1,5}) RTP/AVP((?: \d{1,3})+)", audio[0])
    if not found or not 0 < int(found[1]) < 65536:
        raise NoAudio(audio[0][:60])
    types = [int(number) for number in found[2].split()]
    codec = next((name for t in types for name in codecs if CODECS[name] == t), None)
    if codec is None:
        raise NoAudio(f"no common codec in {found[2]}")
    return Description(
        address=(_host(audio) or _host(session) or "", int(found[1])),
        codec=codec,
        events=_events(audio, types),
        direction=_direction(audio) or _direction(session) or "sendrecv",
    )


def write(
    address: tuple[str, int],
    codecs: tuple[str, ...],
    *,
    events: int | None,
    direction: str = "sendrecv",
    version: int = 1,
) -> str:
    """Write our offer or answer."""
    types = [CODECS[name] for name in codecs] + ([] if events is None else [events])
    lines = [
        "v=0",
        f"o=- 1 {version} IN IP4 {address[0]}",
        "s=-",
        f"c=IN IP4 {address[0]}",
        "t=0 0",
        f"m=audio {address[1]} RTP/AVP {' '.join(map(str, types))}",
        *(f"a=rtpmap:{CODECS[name]} {name}/8000" for name in codecs),
    ]
    if events is not None:
        lines += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} 0-15"]
    return "".join(f"{line}\r\n" for line in [*lines, "a=ptime:20", f"a={direction}"])


def _host(lines: list[str]) -> str | None:
    for line in lines:
        if found := re.fullmatch(r"c=IN IP4 (\S+)", line):
            try:
                return str(IPv4Address(found[1]))
            except ValueError as fault:
                raise NoAudio(line[:60]) from fault
    return None


def _events(lines: list[str], types: list[int]) -> int | None:
    for line in lines:
        found = re.fullmatch(r"a=rtpmap:(\d{1,3}) telephone-event/8000.*", line, re.IGNORECASE)
        if found and int(found[1]) in types:
            return int(found[1])
    return None


def _direction(lines: list[str]) -> str | None:
    return next((line[2:] for line in lines if line[2:] in MIRRORED and line[:2] == "a="), None)
