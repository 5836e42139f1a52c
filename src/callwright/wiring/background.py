"""Background tasks: what runs beside a block, and is stopped at its end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from anyio.abc import TaskStatus


@asynccontextmanager
async def background(serve: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run something beside the block; stop it, and wait for it, at the block's end."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def started_in_background(
    serve: Callable[[Callable[[], None]], Awaitable[None]],
) -> AsyncIterator[None]:
    """Like `background`, for what tells when it has started: the block begins only then."""

    async def until_started(*, task_status: "TaskStatus[None]") -> None:
        await serve(task_status.started)

    async with anyio.create_task_group() as tasks:
        await tasks.start(until_started)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()
