"""The engine port: what a call may ask of whatever carries its legs, and what it is told.

Ids go in, one ordered stream of events comes out; no object of an engine crosses this page. The
contract, which ``tests/engines/contract.py`` checks on every engine:

1. **Ids are the caller's.** Whoever wants an event is waiting before the command is given.
2. **A command is a plain call that never waits.** It returns when the engine has accepted it; what
   the far end makes of it is an event. A command that turns out impossible later ends its leg.
3. **An engine never delivers from inside a command.** An event comes at the earliest in the next
   turn of the event loop, so a caller is never re-entered.
4. Events of one leg come in order. ``LegReleased`` is a leg's last event and comes exactly once,
   also for a leg that never rang. After ``hang_up`` it comes at once, without waiting for the far
   end: finishing the protocol (CANCEL crossing an answer, lost BYE) is the engine's own affair.
5. A command to an ended or unknown leg raises `LegGone`, the only error a script must know.
   ``hang_up`` and ``stop`` never raise it; stopping a playback that has finished is no error.
6. A playback that is stopped, or whose leg ends, does not finish: ``PlaybackFinished`` means that
   the media was played to its end. A looped playback never finishes.
7. From its answer on a leg is always sent audio: a playback, else the legs bridged with it, else
   silence. A leg hears one playback at a time; a new one replaces the old one.
8. What legs say to each other is decided by bridges, ``mute`` and ``coach`` alone; a playback
   changes only what its own leg hears.
9. A recording ends when it is stopped or one of its legs ends, and says so by
   ``RecordingFinished``, once. It holds what its two legs say to each other, or what its one leg
   says: no playback, no coach, silence for a leg that is muted, or not bridged with the other at
   the time.
10. A call that comes in is offered by ``LegOffered``, with an id from the counter the engine was
    made with, and is then answered or rejected. Calls of strangers are never offered.
11. An engine that is lost ends every live leg with `Cause.ENGINE_LOST`; it has no other way to
    fail.
12. A far end may put its leg on hold, and take it back, at any time after the answer: `LegHeld`
    and `LegResumed` say so in turns. A leg on hold hears nothing, and is not lost for being silent.
13. A far end may ask, during its call, that whoever it talks with be handed over: `TransferAsked`.
    It keeps its call until it is hung up, and is told by ``report_transfer`` what has become of it;
    until then it asks for no other.
14. Keys come by ``DtmfReceived`` whenever a far end names them (telephone-event, INFO). One that
    only sounds them is listened to while ``listen_for_keys`` asks for it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NewType, Protocol

from callwright.engines.network import Registered, SipAccount, Trunk, TrunkState
from callwright.engines.quality import Quality
from callwright.engines.trail import FRESH, Trail

LegId = NewType("LegId", int)
PlaybackId = NewType("PlaybackId", int)
BridgeId = NewType("BridgeId", int)
RecordingId = NewType("RecordingId", int)


class Cause(StrEnum):
    """Why a leg ended, in a few words every engine can say."""

    HUNG_UP = "hung_up"
    "The far end hung up after the answer, or took back the call it had offered."
    BUSY = "busy"
    "The far end is in another call (486, 600)."
    NO_ANSWER = "no_answer"
    "It rang, and nobody answered in time (408, 480, timer)."
    REJECTED = "rejected"
    "Somebody declined the call (603, 403)."
    WRONG_NUMBER = "wrong_number"
    "There is no such number (404, 410, 484, 604)."
    UNREACHABLE = "unreachable"
    "The phone or the trunk could not be reached, or has no common codec (488, 5xx, no reply)."
    MEDIA_LOST = "media_lost"
    "An answered leg sent no audio for too long."
    NOT_CONFIRMED = "not_confirmed"
    """It answered, but did not press the key by which it was to take the call. Whoever rang it says
    so; no engine does."""
    CHANNELS_BUSY = "channels_busy"
    """It is in as many calls as it may be, and was not rung. Whoever would have rung it says so; no
    engine does."""
    RELEASED = "released"
    "We hung up: ``hang_up`` was called."
    NO_RESOURCES = "no_resources"
    "The engine has no port, channel or node left for the leg."
    LOOP = "loop"
    "A call of ours that has come back to us (482), or has come too far already (483)."
    ENGINE_LOST = "engine_lost"
    "The engine itself went away."


class LegGone(Exception):
    """A command was given to a leg that has ended, or never was."""


class CoachMode(StrEnum):
    """What becomes of what a coach says. A coach always hears both who talk."""

    LISTEN = "listen"
    "Nobody hears it."
    WHISPER = "whisper"
    "Only the one who is coached hears it."
    BARGE = "barge"
    "Both hear it."


@dataclass(frozen=True, slots=True)
class Address:
    """Where a leg rings: a number through a trunk, or one of the account's own phones.

    At most one of ``trunk`` and ``phone`` says how the number is reached. A number with neither is
    a phone of `Engine.use_phones` and rings wherever it has registered, all places at once; if
    there is none, its leg ends with `Cause.UNREACHABLE`.
    """

    number: str
    "E.164 digits without ``+``, or a SIP number."
    trunk: str | None = None
    "Name of the trunk to dial through."
    phone: str | None = None
    "Fixed contact URI of an own phone, for example ``sip:25@192.0.2.7:5060``."
    srtp: bool = False
    "An own phone is to be talked to over SRTP, or not at all; a trunk says so itself."


@dataclass(frozen=True, slots=True)
class Media:
    """Audio to be played: a WAV file, mono, 16 bit, 16000 Hz, already normalised in loudness."""

    path: Path


# Events, all of them facts.


@dataclass(frozen=True, slots=True)
class LegOffered:
    """A call has come in and waits to be answered or rejected."""

    leg: LegId
    caller: str
    "Digits as the far end gave them; empty if it withheld its number."
    called: str
    trunk: str | None
    "The trunk it came from; None: from a phone of our own, whose number is ``caller``."
    trail: Trail = FRESH
    replaces: LegId | None = None
    "The leg whose place it is to take (RFC 3891); a phone of our own alone may ask for that."


@dataclass(frozen=True, slots=True)
class LegRinging:
    """The far end has said that it rings. At most once per leg."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class EarlyMediaStarted:
    """The far end sends audio before it answers (183 with SDP). At most once per leg."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegConnected:
    """The far end has answered."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegReleased:
    """The leg has ended. Its last event, exactly once."""

    leg: LegId
    cause: Cause
    raw: str = ""
    "What the far end or the network said, for reports: ``486 Busy Here``, ``Q.850 17``."
    quality: Quality | None = None
    "None if no audio was exchanged, or the engine does not know."


@dataclass(frozen=True, slots=True)
class LegHeld:
    """The far end has put us on hold; it hears nothing until `LegResumed`."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegResumed:
    """The far end hears us again."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """The far end wants whoever it talks with handed over to somebody else."""

    leg: LegId
    to: str
    "The number of whom, as the far end gave it, without ``+``."
    other: LegId | None = None
    "The leg on which the far end talks with him already, where it does (an attended transfer)."


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    """The far end pressed one key: ``0-9 * # A-D``."""

    leg: LegId
    key: str


@dataclass(frozen=True, slots=True)
class DtmfSent:
    """A key has begun to go out on the line."""

    leg: LegId
    key: str


@dataclass(frozen=True, slots=True)
class DtmfFailed:
    """A key has not reached the far end, or was refused by it after it had begun to go out."""

    leg: LegId
    key: str
    reason: str
    "For people: ``415 Unsupported Media Type``."


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """The media was played to its end; neither stopped nor cut."""

    leg: LegId
    playback: PlaybackId


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    """The file is complete and closed."""

    leg: LegId
    "The first of its legs."
    recording: RecordingId
    duration: float
    "Seconds; 0 if there is no file."
    fault: str = ""
    "Why it ended early or has no file (disk full); empty if all went well."


EngineEvent = (
    LegOffered
    | LegRinging
    | EarlyMediaStarted
    | LegConnected
    | LegReleased
    | LegHeld
    | LegResumed
    | TransferAsked
    | DtmfReceived
    | DtmfSent
    | DtmfFailed
    | PlaybackFinished
    | RecordingFinished
)

Deliver = Callable[[EngineEvent], None]


class Engine(Protocol):
    """Carries legs. See the module's docstring for the contract."""

    async def run(self, deliver: Deliver, *, started: Callable[[], None]) -> None:
        """Serve until cancelled; call ``deliver`` for every event, in order.

        ``started`` is called once, when commands may be given. On cancellation the engine ends
        what still lives and takes a bounded time (2 s) to say good-bye on the wire.
        """

    def use_trunks(self, trunks: Sequence[Trunk]) -> None:
        """Replace the list of trunks. Legs that are up keep the trunk they were rung through."""

    def use_phones(self, phones: Sequence[SipAccount]) -> None:
        """Replace the list of phones that may register; one no longer named is forgotten."""

    def registered(self, number: str) -> Sequence[Registered]:
        """Tell from where the phone of this number has registered; nothing: it is not there."""

    def trunk_states(self) -> Sequence[TrunkState]:
        """Tell how it stands with each trunk, in the order they were named."""

    def ring(
        self,
        leg: LegId,
        to: Address,
        *,
        caller_id: str,
        caller_name: str = "",
        beside: Collection[LegId] = (),
        trail: Trail = FRESH,
    ) -> None:
        """Ring ``to``. ``caller_id``: the number the far end is shown, E.164 digits or SIP number.

        ``caller_name``: shown beside it, by a phone of the account's own; trunks are not told it.

        ``trail``: of the call because of which it is rung.

        ``beside``: legs it may come to be bridged, coached or recorded with, such as all of the
        same call; those that have ended do not matter. An engine that is spread over processes
        puts it where they are, and spares itself to move it later.

        There is no time limit here: whoever rings, hangs up when it has waited long enough.
        """

    def hang_up(self, leg: LegId) -> None:
        """End the leg in whatever state it is; without effect on one that has ended."""

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool = False) -> None:
        """Play to an answered leg, in place of what it hears now."""

    def stop(self, playback: PlaybackId) -> None:
        """Stop a playback, if it still runs."""

    def send_key(self, leg: LegId, key: str) -> None:
        """Send one key (``0-9 * # A-D``), after those still being sent to the same leg.

        100 ms long, 60 ms apart. Only the far end of ``leg`` gets it; bridged legs do not hear it.
        `DtmfSent` tells that it goes out, `DtmfFailed` that it cannot; neither, if the leg ends.
        """

    def report_transfer(self, leg: LegId, failed: Cause | None) -> None:
        """Tell the far end of ``leg`` what has become of the transfer it has asked for.

        ``failed``: why it did not come about; None: it has. Without effect if none is asked for.
        """

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None:
        """Recognise keys that come as tones, too, or no longer; see clause 14.

        Listening takes time of the processor, and may take a word for a key, if rarely: so it is
        asked for only while a key would mean something.
        """

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        """Let two legs hear each other.

        A leg not yet answered may be bridged too: its early media is then heard. A leg is in one
        bridge at a time; a second one replaces the first.
        """

    def unbridge(self, bridge: BridgeId) -> None:
        """Part the two again; without effect if the bridge has gone."""

    def mute(self, leg: LegId, *, muted: bool) -> None:
        """Let nobody hear the leg, or let it be heard again. It goes on hearing the others."""

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        """Let ``ear`` hear ``to`` and whoever is bridged with it, and be heard as ``mode`` says.

        Holds for every bridge that ``to`` comes into, until either ends or `stop_coaching`; given
        again, it changes the mode. Several legs may coach one.
        """

    def stop_coaching(self, ear: LegId) -> None:
        """Undo `coach`; without effect on a leg that coaches nobody."""

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        """Record what two legs say to each other: WAV, 16 bit, left ``one``, right ``other``.

        Without another leg (a voicemail) it holds what ``one`` says, and the right is silent. 8000
        Hz, or 16000 Hz if all of its legs are wideband. At most the last second is lost in a crash.
        """

    def stop_recording(self, recording: RecordingId) -> None:
        """End a recording; without effect on one that has ended."""

    def ring_back(self, leg: LegId) -> None:
        """Tell the caller of an offered leg that it rings (180)."""

    def answer(self, leg: LegId) -> None:
        """Answer an offered leg; `LegConnected` follows when the caller has got it.

        Without effect on one that is answered already.
        """

    def reject(self, leg: LegId, cause: Cause) -> None:
        """Refuse an offered leg: `BUSY`, `REJECTED`, `WRONG_NUMBER`, `NO_RESOURCES`, else 480.

        `LegReleased` follows at once, with this cause.
        """
