"""The methods that edit the directory put together, and the files that come and go beside them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import anyio.to_thread

from callwright.config import SipSettings
from callwright.directory.media_upload import MediaUpload
from callwright.downloads.copies import Copies
from callwright.engines.sip.transport.own_address import own_address
from callwright.methods.data import (
    available_numbers,
    blacklist,
    communications,
    contact_organizations,
    contacts,
    employees,
    group_contacts,
    groups,
    media_files,
    sales,
    scenarios,
    schedules,
    sip_lines,
    tags,
)
from callwright.methods.method import Method
from callwright.rpc.files import UPLOAD_WITHIN, Files, Shelf
from callwright.storage.editing.changing import Changing
from callwright.storage.editing.contacts import (
    StoredContactGroups,
    StoredContacts,
    StoredOrganizations,
)
from callwright.storage.editing.employees import StoredEmployees
from callwright.storage.editing.groups import StoredGroups
from callwright.storage.editing.media import StoredMediaFiles
from callwright.storage.editing.scenarios import StoredScenarios
from callwright.storage.editing.schedules import StoredSchedules
from callwright.storage.editing.sip_lines import StoredSipLines
from callwright.storage.editing.tags import StoredBlacklist, StoredTags
from callwright.storage.editing.virtual_numbers import StoredVirtualNumbers
from callwright.storage.history.files import StoredShelf
from callwright.storage.history.sales import StoredSales
from callwright.wiring.components import Components

COPIES_AT_MOST = 1 << 30
"Bytes of recordings in other formats that are kept."


@dataclass(frozen=True, slots=True)
class Entities:
    """Everything that the account's things are edited with."""

    methods: Sequence[Method[Any]]
    files: Files
    shelf: Shelf
    "Where its files are."


async def entities(components: Components, changed: Callable[[], Awaitable[None]]) -> Entities:
    """``changed`` is called after a change."""
    settings, database = components.settings, components.storage.database
    clock = components.around.clock
    media = settings.data / "media"
    changing = Changing(database, components.next_id, clock.now, changed)
    intake = MediaUpload(
        media, settings.data / "uploads", at_most=settings.media.file_length_at_most
    )
    copies = Copies(settings.data / "copies", bytes_at_most=COPIES_AT_MOST)
    await anyio.to_thread.run_sync(intake.open)
    await anyio.to_thread.run_sync(copies.open)
    uploaded = media_files.MediaFiles(StoredMediaFiles(changing, media), intake)
    shelf = StoredShelf(
        database, settings.data / "recordings", media, components.journal.queued_recording
    )
    within = max(UPLOAD_WITHIN, components.around.body_within)
    files = Files(components.links, shelf, copies, uploaded, upload_within=within)

    methods = [
        *employees.Employees(StoredEmployees(changing)).methods(),
        *groups.EmployeeGroups(StoredGroups(changing)).methods(),
        *available_numbers.NumberSwitch(StoredVirtualNumbers(changing)).methods(),
        *contacts.Contacts(StoredContacts(changing)).methods(),
        *group_contacts.ContactGroups(StoredContactGroups(changing)).methods(),
        *contact_organizations.ContactOrganizations(StoredOrganizations(changing)).methods(),
        *uploaded.methods(),
        *tags.Tags(StoredTags(changing)).methods(),
        *communications.Communications(
            components.manager, components.directory, components.tagging
        ).methods(),
        *sales.Sales(StoredSales(database, components.next_id)).methods(),
        *blacklist.Blacklist(StoredBlacklist(changing)).methods(),
        *sip_lines.SipLines(StoredSipLines(changing), _sip_server(settings.sip)).methods(),
        *scenarios.ScenarioEntities(StoredScenarios(changing)).methods(),
        *schedules.Schedules(StoredSchedules(changing)).methods(),
    ]
    return Entities(methods, files, shelf)


def _sip_server(sip: SipSettings) -> str:
    """Where phones register, as it is typed into them."""
    host = sip.advertise or sip.host
    if host.is_unspecified:
        host = ip_address(own_address(str(host)))
    shown = f"[{host}]" if host.version == 6 else str(host)
    return shown if sip.port in (0, 5060) else f"{shown}:{sip.port}"
