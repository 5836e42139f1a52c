"""What the service is put together from, by its settings."""

import pytest

from callwright.wiring.environment import workers_for


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (3, 2), (4, 3), (64, 63)])
def test_signalling_has_a_core_to_itself_where_there_are_enough(cores: int, workers: int) -> None:
    assert workers_for(cores) == workers
