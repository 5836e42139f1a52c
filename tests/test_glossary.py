"""The glossary: every word that names a module has its meaning there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "callwright"
GLOSSARY = ROOT / "docs" / "glossary.md"

NOT_WORDS = {"init", "main", "and", "data"}
"""``__init__``, ``__main__``, a conjunction, and what everything is."""


def words_of_modules() -> dict[str, str]:
    """Every word in the name of a module or folder, and one module that has it."""
    found: dict[str, str] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        module = file.relative_to(SOURCE).with_suffix("")
        if "versions" in module.parts:  # a migration is named by what it does, once
            continue
        for part in module.parts:
            for word in part.strip("_").split("_"):
                found.setdefault(word, str(module))
    return found


def words_explained(text: str) -> set[str]:
    """The words of the left columns."""
    terms = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    return {word for term in terms for word in re.findall(r"[a-z0-9]+", term.lower())}


def forms(word: str) -> set[str]:
    """A word in singular and plural."""
    return {
        word,
        f"{word}s",
        word.removesuffix("s"),
        word.removesuffix("es"),
        f"{word.removesuffix('ies')}y",
        f"{word.removesuffix('y')}ies",
    }


def test_every_word_that_names_a_module_is_explained() -> None:
    explained = words_explained(GLOSSARY.read_text("utf-8"))
    missing = {
        word: module
        for word, module in words_of_modules().items()
        if word not in NOT_WORDS and not forms(word) & explained
    }
    assert not missing


def test_a_word_without_a_row_is_found() -> None:
    assert words_explained("| jitter buffer | What smooths |\n| keys, DTMF | What |") == {
        "jitter",
        "buffer",
        "keys",
        "dtmf",
    }
    assert not forms("seat") & words_explained("| supervisor | Starts a worker in its seat. |")
