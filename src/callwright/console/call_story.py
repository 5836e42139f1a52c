"""Page of one call: what happened in it, why it ended, how it sounded, who was told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio.to_thread
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from callwright.console.api_access import ApiAccess
from callwright.console.finish_reasons import FINISH_REASONS
from callwright.console.pages import Pages
from callwright.console.routes import PageRoute
from callwright.console.visitor import Visitor
from callwright.drawing.call import Call, Who, own_number
from callwright.drawing.ladder import ladder
from callwright.drawing.steps import LEAVING
from callwright.drawing.tracks import Track, tracks
from callwright.drawing.waveform import ChannelSound, read_channels
from callwright.methods.call_queries import GET_CALL
from callwright.methods.data.webhook_log import GET_WEBHOOK_LOG
from callwright.rpc.files import Shelf
from callwright.texts import N_

if TYPE_CHECKING:
    from callwright.rpc.envelope import Json

DELIVERIES_AT_MOST = 200
STEPS_AT_MOST = 400
"Of a ladder; a call that has more of them shows the first."
GOOD, FAIR = 4.0, 3.1
"MOS from which on listeners are content, and from which on most of them are not (ITU-T G.107)."


@dataclass(frozen=True, slots=True)
class LegShown:
    """How one phone's part in the call went."""

    who: str
    number: str
    name: str
    answered: bool
    lasted: float | None
    "Seconds from answer to end; None: it goes on."
    ending: str
    "In words; empty: it goes on."
    raw: str
    "What the far end said."
    quality: Mapping[str, Any] | None

    @property
    def judged(self) -> str:
        """How it sounded, as a class of the style sheet."""
        mos = (self.quality or {}).get("mos")
        if mos is None:
            return ""
        return "good" if mos >= GOOD else "waiting" if mos >= FAIR else "bad"

    @property
    def losses(self) -> tuple[float | None, float | None]:
        """Share of packets that has not come, in and out, 0 to 1."""
        facts = self.quality or {}
        due = facts.get("received", 0) + facts.get("lost", 0)
        sent = facts.get("sent", 0)
        return (
            facts.get("lost", 0) / due if due else None,
            facts.get("far_lost", 0) / sent if sent else None,
        )


@dataclass(frozen=True, slots=True)
class CallStoryPage:
    api: ApiAccess
    pages: Pages
    shelf: Shelf

    def routes(self) -> list[PageRoute]:
        return [PageRoute("/calls/{session:number}", self.show)]

    async def show(self, request: Request, visitor: Visitor) -> Response:
        session = request.path_params["session"]
        told = await self.api.read(
            visitor.caller, GET_CALL.name, {"call_session_id": min(session, (1 << 53) - 1)}
        )
        call = _bounded(Call.model_validate(told))
        say = visitor.taste.language.say
        facts = {
            "told": told,
            "call": call,
            "began": datetime.fromisoformat(told["start_time"]).replace(tzinfo=UTC),
            "zone": visitor.caller.account.timezone,
            "verdict": call.verdict,
            "reason": _reason(call),
            "legs": legs_shown(told["timeline"]),
            "ladder": Markup(ladder(call, say)),
            "tracks": Markup(tracks(call, await self._tracks(call), say)),
            "recordings": [_here(one["file_link"]) for one in told["recordings"]],
            "deliveries": await self._deliveries(visitor, session),
        }
        return self.pages.page("call.html", visitor, facts, here="journal")

    async def _tracks(self, call: Call) -> Sequence[Track]:
        sounds: dict[Who, list[ChannelSound]] = {}
        for entry in call.timeline:
            if entry.event == "recording_started" and entry.recording is not None:
                file = await self.shelf.recording(entry.recording)
                channels = (
                    await anyio.to_thread.run_sync(read_channels, file, entry.offset)
                    if file
                    else []
                )
                for leg, channel in zip(entry.legs, channels, strict=False):
                    if who := call.roles.get(leg):
                        sounds.setdefault(who, []).append(channel)
        numbers = {e.role: own_number(e) for e in call.timeline if e.event == "leg_started"}
        return [Track(who, numbers.get(who, ""), sounds.get(who, ())) for who in call.phones]

    async def _deliveries(self, visitor: Visitor, session: int) -> list[dict[str, Any]] | None:
        """Attempts to tell webhooks of it; None: the reader may not see them."""
        if not self.api.may(visitor.caller, GET_WEBHOOK_LOG.name):
            return None
        asked: dict[str, Json] = {
            "filter": {"field": "communication_id", "operator": "=", "value": session},
            "sort": [{"field": "id"}],
            "limit": DELIVERIES_AT_MOST,
        }
        return (await self.api.rows(visitor.caller, GET_WEBHOOK_LOG.name, asked)).rows


def _bounded(call: Call) -> Call:
    timeline = call.timeline
    if len(timeline) <= STEPS_AT_MOST:
        return call
    return call.model_copy(update={"timeline": (*timeline[: STEPS_AT_MOST - 1], timeline[-1])})


def _reason(call: Call) -> str:
    verdict = call.verdict
    if verdict is None:
        return N_("The call goes on.")
    return FINISH_REASONS.get(verdict.finish_reason, verdict.finish_reason)


def legs_shown(timeline: Sequence[Mapping[str, Any]]) -> list[LegShown]:
    """The legs of a call in the order they were rung, from what get.call tells of it."""
    ends = {event["leg"]: event for event in timeline if event["event"] == "leg_ended"}
    answered = {event["leg"] for event in timeline if event["event"] == "leg_answered"}
    return [
        _leg(event, ends.get(event["leg"]), answered=event["leg"] in answered)
        for event in timeline
        if event["event"] == "leg_started"
    ]


def _leg(
    started: Mapping[str, Any], ended: Mapping[str, Any] | None, *, answered: bool
) -> LegShown:
    own = "calling_number" if started.get("offered") else "called_number"
    return LegShown(
        who=started["role"],
        number=started[own] or "",
        name=started["employee_full_name"] or "",
        answered=answered,
        lasted=ended["talk_duration"] if ended else None,
        ending=_ending(ended) if ended else "",
        raw=ended["raw"] if ended else "",
        quality=ended.get("quality") if ended else None,
    )


def _ending(ended: Mapping[str, Any]) -> str:
    cause = str(ended["cause"])
    return LEAVING.get(cause, N_("is hung up"))


def _here(link: str) -> str:
    """A link to a file of ours as one of the same origin: pages load nothing from elsewhere."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"
