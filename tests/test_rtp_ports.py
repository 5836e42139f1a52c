import pytest

from tests.rtp_ports import FIRST, LAST, free_range, own_ports, ports_of


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 64])
def test_no_port_has_two_workers(workers: int) -> None:
    ranges = [ports_of(worker, workers) for worker in range(workers)]
    ports = [port for first, last in ranges for port in range(first, last + 1)]
    assert len(set(ports)) == len(ports)
    assert min(ports) >= FIRST
    assert max(ports) <= LAST
    assert len(ports) > LAST - FIRST - 2 * workers
    assert all(first % 2 == 0 and last % 2 == 1 for first, last in ranges)


def test_a_worker_in_the_place_of_a_crashed_one_has_ports() -> None:
    assert ports_of(3, 3) == ports_of(0, 3)


def test_a_worker_stays_within_its_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw63")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "64")
    assert own_ports() == ports_of(63, 64)
    lowest, highest = own_ports()
    for _ in range(50):
        first, last = free_range(6)
        assert lowest <= first
        assert first + 11 == last <= highest


def test_without_workers_all_ports_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    assert own_ports() == (FIRST, LAST)
