"""Editing virtual numbers: which of its numbers an account uses."""

from typing import Protocol

from callwright.directory.model import AccountId


class VirtualNumbersEditor(Protocol):
    """Raises `NotThere`, `Unfit` of `callwright.directory.editing`."""

    async def switch_number(self, account: AccountId, number: str, *, active: bool) -> None:
        """Let the account use one of its numbers, or use it no more."""
