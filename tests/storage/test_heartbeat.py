"""What tells the next start how long the service has lived."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from callwright.storage.history.heartbeat import beat, last_beat

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)


async def test_the_last_beat_is_known_whenever_the_process_ends(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    known: list[datetime | None] = []
    with anyio.CancelScope() as scope:

        def now() -> datetime:
            known.append(last_beat(file))
            if len(known) == 4:
                scope.cancel()
            return NOW + timedelta(seconds=len(known))

        await beat(file, now, every=0.0)
    assert known == [None, *(NOW + timedelta(seconds=seconds) for seconds in (1, 2, 3))]


@pytest.mark.parametrize("text", ["", "\n", "soon", "1e999", "nan"])
async def test_what_is_no_time_proves_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "alive"
    file.write_text(text)
    assert last_beat(file) is None


async def test_a_file_that_cannot_be_written_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with anyio.CancelScope() as scope:

        def now() -> datetime:
            if "cannot be written" in caplog.text:
                scope.cancel()
            return NOW

        await beat(tmp_path, now, every=0.0)
    assert last_beat(tmp_path) is None
