"""Keys that wait to be sent: how many may, and who is told of one more."""

from callwright.engines.media.key_queue import KEYS_WAITING, KeyQueue
from callwright.engines.port import DtmfFailed, LegId


def test_a_key_that_finds_too_many_waiting_is_told_if_it_is_ours() -> None:
    told: list[object] = []
    keys = KeyQueue(LegId(1), told.append)
    for _ in range(KEYS_WAITING):
        keys.press("1", announced=True)
    keys.press("2", announced=False)
    assert told == []
    keys.press("3", announced=True)
    assert told == [DtmfFailed(LegId(1), "3", "too many keys wait to be sent")]
