"""What the service is put together from, by its settings."""

import logging
from errno import EINVAL, EPERM
from pathlib import Path
from typing import Literal

import pytest

from callwright.config import MediaSettings, Settings, StartFault
from callwright.engines.media.kernel import bpf
from callwright.engines.port import LegId
from callwright.wiring.environment import Environment, workers_for


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (3, 2), (4, 3), (64, 63)])
def test_signalling_has_a_core_to_itself_where_there_are_enough(cores: int, workers: int) -> None:
    assert workers_for(cores) == workers


@pytest.mark.parametrize(
    ("refusal", "why"),
    [(EPERM, "CAP_BPF and CAP_NET_ADMIN"), (EINVAL, "Linux 6.6"), (0, "no known number")],
)
@pytest.mark.parametrize("workers", [0, 2])
def test_a_kernel_that_cannot_relay_is_done_without_unless_it_must(
    workers: int,
    refusal: int,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def settings(kernel_relay: Literal["auto", "on", "off"]) -> Settings:
        media = MediaSettings(workers=workers, kernel_relay=kernel_relay)
        return Settings(data=tmp_path, media=media)

    def refuse(_command: int, _attributes: bytes) -> int:
        raise OSError(refusal, "bpf(2) has no known number on this machine")

    monkeypatch.setattr(bpf, "_bpf", refuse)
    make = Environment().engine
    with caplog.at_level(logging.INFO):
        make(settings("auto"), lambda: LegId(1))
    assert why in caplog.text
    make(settings("off"), lambda: LegId(1))
    with pytest.raises(StartFault, match=r"media\.kernel_relay is on.*" + why):
        make(settings("on"), lambda: LegId(1))
