"""The Data API put together: where its lists have their rows, and how long these are kept."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import anyio

from callwright.config import Settings
from callwright.downloads.copies import collect_copies
from callwright.methods.data.api_requests import GET_API_REQUESTS
from callwright.methods.data.call_details import GET_CALL_DETAILS
from callwright.methods.data.call_legs_report import GET_CALL_LEGS_REPORT
from callwright.methods.data.call_timeline import CallTimelines
from callwright.methods.data.calls_report import GET_CALLS_REPORT
from callwright.methods.data.communications_report import GET_COMMUNICATIONS_REPORT
from callwright.methods.data.financial_report import GET_FINANCIAL_CALL_LEGS_REPORT
from callwright.methods.data.list_method import NoRows, Rows
from callwright.methods.data.media_files import GET_MEDIA_FILES
from callwright.methods.data.registry import DATA_CATALOGUE, LISTS
from callwright.methods.data.request_log import GET_REQUEST_LOG
from callwright.methods.data.sip_lines import GET_SIP_LINES, registrations
from callwright.methods.data.statuses import GET_EMPLOYEE_STAT, StatusTimes
from callwright.methods.data.webhooks import Webhooks
from callwright.methods.method import Method
from callwright.storage.history.cleaning import Cleaner
from callwright.storage.history.request_log import GATHERED_FOR, StoredRequests
from callwright.storage.lists.contact_sources import CONTACT_SOURCES
from callwright.storage.lists.directory_sources import DIRECTORY_SOURCES
from callwright.storage.lists.report_sources import REPORT_SOURCES
from callwright.storage.lists.rows import StoredRows, Totals
from callwright.storage.lists.source import StoredList
from callwright.storage.webhooks.stored import StoredWebhooks
from callwright.wiring.components import Components, Storage
from callwright.wiring.environment import Environment

SOURCES = {
    source.name or source.table.name: source
    for source in (*DIRECTORY_SOURCES, *CONTACT_SOURCES, *REPORT_SOURCES)
}
"Where lists have their rows, by what their declarations say."
READ_AT_ONCE = 2
"Queries that are read at once: of the database's few connections, calls are to find one free."


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept beside the journal, and for how long."""

    requests: StoredRequests
    cleaner: Cleaner


def keeping(settings: Settings, storage: Storage, around: Environment) -> Keeping:
    kept = settings.history
    return Keeping(
        # At once where the journal does: a sandbox, in which time stands still.
        StoredRequests(
            storage.writer, storage.turn, gathered_for=around.gathered_for and GATHERED_FOR
        ),
        Cleaner(
            storage.database,
            storage.writer,
            storage.turn,
            settings.data / "recordings",
            settings.data / "media",
            timedelta(days=kept.sessions_kept),
            timedelta(days=kept.requests_kept),
            around.clock.now,
            partial(
                collect_copies,
                settings.data / "copies",
                [settings.data / "recordings", settings.data / "media"],
            ),
        ),
    )


def data_methods(
    components: Components,
    requests: StoredRequests,
    entity_methods: Sequence[Method[Any]],
    webhooks_changed: Callable[[], Awaitable[None]],
) -> Sequence[Method[Any]]:
    """Every method of the Data API, but for logging in, in the order of its reference.

    ``webhooks_changed``: lets what is set up hold at once.
    """
    methods = [
        *_lists(components, requests),
        *entity_methods,
        *Webhooks(StoredWebhooks(components.storage.database), webhooks_changed).methods(),
        CallTimelines(components.journal).method(),
    ]
    places = {declared.name: place for place, declared in enumerate(DATA_CATALOGUE)}
    return sorted(methods, key=lambda method: places[method.name])


def _lists(components: Components, requests: StoredRequests) -> Iterator[Method[Any]]:
    database, links, now = (
        components.storage.database,
        components.links,
        components.around.clock.now,
    )
    turns, totals = anyio.CapacityLimiter(READ_AT_ONCE), Totals(now)
    catch_up: dict[str, Callable[[], Awaitable[object]]] = {
        GET_CALLS_REPORT.name: components.journal.catch_up,
        GET_CALL_LEGS_REPORT.name: components.journal.catch_up,
        GET_FINANCIAL_CALL_LEGS_REPORT.name: components.journal.catch_up,
        GET_COMMUNICATIONS_REPORT.name: components.journal.catch_up,
        GET_CALL_DETAILS.name: components.journal.catch_up,
        GET_API_REQUESTS.name: requests.write_all,
        GET_REQUEST_LOG.name: requests.write_all,
    }

    def registered(number: str) -> Sequence[tuple[datetime, str]]:
        places = components.engine.registered(number)
        return [(now() - timedelta(seconds=place.ago), place.address) for place in places]

    currency = components.settings.prices.currency
    makers: dict[str, Mapping[str, Callable[[Any], object]]] = {
        GET_CALLS_REPORT.name: {"full_record_file_link": links.recording},
        GET_FINANCIAL_CALL_LEGS_REPORT.name: {"currency": lambda _: currency},
        GET_MEDIA_FILES.name: {"play_link": links.media_file},
        GET_SIP_LINES.name: registrations(registered),
    }
    for each in LISTS:
        if each.table is None:
            yield each.served(NoRows())
            continue
        stored = StoredList.of(SOURCES[each.table], each.listing.fields.values())
        rows: Rows = StoredRows(database, stored, turns, totals)
        if each is GET_EMPLOYEE_STAT:
            rows = StatusTimes(rows, now)
        yield each.served(rows, makers.get(each.name), catch_up.get(each.name))
