"""The speech cache: bounded, in the order of use, whole files only."""

import os
from pathlib import Path

from callwright.speech.cache import SpeechCache


def nobody(key: str) -> bool:
    return False


def cache(folder: Path, *, files: int = 10, size: int = 1000) -> SpeechCache:
    cache = SpeechCache(folder, files_at_most=files, bytes_at_most=size)
    cache.open()
    return cache


def add(cache: SpeechCache, key: str, size: int = 10) -> Path:
    return cache.add(key, cache.write(bytes(size)), in_use=nobody)


def test_the_least_recently_used_makes_room(tmp_path: Path) -> None:
    two = cache(tmp_path, files=2)
    for key in ("a", "b"):
        add(two, key)
    assert two.find("a")
    add(two, "c")
    assert [two.find(key) is not None for key in "abc"] == [True, False, True]
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["a", "c"]


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    small = cache(tmp_path, size=100)
    for key in "abcd":
        add(small, key, size=40)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 100


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    one = cache(tmp_path, files=1)
    add(one, "a")
    one.add("b", one.write(b"b"), in_use={"a"}.__contains__)
    assert one.find("a")
    add(one, "c")
    assert [one.find(key) is not None for key in "abc"] == [False, False, True]


def test_the_order_of_use_survives_a_restart(tmp_path: Path) -> None:
    first = cache(tmp_path)
    paths = [add(first, key) for key in "abc"]
    for path, age in zip(paths, (30, 10, 20), strict=True):
        os.utime(path, (1e9 - age, 1e9 - age))
    second = cache(tmp_path, files=3)
    add(second, "d")
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["b", "c", "d"]
    add(second, "e")
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["b", "d", "e"]


def test_half_a_file_of_an_earlier_crash_is_removed(tmp_path: Path) -> None:
    cache(tmp_path).write(b"half")
    assert len(list(tmp_path.iterdir())) == 1
    cache(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_somebody_removed_is_not_found(tmp_path: Path) -> None:
    some = cache(tmp_path)
    add(some, "a").unlink()
    assert some.find("a") is None
