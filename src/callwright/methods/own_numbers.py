"""Own numbers: which of them a contact is shown (``virtual_phone_usage_rule``)."""

from collections.abc import Callable, Sequence
from typing import Protocol, assert_never

from callwright.directory.destinations import same_country, same_region
from callwright.directory.model import Account, AccountId, VirtualNumber
from callwright.methods.start_params import UsageRule

Choose = Callable[[Sequence[VirtualNumber]], VirtualNumber]
"Takes one of several at random."


class Own(Protocol):
    async def virtual_numbers(self, account: AccountId) -> Sequence[VirtualNumber]:
        """All of the account's own numbers."""


class History(Protocol):
    """What is known of earlier sessions."""

    async def numbers_used_with(self, account: int, contact: str) -> Sequence[str]:
        """Virtual numbers of the account's sessions with a contact, the latest first."""


class OwnNumbers:
    def __init__(self, own: Own, history: History, choose: Choose) -> None:
        self._own = own
        self._history = history
        self._choose = choose

    async def choose(
        self,
        account: Account,
        rule: UsageRule,
        named: VirtualNumber,
        contact: str,
        may_call_from: Callable[[VirtualNumber], bool] = lambda _: True,
    ) -> VirtualNumber:
        """Choose the number a contact is shown; ``named`` where no number fits the rule.

        ``may_call_from``: whether the contact may be called from a number at all. The region of a
        contact is its area or network code; of a contact abroad, where no number has that, its
        country.
        """
        if rule == "fixed":
            return named
        fitting: Sequence[VirtualNumber]
        own = [
            one
            for one in await self._own.virtual_numbers(account.id)
            if one.is_usable and may_call_from(one)
        ]
        match rule:
            case "random":
                fitting = own
            case "fixed_for_numa":
                fitting = await self._used_last(account, contact, own)
            case "regional_random":
                fitting = _of_region(contact, named, own)
            case "regional_fixed_for_numa":
                regional = _of_region(contact, named, own)
                fitting = await self._used_last(account, contact, regional) or regional
            case _:
                assert_never(rule)
        return self._choose(fitting) if fitting else named

    async def _used_last(
        self, account: Account, contact: str, among: Sequence[VirtualNumber]
    ) -> Sequence[VirtualNumber]:
        """The number used with the contact last, if it is among these; none or one."""
        if not among:
            return ()
        by_number = {one.number: one for one in among}
        used = await self._history.numbers_used_with(account.id, contact)
        return [by_number[number] for number in used if number in by_number][:1]


def _of_region(
    contact: str, named: VirtualNumber, own: Sequence[VirtualNumber]
) -> Sequence[VirtualNumber]:
    near = [one for one in own if same_region(contact, one.number)]
    if near or same_country(contact, named.number):
        return near
    return [one for one in own if same_country(contact, one.number)]
