"""Texts to be spoken: what of a client's text reaches the synthesiser."""

import re
import unicodedata

LENGTH_AT_MOST = 10_000
"Characters; the API's own limit is lower. What is longer is cut."

# Characters without a sound, by Unicode category: controls (espeak-ng takes commands after
# U+0001), format characters, lone surrogates, private use, unassigned.
UNSPEAKABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Format characters that belong to the spelling of Persian and of the languages of India.
JOINERS = frozenset("\u200c\u200d")
DOUBLE_BRACKET = re.compile(r"(\[(?=\[)|\](?=\]))")


def speakable(text: str) -> str:
    """Return ``text`` as plain words in one line; empty if nothing of it can be spoken.

    Markup has no power: the synthesiser reads plain text (no SSML), and the brackets that could
    switch it to phonemes are parted.
    """
    kept = unicodedata.normalize("NFC", "".join(map(_kept, text[:LENGTH_AT_MOST])))
    words = " ".join(DOUBLE_BRACKET.sub(r"\1 ", kept).split())
    return words if any(map(str.isalnum, words)) else ""


def _kept(character: str) -> str:
    if character in JOINERS:
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in UNSPEAKABLE else character
