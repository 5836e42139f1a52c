"""The console put together, and imported, only where it is open."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from callwright.directory.lookup import Access
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.files import Shelf
from callwright.wiring.components import Components


def console_routes(
    components: Components,
    public_url: str,
    access: Access,
    dispatchers: tuple[Dispatcher, Dispatcher],
    shelf: Shelf,
) -> Sequence[BaseRoute]:
    """``public_url``: where clients reach the service; ``dispatchers``: of both APIs;
    ``shelf``: where recordings are.
    """
    settings, around = components.settings, components.around
    if not settings.console.open:
        return ()
    from callwright.console.api_access import ApiAccess
    from callwright.console.board import Board
    from callwright.console.call_story import CallStoryPage
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
    return console.routes([*now.routes(), *CallStoryPage(api, pages, shelf).routes()])
