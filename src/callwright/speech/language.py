"""Languages: in which voice a text is spoken, when nobody says so."""

import unicodedata
from collections import Counter

# Script → espeak-ng voice. The scripts are told apart by the first word of a letter's Unicode name;
# where a script serves many languages, the voice is that of the one with most telephones here.
VOICES = {
    "CYRILLIC": "ru",
    "LATIN": "en-us",
    "GREEK": "el",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "HEBREW": "he",
    "ARABIC": "ar",
    "DEVANAGARI": "hi",
    "HANGUL": "ko",
}
DEFAULT = "ru"
"Voice of a text without letters, such as a bare code: the callers of this API speak Russian."

# Letters of Ukrainian that Russian does not have, and the other way round.
UKRAINIAN = frozenset("іїєґ")
RUSSIAN = frozenset("ыэъё")


def voice_for(text: str) -> str:
    """Return the voice of the script most letters of ``text`` are in; of two equals, the earlier.

    espeak-ng itself speaks English words within a Russian text with its English voice.
    """
    letters = [letter for letter in text.casefold() if letter.isalpha()]
    scripts = Counter(script for script in map(_script, letters) if script in VOICES)
    if not scripts:
        return DEFAULT
    voice = VOICES[max(VOICES, key=lambda script: scripts[script])]
    if voice == "ru" and UKRAINIAN & set(letters) and not RUSSIAN & set(letters):
        return "uk"
    return voice


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
