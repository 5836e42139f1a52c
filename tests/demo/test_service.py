"""The demo's service process: what is said when it does not come up."""

from pathlib import Path

import anyio
import pytest

from demo.ports import free_port
from demo.service import DemoFault, run_callwright, service


def test_a_service_that_cannot_start_is_told_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "callwright.toml").write_text("[http]\nport = 'high'\n", "utf-8")

    async def start() -> None:
        async with service(tmp_path, free_port()):
            pytest.fail("it has started")

    with pytest.raises(DemoFault, match=r"ended at once[\s\S]*http\.port"):
        anyio.run(start)


def test_a_command_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(DemoFault, match=r"callwright apply absent\.toml failed:[\s\S]*absent"):
        anyio.run(run_callwright, tmp_path, "apply", "absent.toml")
