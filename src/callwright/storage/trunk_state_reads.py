"""Trunk state reads: what another process, the service, has told of its trunks.

What is too old is nobody's knowledge any more: the service that wrote it has stopped, or has
crashed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from callwright.engines.network import TrunkRegistration, TrunkState
from callwright.storage.plain_statements import Asked, read_moment

HOLDS_FOR = 60.0
"Seconds after which nothing written is believed."


def read_trunk_states(ask: Asked) -> Mapping[str, TrunkState]:
    """Return what the service knows of each trunk; nothing if none is running."""
    now = datetime.now(UTC)
    return {
        trunk: TrunkState(
            trunk,
            TrunkRegistration(registration),
            registered_for=(read_moment(until) - now).total_seconds() if until else None,
            reachable=None if reachable is None else bool(reachable),
            round_trip=round_trip,
            detail=detail,
            ping_refusal=ping_refusal,
            call_refusal=call_refusal,
        )
        for (
            trunk,
            registration,
            until,
            reachable,
            round_trip,
            detail,
            ping_refusal,
            call_refusal,
        ) in ask(
            """
            SELECT trunk, registration, registered_until, reachable, round_trip, detail,
                ping_refusal, call_refusal
            FROM trunk_states WHERE known_at > :since
            """,
            since=now - timedelta(seconds=HOLDS_FOR),
        )
    }
