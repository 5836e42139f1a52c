"""A list that takes too long is refused, and says so."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from callwright.directory.model import AccountId
from callwright.methods.data.list_method import answered
from callwright.methods.errors import DataLimitExceeded
from callwright.query import Query, Row, TooCostly

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Costly:
    """Rows of which either the page or the count takes too long."""

    are_many = True

    def __init__(self, *, page: bool) -> None:
        self._page = page

    async def count(self, account: AccountId, query: Query) -> int:
        if not self._page:
            raise TooCostly
        return 1

    async def read(self, account: AccountId, query: Query) -> AsyncGenerator[Sequence[Row], None]:
        if self._page:
            raise TooCostly
        yield [{"id": 1}]


@pytest.mark.parametrize("page", [True, False], ids=["page", "count"])
async def test_it_is_refused(page: bool) -> None:
    with pytest.raises(DataLimitExceeded):
        await answered(AccountId(1), Query(["id"]), Costly(page=page), dict)
