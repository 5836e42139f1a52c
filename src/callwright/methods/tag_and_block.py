"""Methods that mark a live call: its tag, its contact's place on the blacklist."""

from collections.abc import Sequence
from typing import Any

from callwright.calls import events
from callwright.calls.commands import ALLOWED, CommandRefused, SetTag, TagAlreadySet
from callwright.calls.immediate_commands import carry_out
from callwright.calls.state import LIVE
from callwright.directory.lookup import Directory
from callwright.directory.model import Component
from callwright.methods import errors
from callwright.methods.live import SUCCESS, LiveCalls, OfSession, Success, refused
from callwright.methods.method import Caller, Declaration, Id, Method


class TagCall(OfSession):
    tag_id: Id
    "One of the account's tags."


TAG_CALL = Declaration(
    "tag.call",
    TagCall,
    component=Component.MANAGEMENT,
    summary="Put a tag on a live session.",
    errors=("call_session_not_found", "tag_not_found", "duplicate_tag"),
    result=Success,
    states=ALLOWED[SetTag],
)

BLOCK_CONTACT = Declaration(
    "block.contact",
    OfSession,
    component=Component.MANAGEMENT,
    summary="Put the session's contact on the account's blacklist; the call goes on.",
    errors=("call_session_not_found", "invalid_state", "duplicate_contact"),
    states=LIVE,
    result=Success,
)


class Marks:
    def __init__(self, live: LiveCalls, directory: Directory) -> None:
        self._live = live
        self._directory = directory

    def methods(self) -> Sequence[Method[Any]]:
        return TAG_CALL.served_by(self.tag), BLOCK_CONTACT.served_by(self.block)

    async def tag(self, caller: Caller, params: TagCall) -> Success:
        session = self._live.session(caller, params)
        tag = await self._directory.tag(caller.account.id, params.tag_id)
        if tag is None:
            raise errors.TagNotFound(field="tag_id", value=params.tag_id, tag_id=params.tag_id)
        try:
            carry_out(session, SetTag(tag.id, tag.name))
        except TagAlreadySet as refusal:
            raise refused(refusal, field="tag_id", value=params.tag_id) from None
        except CommandRefused as refusal:
            raise refused(refusal) from None
        return SUCCESS

    async def block(self, caller: Caller, params: OfSession) -> Success:
        session = self._live.session(caller, params)
        number = session.caption.contact_number
        if not number:
            # It is withheld: there is nothing that could be known again.
            raise errors.InvalidState
        comment = f"session {session.id}"
        if not await self._directory.add_to_blacklist(caller.account.id, number, comment):
            raise errors.DuplicateContact(contact_phone_number=number)
        if session.record.state in LIVE:  # It may have ended meanwhile, and said its last.
            session.tell(events.ContactBlocked, number=number)
        return SUCCESS
