"""The README in its two languages: one says what the other says, and what they name is there."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH, RUSSIAN = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.ru.md"))

BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def links(text: str) -> list[str]:
    found = re.findall(r"\]\(([^)]+)\)", text)
    return sorted(link for link in found if not link.startswith("README"))


def code(text: str) -> list[str]:
    """Everything in backticks in a line; blocks are compared apart."""
    return sorted(re.findall(r"`([^`\n]+)`", BLOCK.sub("", text)))


def blocks(text: str) -> list[object]:
    """The blocks of code; of TOML, the values, as its comments and names are translated."""
    return [
        shape(tomllib.loads(body)) if language == "toml" else body
        for language, body in BLOCK.findall(text)
    ]


def shape(values: object) -> object:
    """A document without what is translated in it: names of people."""
    match values:
        case dict():
            return {key: key == "full_name" or shape(value) for key, value in values.items()}
        case list():
            return [shape(value) for value in values]
    return values


def headings(text: str) -> list[str]:
    return re.findall(r"^#+(?= )", BLOCK.sub("", text), re.MULTILINE)


def rows(text: str) -> int:
    return len(re.findall(r"^\|", text, re.MULTILINE))


def test_both_languages_lead_to_the_same_places() -> None:
    assert links(RUSSIAN) == links(ENGLISH)


def test_both_languages_show_the_same_code() -> None:
    assert len(blocks(ENGLISH)) == 7
    assert blocks(RUSSIAN) == blocks(ENGLISH)
    assert code(RUSSIAN) == code(ENGLISH)


def test_both_languages_have_the_same_parts() -> None:
    assert headings(RUSSIAN) == headings(ENGLISH)
    assert rows(RUSSIAN) == rows(ENGLISH)


@pytest.mark.parametrize("file", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")))
def test_links_lead_somewhere(file: Path) -> None:
    text = BLOCK.sub("", file.read_text("utf-8"))
    # Not a link: what stands in backticks, such as a pattern.
    text = re.sub(r"`[^`\n]*`", "", text)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in link:
            name, _, anchor = link.partition("#")
            there = file.parent / name if name else file
            assert there.exists(), link
            if anchor:
                assert anchor in anchors(there.read_text("utf-8")), link


def anchors(text: str) -> set[str]:
    """What headings are called in links: lower case, without signs, - for each space."""
    found = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_make_target_that_is_named_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?= *(?:$|`|&&))", ENGLISH, re.MULTILINE))
    assert named >= {"demo", "test", "setup", "serve"}
    assert named <= targets
