"""Timed DTMF strings (choreography 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.calls.dtmf import KEY_SPACING, pending, timed_keys


@pytest.mark.parametrize(
    ("dtmf_string", "keys"),
    [
        (".1.2.3", [("1", 1.0), ("2", 2.0), ("3", 3.0)]),
        (".12.1..4", [("1", 1.0), ("2", 1.16), ("1", 2.16), ("4", 4.16)]),
        ("5", [("5", 0.0)]),
        ("*#", [("*", 0.0), ("#", 0.16)]),
        ("...", []),
        ("1...", [("1", 0.0)]),
    ],
)
def test_keys_and_their_times(dtmf_string: str, keys: list[tuple[str, float]]) -> None:
    told = [(key.key, round(key.after, 3)) for key in timed_keys(dtmf_string)]
    assert told == keys


@pytest.mark.parametrize("dtmf_string", ["", "1a", "A", "1 2", "1,2", "١", "1\n", "1" * 101])
def test_what_is_no_dtmf_string(dtmf_string: str) -> None:
    with pytest.raises(ValueError, match="DTMF"):
        timed_keys(dtmf_string)


@given(st.text("0123456789*#.", min_size=1, max_size=100))
def test_keys_never_overlap_and_all_are_sent(dtmf_string: str) -> None:
    keys = timed_keys(dtmf_string)
    assert "".join(key.key for key in keys) == dtmf_string.replace(".", "")
    for before, after in zip(keys, keys[1:], strict=False):
        assert after.after - before.after >= KEY_SPACING - 1e-9


@pytest.mark.parametrize(
    ("dtmf_string", "sent", "left"),
    [
        ("..9.2.33", 0, "..9.2.33"),
        ("..9.2.33", 1, ".2.33"),
        ("..9.2.33", 3, "3"),
        ("..9.2.33", 4, ""),
        ("..9.2.33", 9, ""),
        ("1..", 1, ""),
        ("", 0, ""),
    ],
)
def test_what_is_still_to_be_sent(dtmf_string: str, sent: int, left: str) -> None:
    assert pending(dtmf_string, sent) == left
