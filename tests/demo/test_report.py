"""The report stands alone, is whole, and says what went wrong."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from callwright.drawing.call import Call, Who
from demo.report import Report, write
from demo.verdict import Phone, checks

Recorded = Callable[[str], Call]
Phones = Callable[[Call], dict[Who, Phone]]

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Collects texts and attributes, and minds that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.resources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.resources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def read(recorded: Recorded, phones: Phones, tmp_path: Path) -> Callable[[str], Reader]:
    def read(name: str) -> Reader:
        call = recorded(name)
        both = phones(call)
        verdict = checks(call, both, [("1", 1.0), ("2", 2.0), ("3", 3.0)])
        file = tmp_path / "report.html"
        write(Report(call, both, verdict, '{"contact": "<script>"}', 0.012), file)
        page = file.read_text("utf-8")
        assert "<script" not in page
        assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)
        reader = Reader()
        reader.feed(page)
        assert reader.open == []
        return reader

    return read


def test_the_report_of_a_good_call(read: Callable[[str], Reader]) -> None:
    reader = read("seed")
    assert "The call went as it must." in reader.texts
    assert {"message: media 2561", "they talk", "key 3", "subscriber_disconnects"} <= {
        *reader.texts
    }
    assert reader.texts.count("✓ yes") == 10
    assert "✗ no" not in reader.texts
    assert [r.partition(",")[0] for r in reader.resources] == ["data:audio/wav;base64"] * 2


def test_the_report_of_a_call_that_failed(read: Callable[[str], Reader]) -> None:
    reader = read("contact_busy")
    assert "The call did not go as it must: 7 of 10 checks failed." in reader.texts
    assert "is busy" in reader.texts
    assert len(reader.resources) == 1  # The contact has heard nothing.
