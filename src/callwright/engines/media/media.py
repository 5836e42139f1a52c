"""What the signalling asks of the media, and what it is told.

Only numbers, words and tuples cross this page, so that the same commands can go to a media worker
in another process. As on the engine port, a command is a plain call that never waits, and events
never come from inside a command.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from callwright.engines.port import (
    BridgeId,
    CoachMode,
    DtmfFailed,
    DtmfReceived,
    DtmfSent,
    LegId,
    Media,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
)
from callwright.engines.quality import Quality


class NoPorts(Exception):
    """No RTP port is free, or no open file, or no media worker is up; the text says which."""


class SrtpSuite(StrEnum):
    """Ciphers we know, by their names in SDP, best first (RFC 4568 section 6.2)."""

    AES_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_32 = "AES_CM_128_HMAC_SHA1_32"


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """How a leg's audio is protected (RFC 3711). Keys are never shown."""

    suite: SrtpSuite
    ours: bytes = field(repr=False)
    "Master key and salt, 30 bytes: what we send is protected by it."
    theirs: bytes = field(repr=False)
    "The same for what the far end sends."


@dataclass(frozen=True, slots=True)
class RtpStream:
    """One leg's audio as the two sides agreed on it in SDP."""

    remote: tuple[str, int]
    "Where the far end wants its RTP, until its packets say otherwise (address and port)."
    codec: str
    "``PCMA``, ``PCMU``, ``G722`` or ``opus``."
    payload_type: int
    "RTP payload type of the codec, 0 to 127."
    dtmf_payload_type: int | None = None
    "Payload type of telephone-event (RFC 4733), if the far end offered it."
    sends: bool = True
    "We may send (the far end is not ``sendonly`` or ``inactive``)."
    receives: bool = True
    "The far end may send (it is not ``recvonly`` or ``inactive``)."
    dtmf_clock: int = 8000
    "Units a second of the telephone-events' durations."
    srtp: SrtpKeys | None = None
    "None: plain RTP."
    symmetric: bool = True
    """Packets may come from another address than ``remote``, where it shows itself to be the far
    end; and then go there. False: from ``remote`` alone."""
    rtcp_port: int | None = None
    "Port that ``remote`` wants its RTCP at, if not the one after RTP's (RFC 3605)."
    own_dtmf_payload_type: int | None = None
    """Payload type of telephone-event in our own offer, where the answer does not use it otherwise:
    a far end may send under it whatever it has answered."""
    keys_by_info: bool = False
    "Keys for the far end go by the signalling; see `KeyForwarded`."


@dataclass(frozen=True, slots=True)
class KeyForwarded:
    """A key that a bridged far end has pressed is to go to this leg by the signalling (INFO)."""

    leg: LegId
    key: str


@dataclass(frozen=True, slots=True)
class MediaLost:
    """A connected leg has been silent on RTP and RTCP for too long."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class MediaWorkerLost:
    """The process that carried the leg's audio has gone; the leg hears and says nothing more."""

    leg: LegId


MediaEvent = (
    DtmfReceived
    | DtmfSent
    | DtmfFailed
    | KeyForwarded
    | PlaybackFinished
    | RecordingFinished
    | MediaLost
    | MediaWorkerLost
)


class MediaEngine(Protocol):
    """Carries the audio of legs. Every method but ``run`` returns at once."""

    async def run(
        self, deliver: Callable[[MediaEvent], None], *, started: Callable[[], None] = lambda: None
    ) -> None:
        """Serve until cancelled; all sockets are closed on the way out.

        ``started`` is called once, when audio can be exchanged. Commands may be given from the
        first turn on; what they ask for is done then.
        """

    def keep_time(self) -> None:
        """Send what has fallen due, in the middle of a long turn of the event loop."""

    def open(self, leg: LegId, beside: Collection[LegId] = ()) -> tuple[str, int]:
        """Reserve an even RTP port (and the next for RTCP); return the address to offer.

        ``beside``: see `callwright.engines.port.Engine.ring`. Raises `NoPorts`. Nothing is sent
        before `connect`.
        """

    def connect(self, leg: LegId, stream: RtpStream) -> None:
        """Start, or change, the exchange with the far end as SDP has agreed on it.

        From now on the leg is always sent audio, 20 ms a packet: a playback, else its bridge, else
        silence. The far address is latched from the first packets that come, then locked.
        """

    def answered(self, leg: LegId) -> None:
        """The leg is answered: from now on silence from the far end counts as `MediaLost`."""

    def close(self, leg: LegId) -> Quality:
        """Free the leg and its port; its playbacks and bridge go with it, without events.

        Recordings of it end, and say so as soon as their files are closed. What is returned of a
        leg that a worker carries may be a second old.
        """

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool) -> None:
        """See `callwright.engines.port.Engine.play`; the same holds for those below."""

    def stop(self, playback: PlaybackId) -> None: ...

    def send_key(self, leg: LegId, key: str) -> None: ...

    def key_named(self, leg: LegId, key: str) -> None:
        """Take a key that the far end has named by the signalling (INFO).

        It counts like one in the audio: `DtmfReceived` once, and whoever is bridged gets it.
        """

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None: ...

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None: ...

    def unbridge(self, bridge: BridgeId) -> None: ...

    def mute(self, leg: LegId, *, muted: bool) -> None: ...

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None: ...

    def stop_coaching(self, ear: LegId) -> None: ...

    def record(
        self, recording: RecordingId, one: LegId, other: LegId | None, file: Path
    ) -> None: ...

    def stop_recording(self, recording: RecordingId) -> None: ...
