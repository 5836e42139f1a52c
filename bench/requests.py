"""How soon requests are answered while a hundred calls are up."""

import json
import time

import anyio

from bench.figures import Figure, milliseconds, quantile
from bench.stand import TOKEN, Stand, stand

CALLS = 100
REQUESTS = 600


async def requests() -> list[Figure]:
    """Put a hundred calls in talk, then send requests of every kind, one after another."""
    async with stand(CALLS, answer_after=0.1) as bench:
        sessions = []
        for number in range(1, CALLS + 1):
            sessions.append(await bench.start_call(number))
            await anyio.sleep(0.03)
        await anyio.sleep(1.5)
        took: dict[str, list[float]] = {}
        for turn in range(REQUESTS):
            session = sessions[turn % CALLS]
            asked: list[tuple[str, dict[str, object]]] = [
                ("get.call", {"call_session_id": session}),
                ("list.calls", {"direction": "out"}),
                ("send.dtmf", {"call_session_id": session, "dtmf_string": "5"}),
                ("hold.call", {"call_session_id": session, "contact_message": MESSAGE}),
                ("unhold.call", {"call_session_id": session}),
            ]
            for method, params in asked:
                began = time.monotonic()
                await _answered(bench, method, params)
                took.setdefault(method, []).append(time.monotonic() - began)
    everything = [one for times in took.values() for one in times]
    slowest = max(took, key=lambda method: quantile(took[method], 0.99))
    return [
        milliseconds(f"{CALLS} calls up: request answered, p50", quantile(everything, 0.5), 0.020),
        milliseconds(f"{CALLS} calls up: request answered, p99", quantile(everything, 0.99), 0.020),
        milliseconds(f"… the slowest method, {slowest}, p99", quantile(took[slowest], 0.99), 0.020),
    ]


MESSAGE = {"type": "media", "value": "2701"}


async def _answered(bench: Stand, method: str, params: dict[str, object]) -> None:
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {"access_token": TOKEN, **params},
    }
    response = await bench.api.client.post("/v4.0", content=json.dumps(body))
    answer = response.json()
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']['message']}")
