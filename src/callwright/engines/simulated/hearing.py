"""Simulated media routing: who hears whom, and what each phone has heard so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from callwright.engines.port import Address, BridgeId, Cause, CoachMode, LegId, Media, PlaybackId
from callwright.engines.simulated.far_end import Acts
from callwright.engines.trail import FRESH, Trail


@dataclass(slots=True)
class SimulatedLeg:
    """One leg, and what its phone has heard; for whoever looks at the simulation."""

    id: LegId
    to: Address
    caller_id: str
    rung_at: float
    acts: Acts = ()
    "What its phone does."
    trail: Trail = FRESH
    offered: bool = False
    "It came in."
    accepted: bool = False
    "It came in, and we have answered."
    answered: bool = False
    early: bool = False
    playback: PlaybackId | None = None
    media: Media | None = None
    bridge: BridgeId | None = None
    muted: bool = False
    holds: bool = False
    "It has put us on hold."
    listened_to: bool = False
    "Keys that come as tones are recognised."
    transfers: list[Cause | None] = field(default_factory=list)
    "What it was told of the transfers it asked for."
    coached: LegId | None = None
    "The leg that this one coaches."
    mode: CoachMode = CoachMode.LISTEN
    keys_free_at: float = 0.0
    keys: list[tuple[float, str]] = field(default_factory=list)
    "Keys the phone got, and when."
    heard: list[tuple[float, str]] = field(default_factory=list)
    """What it began to hear when: a media file's name, the numbers of the phones it hears, joined
    by ``+`` in their order, or ``silence``."""


Legs = Mapping[LegId, SimulatedLeg]
"Those that are not ended."


def listen_again(legs: Legs) -> None:
    """Note what everybody hears from now on."""
    for ear in legs.values():
        hear(ear, legs)


def hear(ear: SimulatedLeg, legs: Legs) -> None:
    """Note what one phone hears from now on, if that is something else than before."""
    if not ear.answered:
        return
    speakers = [leg for leg in legs.values() if _is_heard(leg, ear, legs)]
    what = "+".join(sorted(leg.to.number for leg in speakers)) or "silence"
    if ear.media:
        what = ear.media.path.name
    if ear.holds:
        what = "silence"
    now = anyio.current_time()
    if ear.heard and ear.heard[-1][0] == now:
        ear.heard.pop()  # What lasted no time was not heard.
    if not ear.heard or ear.heard[-1][1] != what:
        ear.heard.append((now, what))


def _is_heard(leg: SimulatedLeg, ear: SimulatedLeg, legs: Legs) -> bool:
    if leg is ear or leg.muted or not (leg.answered or leg.early):
        return False
    if leg.bridge is not None and leg.bridge == ear.bridge:
        return True
    return _coach_hears(ear, leg, legs) or _is_coach_of(leg, ear, legs)


def _coach_hears(coach: SimulatedLeg, leg: SimulatedLeg, legs: Legs) -> bool:
    if coach.coached is None:
        return False
    to = legs[coach.coached]
    return leg is to or (to.bridge is not None and leg.bridge == to.bridge)


def _is_coach_of(coach: SimulatedLeg, ear: SimulatedLeg, legs: Legs) -> bool:
    """Whether what a coach says reaches ``ear``."""
    if coach.coached is None or coach.mode is CoachMode.LISTEN:
        return False
    if ear.id == coach.coached:
        return True
    return coach.mode is CoachMode.BARGE and _coach_hears(coach, ear, legs)
