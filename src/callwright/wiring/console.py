"""The console put together, and imported, only where it is open."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from starlette.routing import BaseRoute

from callwright.directory.lookup import Access
from callwright.directory.model import AccountId
from callwright.engines.network import TrunkState
from callwright.figures import Measured
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.files import Shelf
from callwright.rpc.metrics import may_see_metrics
from callwright.wiring.components import Components


def console_routes(
    components: Components,
    public_url: str,
    access: Access,
    dispatchers: tuple[Dispatcher, Dispatcher],
    shelf: Shelf,
    parts: Iterable[object],
    fault: Callable[[], str | None],
) -> Sequence[BaseRoute]:
    """``public_url``: where clients reach the service; ``dispatchers``: of both APIs;
    ``shelf``: where recordings are; ``parts``: of the service, that may have figures to show;
    ``fault``: why no call can be made, if none can.
    """
    settings, around = components.settings, components.around
    if not settings.console.open:
        return ()
    from callwright.console.api_access import ApiAccess
    from callwright.console.board import Board
    from callwright.console.call_journal import CallJournalPage
    from callwright.console.call_story import CallStoryPage
    from callwright.console.health import HealthPage
    from callwright.console.now import NowPage
    from callwright.console.pages import Pages
    from callwright.console.routes import Console, console_base
    from callwright.console.sign_in import SignIn
    from callwright.console.static_files import StaticFiles
    from callwright.console.visitor import Visitors
    from callwright.methods.live_board import LiveBoard

    base = console_base(public_url)
    api = ApiAccess(*dispatchers)
    pages = Pages(base, StaticFiles(base))
    visitors = Visitors(
        access,
        settings.http.trusted_proxies,
        around.clock.seconds,
        base,
        secure=public_url.startswith("https://"),
    )
    console = Console(pages, visitors, SignIn(api, pages, visitors))
    live = LiveBoard(components.manager)
    components.journal.readers.append(lambda written: live.hear(one.event for one in written))
    now = NowPage(
        api,
        pages,
        visitors,
        Board(live, pages),
        around.clock.now,
        settings.prompts.language,
        around.streams,
    )
    health = HealthPage(
        api,
        pages,
        around.clock.now,
        around.clock.now(),
        fault,
        lambda: [one for part in parts if isinstance(part, Measured) for one in part.figures()],
        partial(_trunks_of, components),
        lambda request: may_see_metrics(request, settings.metrics.networks, settings.http),
    )
    return console.routes(
        [
            *now.routes(),
            *CallStoryPage(api, pages, shelf).routes(),
            *CallJournalPage(api, pages, around.clock.now).routes(),
            *health.routes(),
        ]
    )


async def _trunks_of(components: Components, account: AccountId) -> Sequence[TrunkState]:
    """How it stands with an account's trunks; other accounts' are none of its business."""
    return [
        state
        for state in components.engine.trunk_states()
        if await components.directory.has_trunk(account, state.name)
    ]
