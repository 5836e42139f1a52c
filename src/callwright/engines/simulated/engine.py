"""The simulated engine: far ends that follow a script, for tests and for trying the API out.

It passes the same contract suite as the engines with real legs. Its only clock is anyio's, so on
trio's test clock hours of calls pass in milliseconds, in the same order every time.
"""

import heapq
import itertools
import wave
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel

from callwright.engines.network import Registered, SipAccount, Trunk, TrunkRegistration, TrunkState
from callwright.engines.port import (
    Address,
    BridgeId,
    Cause,
    CoachMode,
    Deliver,
    DtmfReceived,
    DtmfSent,
    EarlyMediaStarted,
    EngineEvent,
    LegConnected,
    LegGone,
    LegHeld,
    LegId,
    LegOffered,
    LegReleased,
    LegResumed,
    LegRinging,
    Media,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
    TransferAsked,
)
from callwright.engines.simulated.far_end import (
    Act,
    Acts,
    Answers,
    FarEnd,
    HangsUp,
    Holds,
    Presses,
    Rejects,
    Resumes,
    Rings,
    SendsEarlyMedia,
    Transfers,
)
from callwright.engines.simulated.hearing import SimulatedLeg, hear, listen_again
from callwright.engines.simulated.recording import write_recording
from callwright.engines.trail import FRESH, Trail

RUNG_AT_MOST = 10_000
"Legs that are kept after their end, to be looked at."

KEY_SPACING = 0.160
"Seconds from the start of one key to the next."


@dataclass(frozen=True, slots=True)
class _Recording:
    one: LegId
    other: LegId | None
    file: Path
    since: float


class SimulatedEngine:
    """See `callwright.engines.port.Engine`. ``far_ends``: what the phone of each number does.

    ``otherwise``: what all others do; a function is asked anew for each leg. With
    ``all_reachable`` every number leads to a phone, whatever trunks and phones there are.
    """

    def __init__(
        self,
        far_ends: Mapping[str, FarEnd] | None = None,
        *,
        otherwise: FarEnd | Callable[[str], FarEnd] | None = None,
        all_reachable: bool = False,
    ) -> None:
        self.far_ends = dict(far_ends or {})
        self.legs: dict[LegId, SimulatedLeg] = {}
        "Legs that are not ended."
        self.rung: deque[SimulatedLeg] = deque(maxlen=RUNG_AT_MOST)
        "The latest legs there were, in the order they were rung."
        self._otherwise = otherwise or FarEnd()
        self._all_reachable = all_reachable
        self._trunks: Sequence[str] = ()
        self._phones: frozenset[str] = frozenset()
        self._bridges: dict[BridgeId, tuple[LegId, LegId]] = {}
        self._recordings: dict[RecordingId, _Recording] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._turns = itertools.count()
        self._more = anyio.Event()
        self._deliver: Deliver | None = None

    async def run(self, deliver: Deliver, *, started: Callable[[], None]) -> None:
        self._deliver = deliver
        started()
        try:
            while True:
                self._more = anyio.Event()
                wait = self._due[0][0] - anyio.current_time() if self._due else float("inf")
                if wait > 0:
                    with anyio.move_on_after(wait):
                        await self._more.wait()
                    continue
                _, _, happen = heapq.heappop(self._due)
                happen()
                await anyio.lowlevel.checkpoint()
        finally:
            for leg in tuple(self.legs.values()):
                self._end(leg, Cause.RELEASED)

    def use_trunks(self, trunks: Sequence[Trunk]) -> None:
        self._trunks = [trunk.name for trunk in trunks]

    def use_phones(self, phones: Sequence[SipAccount]) -> None:
        """Take phones; here they all have registered."""
        self._phones = frozenset(phone.number for phone in phones)

    def registered(self, number: str) -> Sequence[Registered]:
        return [Registered("127.0.0.1", 0.0)] if number in self._phones else []

    def trunk_states(self) -> Sequence[TrunkState]:
        return [TrunkState(name, TrunkRegistration.OFF) for name in self._trunks]

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
        acts = self._acts_of(to.number)
        now = anyio.current_time()
        rung = SimulatedLeg(leg, to, caller_id, now, acts, caller_name=caller_name, trail=trail)
        self.legs[leg] = rung
        self.rung.append(rung)
        if (raw := self._unreachable(to)) is not None:
            self._later(0.0, lambda: self._end(rung, Cause.UNREACHABLE, raw))
            return
        after = 0.0
        for pause, act in acts:
            after += pause
            self._later(after, partial(self._act, leg, act))

    def hang_up(self, leg: LegId) -> None:
        if known := self.legs.get(leg):
            self._later(0.0, lambda: self._end(known, Cause.RELEASED))

    def play(self, leg: LegId, playback: PlaybackId, media: Media, *, loop: bool = False) -> None:
        ear = self._live(leg)
        ear.playback, ear.media = playback, media
        hear(ear, self.legs)
        if not loop:
            self._later(duration(media), lambda: self._played(ear, playback))

    def stop(self, playback: PlaybackId) -> None:
        for leg in self.legs.values():
            if leg.playback == playback:
                leg.playback = leg.media = None
                hear(leg, self.legs)

    def send_key(self, leg: LegId, key: str) -> None:
        ear = self._live(leg)
        now = anyio.current_time()
        start = max(now, ear.keys_free_at)
        ear.keys_free_at = start + KEY_SPACING
        self._later(start - now, lambda: self._key_sent(ear, key))

    def listen_for_keys(self, leg: LegId, *, wanted: bool) -> None:
        self._live(leg).listened_to = wanted

    def bridge(self, bridge: BridgeId, one: LegId, other: LegId) -> None:
        ears = self._live(one), self._live(other)
        for ear in ears:
            if ear.bridge is not None:
                self.unbridge(ear.bridge)
        self._bridges[bridge] = one, other
        for ear in ears:
            ear.bridge = bridge
        listen_again(self.legs)

    def unbridge(self, bridge: BridgeId) -> None:
        for leg in self._bridges.pop(bridge, ()):
            if ear := self.legs.get(leg):
                ear.bridge = None
        listen_again(self.legs)

    def mute(self, leg: LegId, *, muted: bool) -> None:
        self._live(leg).muted = muted
        listen_again(self.legs)

    def coach(self, ear: LegId, to: LegId, mode: CoachMode) -> None:
        self._live(to)
        coach = self._live(ear)
        coach.coached, coach.mode = to, mode
        listen_again(self.legs)

    def stop_coaching(self, ear: LegId) -> None:
        if coach := self.legs.get(ear):
            coach.coached = None
            listen_again(self.legs)

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        self._live(one)
        if other is not None:
            self._live(other)
        self._recordings[recording] = _Recording(one, other, file, anyio.current_time())

    def stop_recording(self, recording: RecordingId) -> None:
        if recording in self._recordings:
            self._later(0.0, lambda: self._recorded(recording))

    def offer(
        self,
        leg: LegId,
        *,
        caller: str,
        called: str,
        trunk: str | None = None,
        trail: Trail = FRESH,
        replaces: LegId | None = None,
    ) -> None:
        """Let a phone call in; ``far_ends`` of the caller's number says what it does once answered.

        Of the acts before `Answers` only `HangsUp` counts: it takes the call back.
        """
        acts = self._acts_of(caller)
        self.legs[leg] = SimulatedLeg(
            leg, Address(caller, trunk=trunk), called, anyio.current_time(), acts, offered=True
        )
        self.rung.append(self.legs[leg])
        self._later(
            0.0, lambda: self._tell(LegOffered(leg, caller, called, trunk, trail, replaces))
        )
        after = 0.0
        for pause, act in acts:
            after += pause
            if isinstance(act, Answers):
                break
            if isinstance(act, HangsUp):
                self._later(after, partial(self._act, leg, act))

    def report_transfer(self, leg: LegId, failed: Cause | None) -> None:
        self._live(leg).transfers.append(failed)

    def ring_back(self, leg: LegId) -> None:
        self._live(leg)

    def answer(self, leg: LegId) -> None:
        phone = self._live(leg)
        if not phone.offered or phone.accepted:
            return
        phone.accepted = True
        self._later(0.0, lambda: self._act(leg, Answers()))
        acts = iter(phone.acts)
        after = 0.0
        for _, act in acts:
            if isinstance(act, Answers):
                break
        for pause, act in acts:
            after += pause
            self._later(after, partial(self._act, leg, act))

    def reject(self, leg: LegId, cause: Cause) -> None:
        phone = self._live(leg)
        self._later(0.0, lambda: self._end(phone, cause))

    def _acts_of(self, number: str) -> Acts:
        if known := self.far_ends.get(number):
            return known.acts
        if isinstance(self._otherwise, FarEnd):
            return self._otherwise.acts
        return self._otherwise(number).acts

    def _unreachable(self, to: Address) -> str | None:
        """Say why there is no way to an address, if there is none."""
        if to.phone is not None or self._all_reachable:
            return None
        if to.trunk is not None:
            return None if to.trunk in self._trunks else f"no trunk named {to.trunk}"
        return None if to.number in self._phones else "not registered"

    def _live(self, leg: LegId) -> SimulatedLeg:
        if leg not in self.legs:
            raise LegGone(leg)
        return self.legs[leg]

    def _later(self, after: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._due, (anyio.current_time() + after, next(self._turns), happen))
        self._more.set()

    def _tell(self, event: EngineEvent) -> None:
        assert self._deliver
        self._deliver(event)

    def _act(self, leg: LegId, act: Act) -> None:
        phone = self.legs.get(leg)
        if phone is None:
            return
        match act:
            case Rings():
                self._tell(LegRinging(leg))
            case SendsEarlyMedia():
                phone.early = True
                self._tell(EarlyMediaStarted(leg))
            case Answers():
                phone.answered = True
                hear(phone, self.legs)
                self._tell(LegConnected(leg))
            case Rejects(cause=cause, raw=raw):
                self._end(phone, cause, raw)
            case HangsUp(cause=cause):
                self._end(phone, cause)
            case Holds() | Resumes():
                phone.holds = isinstance(act, Holds)
                hear(phone, self.legs)
                self._tell(LegHeld(leg) if phone.holds else LegResumed(leg))
            case Transfers(to=to, attended=attended):
                self._tell(TransferAsked(leg, to, self._newest_other(phone) if attended else None))
            case Presses(key=key, by_tone=by_tone):
                if phone.listened_to or not by_tone:
                    self._tell(DtmfReceived(leg, key))

    def _newest_other(self, phone: SimulatedLeg) -> LegId | None:
        """The leg of the same phone that began last."""
        others = [one for one in self.legs.values() if one.to.number == phone.to.number]
        return next((one.id for one in reversed(others) if one is not phone), None)

    def _end(self, leg: SimulatedLeg, cause: Cause, raw: str = "") -> None:
        if self.legs.pop(leg.id, None) is None:
            return
        for coach in self.legs.values():
            if coach.coached == leg.id:
                coach.coached = None
        if leg.bridge is not None:
            self.unbridge(leg.bridge)
        listen_again(self.legs)
        for recording, begun in tuple(self._recordings.items()):
            if leg.id in (begun.one, begun.other):
                self._recorded(recording)
        self._tell(LegReleased(leg.id, cause, raw))

    def _recorded(self, recording: RecordingId) -> None:
        if begun := self._recordings.pop(recording, None):
            lasted = anyio.current_time() - begun.since
            try:
                write_recording(begun.file, lasted, both=begun.other is not None)
            except OSError as fault:
                self._tell(RecordingFinished(begun.one, recording, 0.0, str(fault)))
            else:
                self._tell(RecordingFinished(begun.one, recording, lasted))

    def _played(self, leg: SimulatedLeg, playback: PlaybackId) -> None:
        if leg.id in self.legs and leg.playback == playback:
            leg.playback = leg.media = None
            hear(leg, self.legs)
            self._tell(PlaybackFinished(leg.id, playback))

    def _key_sent(self, leg: SimulatedLeg, key: str) -> None:
        if leg.id in self.legs:
            leg.keys.append((anyio.current_time(), key))
            self._tell(DtmfSent(leg.id, key))


def duration(media: Media) -> float:
    """Length of a WAV file, in seconds."""
    with wave.open(str(media.path)) as file:
        return float(file.getnframes() / file.getframerate())
