"""Conversations: what holds while two talk, by whose call it is and who the employee is."""

from callwright.calls.plan import Conversation, Direction, Message
from callwright.directory.model import Account, Employee, Recorded, VirtualNumber
from callwright.methods.talk_options import TalkOptions


class Conversations:
    """``ringback``: what an employee hears while a third party is rung.

    ``talk_at_most``: seconds two may be together.
    """

    def __init__(self, talk_options: TalkOptions, ringback: Message, talk_at_most: float) -> None:
        self._talk_options = talk_options
        self._ringback = ringback
        self._talk_at_most = talk_at_most

    async def of(
        self,
        account: Account,
        direction: Direction,
        virtual: VirtualNumber,
        waiting_music: Message,
        employee: Employee | None = None,
    ) -> Conversation:
        return Conversation(
            waiting_music=waiting_music,
            ringback=self._ringback,
            at_most=self._talk_at_most,
            recorded=employee is not None and employee.recorded in (Recorded.ALL, direction),
            options=await self._talk_options.of_call(
                account, employee.id if employee else None, virtual
            ),
        )
