"""The methods that edit the directory put together, and the files that come and go beside them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import anyio.to_thread

from callwright.config import SipSettings
from callwright.directory.media_upload import MediaUpload
from callwright.downloads.copies import Copies
from callwright.engines.sip.own_address import own_address
from callwright.methods.data import (
    blacklist,
    communications,
    employees,
    media_files,
    scenarios,
    sip_lines,
    tags,
)
from callwright.methods.data.list_methods import Rows, list_method
from callwright.methods.method import Method
from callwright.rpc.files import UPLOAD_WITHIN, Files
from callwright.storage.editing.changing import Changing
from callwright.storage.editing.employees import StoredEmployees
from callwright.storage.editing.media import StoredMediaFiles
from callwright.storage.editing.scenarios import StoredScenarios
from callwright.storage.editing.sip_lines import StoredSipLines
from callwright.storage.editing.tags import StoredBlacklist, StoredTags
from callwright.storage.history.files import StoredShelf
from callwright.storage.lists import entity_sources
from callwright.storage.lists.select import Source
from callwright.wiring.components import Components

COPIES_AT_MOST = 1 << 30
"Bytes of recordings in other formats that are kept."


@dataclass(frozen=True, slots=True)
class Entities:
    """Everything that the account's things are edited with."""

    methods: Callable[[Callable[[Source], Rows]], Sequence[Method[Any]]]
    "Given what reads the rows of a list."
    files: Files


async def entities(parts: Components, changed: Callable[[], Awaitable[None]]) -> Entities:
    """``changed`` is called after a change."""
    settings, database = parts.settings, parts.storage.database
    clock, links = parts.around.clock, parts.links
    media = settings.data / "media"
    changing = Changing(database, parts.next_id, clock.now, changed)
    intake = MediaUpload(
        media, settings.data / "uploads", at_most=settings.media.file_length_at_most
    )
    copies = Copies(settings.data / "copies", bytes_at_most=COPIES_AT_MOST)
    await anyio.to_thread.run_sync(intake.open)
    await anyio.to_thread.run_sync(copies.open)
    uploaded = media_files.MediaFiles(StoredMediaFiles(changing, media), intake)
    shelf = StoredShelf(
        database, settings.data / "recordings", media, parts.journal.queued_recording
    )
    within = max(UPLOAD_WITHIN, parts.around.body_within)
    files = Files(links, shelf, copies, uploaded, upload_within=within)

    def methods(rows: Callable[[Source], Rows]) -> Sequence[Method[Any]]:
        sources = entity_sources
        return [
            list_method(employees.GET_EMPLOYEES, employees.EMPLOYEES, rows(sources.EMPLOYEES)),
            *employees.Employees(StoredEmployees(changing)).methods(),
            list_method(
                media_files.GET_MEDIA_FILES,
                media_files.MEDIA_FILES,
                rows(sources.media_files_source(links.media_file)),
            ),
            *uploaded.methods(),
            list_method(tags.GET_TAGS, tags.TAGS, rows(sources.TAGS)),
            *tags.Tags(StoredTags(changing)).methods(),
            *communications.Communications(parts.manager, parts.directory, parts.tagging).methods(),
            list_method(blacklist.GET_BLACKLIST, blacklist.BLACKLIST, rows(sources.BLACKLIST)),
            *blacklist.Blacklist(StoredBlacklist(changing)).methods(),
            list_method(
                sip_lines.GET_SIP_LINES,
                sip_lines.SIP_LINES,
                rows(sources.sip_lines_source(parts.engine.registered, clock.now)),
            ),
            *sip_lines.SipLines(StoredSipLines(changing), _sip_server(settings.sip)).methods(),
            list_method(scenarios.GET_SCENARIOS, scenarios.SCENARIOS, rows(sources.SCENARIOS)),
            *scenarios.ScenarioEntities(StoredScenarios(changing)).methods(),
        ]

    return Entities(methods, files)


def _sip_server(sip: SipSettings) -> str:
    """Where phones register, as it is typed into them."""
    host = sip.advertise or sip.host
    if host.is_unspecified:
        host = ip_address(own_address(str(host)))
    shown = f"[{host}]" if host.version == 6 else str(host)
    return shown if sip.port in (0, 5060) else f"{shown}:{sip.port}"
