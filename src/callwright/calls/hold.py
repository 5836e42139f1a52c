"""On hold: what becomes of a party whom another has put on hold."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from callwright.calls.party import Party
    from callwright.calls.plan import Message
    from callwright.calls.session import Session


class OnHold:
    """A ``with`` block in which a party may be put on hold, and taken back, several times.

    On hold it hears a message once and then music, and events say so; it must be there then.
    """

    def __init__(self, call: "Session", party: "Party", music: "Message") -> None:
        self.is_on = False
        self._call = call
        self._party = party
        self._music = music
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.put(on=False)

    def put(self, *, on: bool, message: "Message | None" = None) -> None:
        """Put the party on hold, or take it back; without effect if it is so already."""
        if on is self.is_on:
            return
        self.is_on = on
        if on:
            self._held.enter_context(self._call.bridges.held(self._party))
            self._held.enter_context(self._party.hears(message, then=self._music))
        else:
            self._held.close()
