"""Bridges: which legs of a session hear each other, in blocks that say for how long."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from callwright.calls import events
from callwright.engines.port import BridgeId, LegGone

if TYPE_CHECKING:
    from callwright.calls.leg import Leg
    from callwright.calls.party import Party
    from callwright.calls.session import Session


class Bridges:
    """The bridges of one session, and who is held meanwhile."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.talkers: tuple[Party, Party] | None = None
        "Contact and operator, while they talk."

    @contextmanager
    def talking(self, contact: "Party", operator: "Party") -> Iterator[None]:
        """In the block contact and operator talk, and are recorded if that is on."""
        assert contact.leg
        assert operator.leg
        self.talkers = contact, operator
        try:
            with (
                operator.leg.listened_to() if self._session.options else nullcontext(),
                self.joined(contact, operator),
                self._session.recorder.of_talk((contact.leg.id, operator.leg.id)),
            ):
                yield
        finally:
            self.talkers = None

    @contextmanager
    def held(self, party: "Party") -> Iterator[None]:
        """In the block a party is held."""
        assert party.leg
        self._session.tell(events.HoldStarted, leg=party.leg.id)
        try:
            yield
        finally:
            self._session.tell(events.HoldFinished, leg=party.leg.id)

    @contextmanager
    def joined(self, one: "Party", other: "Party") -> Iterator[None]:
        """In the block two parties hear each other."""
        assert one.leg
        assert other.leg
        legs = one.leg.id, other.leg.id
        bridge = self._bridge(one.leg, other.leg)
        if bridge is None:  # One has just gone; ``present`` around this block will say so.
            yield
            return
        self._session.tell(events.TalkStarted, legs=legs)
        try:
            yield
        finally:
            self._session.engine.unbridge(bridge)
            self._session.tell(events.TalkFinished, legs=legs)

    def join_early(self, listener: "Leg", ringing: "Leg") -> BridgeId | None:
        """Let a leg hear the early media of another. None if either has just gone."""
        bridge = self._bridge(listener, ringing)
        if bridge is not None:
            self._session.tell(events.EarlyMediaJoined, leg=listener.id, heard=ringing.id)
        return bridge

    def _bridge(self, one: "Leg", other: "Leg") -> BridgeId | None:
        bridge = BridgeId(self._session.next_id())
        try:
            self._session.engine.bridge(bridge, one.id, other.id)
        except LegGone:
            return None
        return bridge
