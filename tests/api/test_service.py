"""The service as a whole: what keeps it from starting."""

from pathlib import Path

import anyio
import pytest

from callwright.app import service
from callwright.config import Settings, StartFault
from tests.api.house import house


def test_two_services_cannot_share_their_data(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"data": tmp_path, "engine": "simulated", "http": {"port": 0}}
    )

    async def second() -> None:
        async with service(settings):
            pytest.fail("it came up")

    with house(tmp_path, {}) as home:
        with pytest.raises(StartFault, match="another service runs on the data"):
            anyio.run(second)
        assert home.succeeds("list.calls", {}) == []
