"""The writers' lock: an advisory lock by which those who write to PostgreSQL take turns."""

WRITERS_LOCK = "SELECT pg_advisory_xact_lock(17240, 1)"
"0x4358 is ours among the advisory locks of a database; the lock goes with the transaction."
