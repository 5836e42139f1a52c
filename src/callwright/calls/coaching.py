"""Coaches: parties who listen to a talk, whisper to its operator, or join in."""

from typing import TYPE_CHECKING

import anyio

from callwright.calls import events
from callwright.calls.commands import AddCoach, NoCoach
from callwright.calls.party import Party, PartyLeft, present
from callwright.calls.plan import Role
from callwright.engines.port import CoachMode, LegGone

if TYPE_CHECKING:
    from callwright.calls.session import Session


class Coaches:
    """The coaches of one session. One coming or leaving changes nothing for those who talk."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._listening: dict[Party, Party] = {}
        "Coaches who are there, and whom they coach."

    def add(self, command: AddCoach, coached: Party) -> None:
        """Ring a coach; once it answers it coaches whom it was rung for, until either leaves."""
        coach = Party(self._session, Role.COACH)
        self._session.start_soon(self._attend, coach, coached, command)

    def set_mode(self, mode: CoachMode) -> None:
        """Raises `NoCoach` if nobody coaches."""
        if not self._listening:
            raise NoCoach
        for coach, coached in self._listening.items():
            self._coach(coach, coached, mode)
            assert coach.leg
            self._session.tell(events.CoachModeChanged, leg=coach.leg.id, mode=mode.value)

    def dismiss_all(self) -> bool:
        """Hang up whoever coaches; False if nobody does."""
        coaches = tuple(self._listening)
        for coach in coaches:
            self._session.dismiss(coach)
        return bool(coaches)

    async def _attend(self, coach: Party, coached: Party, command: AddCoach) -> None:
        try:
            with present(coached):
                await coach.answers(command.coach)
                with present(coach):
                    self._coach(coach, coached, command.mode)
                    self._listening[coach] = coached
                    assert coach.leg
                    assert coached.leg
                    self._session.tell(
                        events.CoachJoined,
                        leg=coach.leg.id,
                        coached=coached.leg.id,
                        mode=command.mode.value,
                    )
                    await anyio.sleep_forever()
        except PartyLeft:
            self._listening.pop(coach, None)
            self._session.dismiss(coach)

    def _coach(self, coach: Party, coached: Party, mode: CoachMode) -> None:
        assert coach.leg
        assert coached.leg
        try:
            self._session.engine.coach(coach.leg.id, coached.leg.id, mode)
        except LegGone:  # LegEnded is on its way, and ends the coaching.
            return
