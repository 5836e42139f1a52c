import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from callwright.downloads.links import KEY_SIZE, LinkExpired, LinkForged, Links, link_key

NOW = 1_700_000_000.0
WEEK = 7 * 86400
KEY = bytes(range(KEY_SIZE))


def parted(link: str) -> tuple[str, str, str]:
    url = urlsplit(link)
    query = parse_qs(url.query)
    return url.path, query["expires"][0], query["signature"][0]


def made(now: float = NOW, key: bytes = KEY) -> Links:
    return Links("https://calls.example.com", key, lasts=WEEK, clock=lambda: now)


def test_a_link_says_what_it_leads_to_and_until_when() -> None:
    link = made().recording(42)
    assert link.startswith("https://calls.example.com/recordings/42?expires=")
    path, expires, signature = parted(link)
    assert NOW + WEEK <= int(expires) < NOW + WEEK + 3600
    made().check(path, expires, signature)


def test_a_link_asked_for_twice_is_the_same() -> None:
    assert made(NOW).media_file(7) == made(NOW + 60).media_file(7)


def test_a_link_is_over_at_its_time() -> None:
    path, expires, signature = parted(made().recording(42))
    made(int(expires) - 0.001).check(path, expires, signature)
    with pytest.raises(LinkExpired):
        made(int(expires)).check(path, expires, signature)


@pytest.mark.parametrize(
    "changed",
    [
        ("/recordings/43", None, None),
        ("/media/42", None, None),
        (None, "1900000000", None),
        (None, "", None),
        (None, "9" * 400, None),
        (None, "١٧٠٠٠٠٠٠٠٠", None),
        (None, None, ""),
        (None, None, "0" * 64),
        (None, None, "подпись\ud800"),
    ],
)
def test_whoever_changes_a_link_has_none(
    changed: tuple[str | None, str | None, str | None],
) -> None:
    good = parted(made().recording(42))
    path, expires, signature = (
        one if other is None else other for one, other in zip(good, changed, strict=True)
    )
    with pytest.raises(LinkForged):
        made().check(path, expires, signature)


def test_an_expired_link_that_was_changed_tells_nothing() -> None:
    path, _, signature = parted(made().recording(42))
    with pytest.raises(LinkForged):
        made().check(path, "1000000000", signature)


def test_another_key_makes_other_links() -> None:
    with pytest.raises(LinkForged):
        made(key=bytes(KEY_SIZE)).check(*parted(made().recording(42)))


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = link_key(tmp_path)
    assert len(key) == KEY_SIZE
    assert link_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "link-key").stat().st_mode) == 0o600


def test_half_a_key_is_none(tmp_path: Path) -> None:
    (tmp_path / "link-key").write_bytes(b"half")
    with pytest.raises(ValueError, match="is no key of 32 bytes"):
        link_key(tmp_path)
