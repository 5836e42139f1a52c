import pytest

from tests import autojump


@pytest.fixture
def anyio_backend() -> autojump.Backend:
    """A clock that jumps: all who take part are in the test's process, and speak UDP.

    Where TCP is spoken, or other programs take part, a module has a fixture of its own.
    """
    return autojump.BACKEND
