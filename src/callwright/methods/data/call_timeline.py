"""get.call_timeline: the course of one session, told for people."""

from typing import cast

from typing_extensions import TypedDict

from callwright.calls.plan import SessionId
from callwright.directory.model import Component
from callwright.methods.call_queries import Archive
from callwright.methods.data.call_story import DetailEvent, told
from callwright.methods.data.list_fields import Listing
from callwright.methods.errors import EntityNotFound
from callwright.methods.method import Caller, Declaration, Id, Method, Params, described


class GetCallTimeline(Params):
    call_session_id: Id
    "The session, live or finished."


@described
class CallTimeline(TypedDict):
    call_session_id: int
    call_events: list[DetailEvent]


SHOWN = Listing.of(CallTimeline)

GET_CALL_TIMELINE = Declaration(
    "get.call_timeline",
    GetCallTimeline,
    component=Component.DATA,
    summary="Tell the course of one session for people; get.call has every event of it.",
    errors=("entity_not_found",),
    result=list[CallTimeline],
)


class CallTimelines:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def method(self) -> Method[GetCallTimeline]:
        return GET_CALL_TIMELINE.served_by(self.serve)

    async def serve(self, caller: Caller, params: GetCallTimeline) -> list[CallTimeline]:
        session = SessionId(params.call_session_id)
        story = await self._archive.events_of(session, caller.account.id)
        if story is None:
            raise EntityNotFound(field="call_session_id", value=session)
        shown = SHOWN.shower(["call_events"], caller.account.timezone)
        [events] = shown({"call_events": told(story)}).values()
        return [{"call_session_id": session, "call_events": cast("list[DetailEvent]", events)}]
