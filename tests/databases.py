"""Which database a test is stored in: SQLite, or PostgreSQL; and empty ones of either."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.postgresql import Server, name_for

Kind = Literal["sqlite", "postgresql"]
SQLITE: Kind = "sqlite"
POSTGRESQL: Kind = "postgresql"
KINDS = (SQLITE, POSTGRESQL)

Fill = Callable[[str], Coroutine[Any, Any, None]]
"Makes what is to be in a database of a URL."


@dataclass(slots=True)
class PostgresqlServer:
    """A server, and the templates this process has made on it."""

    server: Server
    _templates: dict[str, str] = field(default_factory=dict)

    def copy(self, of: Path, fill: Fill, to: Path) -> str:
        """Make the database of a folder, as a copy of what is filled once; give its URL."""
        template = self._templates.get(str(of))
        if template is None:
            of.mkdir(exist_ok=True)
            template = self._templates[str(of)] = name_for(of)
            asyncio.run(fill(self.server.create(template)))
        return self.server.create(name_for(to), template)


@dataclass(frozen=True, slots=True)
class StoredIn:
    """``postgresql``: None, and it is SQLite."""

    postgresql: PostgresqlServer | None = None

    @property
    def kind(self) -> Kind:
        return "postgresql" if self.postgresql else "sqlite"

    @contextmanager
    def copy(self, template: Path, fill: Fill, folder: Path) -> Iterator[str]:
        """Give the URL of a database in ``folder`` while the block runs.

        It is a copy of what ``fill`` has made in the folder ``template``, once for this process.
        """
        if self.postgresql:
            yield self.postgresql.copy(template, fill, folder)
            self.postgresql.server.drop(name_for(folder))
            return
        file = template / "callwright.db"
        if not file.exists():
            template.mkdir(exist_ok=True)
            asyncio.run(fill(url_of(file)))
        shutil.copyfile(file, folder / "callwright.db")
        yield url_of(folder / "callwright.db")


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"
