"""Recordings as their legs see them: the end of a leg is told after the ends of its recordings.

The file of a recording is closed behind everybody's back, and `LegReleased` is a leg's last event.
So it waits, for a bounded time: a disk that does not answer must not keep a call.
"""

from callwright.engines.port import LegId, LegReleased, RecordingFinished, RecordingId

CLOSED_WITHIN = 1.0
"Seconds the files of a leg have to be closed once it has ended."


class Recordings:
    def __init__(self) -> None:
        self._of: dict[RecordingId, LegId] = {}
        "Those that have not finished, with the first of their legs."
        self._held: dict[LegId, LegReleased] = {}

    @property
    def held(self) -> tuple[LegId, ...]:
        """Legs whose ends wait."""
        return tuple(self._held)

    def begun(self, recording: RecordingId, one: LegId) -> None:
        self._of[recording] = one

    def holds(self, ended: LegReleased) -> bool:
        """Keep the end of a leg back if there is something to be told before."""
        if ended.leg not in self._of.values():
            return False
        self._held[ended.leg] = ended
        return True

    def finished(self, event: RecordingFinished) -> list[RecordingFinished | LegReleased]:
        """Return what may be told now, in order; nothing of what was given up before."""
        leg = self._of.pop(event.recording, None)
        if leg is None:
            return []
        if leg in self._of.values() or leg not in self._held:
            return [event]
        return [event, self._held.pop(leg)]

    def give_up(self, leg: LegId) -> list[RecordingFinished | LegReleased]:
        """Return what is to be told of a leg that has waited long enough."""
        if leg not in self._held:
            return []
        late = [recording for recording, one in self._of.items() if one == leg]
        return [
            told
            for recording in late
            for told in self.finished(
                RecordingFinished(leg, recording, 0.0, "its file was not closed in time")
            )
        ]
