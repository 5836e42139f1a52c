"""Page *Health*: whether all is well, what runs, and what was refused lately."""

import platform
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from callwright.console.api_access import ApiAccess, Listed
from callwright.console.finish_reasons import FINISH_REASONS
from callwright.console.pages import Pages
from callwright.console.routes import PageRoute
from callwright.console.visitor import Visitor
from callwright.directory.model import AccountId
from callwright.engines.network import TrunkRegistration, TrunkState
from callwright.figures import Figure
from callwright.methods.data.call_legs_report import GET_CALL_LEGS_REPORT
from callwright.methods.data.request_log import GET_REQUEST_LOG
from callwright.texts import N_

if TYPE_CHECKING:
    from callwright.rpc.envelope import Json

SHOWN_AT_MOST: Final = 10
"Rows of what was refused."
LOOKED_BACK: Final = timedelta(days=1)
FIGURES: Final = {
    "callwright_sessions": N_("live calls of all accounts"),
    "callwright_journal_queue": N_("events that wait to be written"),
    "callwright_event_streams": N_("listeners to events"),
    "callwright_phones": N_("phones that are registered"),
    "callwright_webhook_queue": N_("calls of which webhooks have still to be told"),
}
"Those of the metrics that a person looks at, in words; the others are at `/metrics`."
PROGRAMS: Final = ("starlette", "uvicorn", "SQLAlchemy", "av", "jinja2")


def trunk_words(trunk: TrunkState) -> tuple[str, str]:
    """How it stands with a trunk: a class of the style sheet, and words."""
    match trunk:
        case TrunkState(call_refusal=said) if said:
            return "bad", N_("does not take our calls")
        case TrunkState(registration=TrunkRegistration.REFUSED):
            return "bad", N_("refuses to register us")
        case TrunkState(reachable=False):
            return "bad", N_("does not answer")
        case TrunkState(registration=TrunkRegistration.TRYING):
            return "waiting", N_("is being registered with")
        case TrunkState(registration=TrunkRegistration.REGISTERED):
            return "good", N_("has us registered")
        case TrunkState(reachable=True):
            return "good", N_("answers")
    return "", N_("has not been asked yet")


@dataclass(frozen=True, slots=True)
class HealthPage:
    """``fault``: why no call can be made although it should; ``figures``: of the whole service.

    ``trunks``: those of an account. ``may_see_service``: whether a client may see what is not only
    its account's, as `GET /metrics` has it.
    """

    api: ApiAccess
    pages: Pages
    now: Callable[[], datetime]
    started: datetime
    fault: Callable[[], str | None]
    figures: Callable[[], Iterable[Figure]]
    trunks: Callable[[AccountId], Awaitable[Sequence[TrunkState]]]
    may_see_service: Callable[[Request], bool]

    def routes(self) -> list[PageRoute]:
        return [PageRoute("/health", self.show)]

    async def show(self, request: Request, visitor: Visitor) -> Response:
        trunks = await self.trunks(visitor.caller.account.id)
        shown = [(trunk, *trunk_words(trunk)) for trunk in trunks]
        facts = {
            "fault": self.fault(),
            "bad_trunks": any(state == "bad" for _, state, _ in shown),
            "reasons": FINISH_REASONS,
            "version": version("callwright"),
            "python": platform.python_version(),
            "programs": {name: version(name) for name in PROGRAMS},
            "up_for": self.now() - self.started,
            "figures": self._figures() if self.may_see_service(request) else None,
            "trunks": shown,
            "failed_legs": await self._rows(
                visitor,
                GET_CALL_LEGS_REPORT.name,
                {
                    "sort": [{"field": "start_time", "order": "desc"}],
                    "filter": {"field": "is_failed", "operator": "=", "value": True},
                },
            ),
            "refusals": await self._rows(
                visitor,
                GET_REQUEST_LOG.name,
                {
                    "sort": [{"field": "date_time", "order": "desc"}],
                    "filter": {"field": "error_mnemonic", "operator": "!=", "value": None},
                },
            ),
        }
        return self.pages.page("health.html", visitor, facts, here="health")

    def _figures(self) -> Mapping[str, float]:
        found = {one.name: one.value for one in self.figures()}
        return {words: found[name] for name, words in FIGURES.items() if name in found}

    async def _rows(self, visitor: Visitor, method: str, asked: "dict[str, Json]") -> Listed | None:
        """Rows of the last day; None: the reader may not see them."""
        if not self.api.may(visitor.caller, method):
            return None
        now = self.now().astimezone(visitor.caller.account.timezone)
        day: dict[str, Any] = {
            "date_from": f"{now - LOOKED_BACK:%Y-%m-%d %H:%M:%S}",
            "date_till": f"{now:%Y-%m-%d %H:%M:%S}",
            "limit": SHOWN_AT_MOST,
        }
        return await self.api.rows(visitor.caller, method, {**asked, **day})
