"""Waiting for whichever of several things happens first."""

import anyio


async def first_of(*events: anyio.Event) -> None:
    """Return once any of ``events`` is set."""
    if any(event.is_set() for event in events):
        return
    async with anyio.create_task_group() as tasks:

        async def wait(event: anyio.Event) -> None:
            await event.wait()
            tasks.cancel_scope.cancel()

        for event in events:
            tasks.start_soon(wait, event)
