"""Shared components: what most methods of a service are put together from."""

from collections.abc import Callable
from dataclasses import dataclass

import anyio
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.manager import CallManager
from callwright.config import Settings
from callwright.downloads.links import Links
from callwright.engines.port import Engine
from callwright.storage.directory import StoredDirectory
from callwright.storage.history.journal import StoredJournal
from callwright.storage.history.tagging import StoredTagging
from callwright.storage.synchronous_reads import RowsAtHand
from callwright.storage.writer import Writer
from callwright.wiring.environment import Environment, SpeechEngine


@dataclass(frozen=True, slots=True)
class Storage:
    database: AsyncEngine
    rows: RowsAtHand
    writer: Writer
    turn: anyio.Lock
    "What writers of this process wait for each other by."


@dataclass(frozen=True, slots=True)
class Components:
    settings: Settings
    around: Environment
    storage: Storage
    directory: StoredDirectory
    journal: StoredJournal
    tagging: StoredTagging
    engine: Engine
    manager: CallManager
    speech: SpeechEngine
    links: Links
    next_id: Callable[[], int]
