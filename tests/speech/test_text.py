"""Texts to be spoken: nothing but words reaches the synthesiser."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.speech.text import LENGTH_AT_MOST, speakable

# Texts as an attacker would write them: markup, controls and surrogates beside plain letters.
hostile = st.lists(
    st.one_of(
        st.sampled_from(["[[", "]]", "[[[", "<speak>", "\x01", "\0", "\ud800", "\u202e", " ", "ё"]),
        st.text(st.characters(), max_size=5),
    )
).map("".join)


@given(hostile)
def test_the_result_holds_nothing_but_characters_with_a_sound(text: str) -> None:
    words = speakable(text)
    words.encode()
    assert "[[" not in words
    assert "]]" not in words
    assert not any(
        unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} for character in words
    )
    assert words == " ".join(words.split())


@given(hostile)
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    assert speakable(speakable(text)) == speakable(text)


def letters(text: str) -> list[str]:
    return [letter for letter in unicodedata.normalize("NFD", text) if letter.isalnum()]


@given(hostile)
def test_no_letter_is_lost(text: str) -> None:
    assert letters(speakable(text)) == letters(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Привет", "Привет"),
        ("  Ваш\tкод:\r\n 12 34 ", "Ваш код: 12 34"),
        ("[[h@l'oU]]", "[ [h@l'oU] ]"),
        ("\x01+10S quick", "+10S quick"),
        ("и\u0306од", "йод"),
        ("a\u202eb\u200bc", "abc"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud800ок\udfff", "ок"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_examples(text: str, words: str) -> None:
    assert speakable(text) == words


def test_a_very_long_text_is_cut() -> None:
    assert len(speakable("я" * 1_000_000)) == LENGTH_AT_MOST
