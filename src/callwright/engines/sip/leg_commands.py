"""Leg commands: what the engine asks of the signalling, for legs that are up.

Of `callwright.engines.port.Engine`, whose contract says what they do.
"""

import asyncio
from abc import abstractmethod

from callwright.engines.port import Cause, LegId
from callwright.engines.sip.dialog.causes import refusal_for, transfer_status
from callwright.engines.sip.dialog.invite_server import InviteServer
from callwright.engines.sip.media_commands import MediaCommands


class LegCommands(MediaCommands):
    _loop: asyncio.AbstractEventLoop

    @abstractmethod
    def _after_command(self) -> None:
        """Send at once; but tell in the next turn."""

    def hang_up(self, leg: LegId) -> None:
        if (call := self._legs.get(leg)) is not None:
            call.hang_up(self._loop.time())
            self._after_command()

    def send_key(self, leg: LegId, key: str) -> None:
        call = self._live(leg)
        if call.keys_by_info:
            call.send_key(key, self._loop.time())
            self._after_command()
        else:
            self._media.send_key(leg, key)

    def report_transfer(self, leg: LegId, failed: Cause | None) -> None:
        self._live(leg).report_transfer(*transfer_status(failed), self._loop.time())
        self._after_command()

    def ring_back(self, leg: LegId) -> None:
        call = self._live(leg)
        if isinstance(call.invite, InviteServer):
            call.invite.ring_back(self._loop.time())
            self._after_command()

    def answer(self, leg: LegId) -> None:
        call = self._live(leg)
        if isinstance(call.invite, InviteServer):
            call.invite.answer(self._loop.time())
            self._after_command()

    def reject(self, leg: LegId, cause: Cause) -> None:
        status, reason = refusal_for(cause)
        self._live(leg).hang_up(self._loop.time(), cause, f"{status} {reason}")
        self._after_command()
