"""Languages: the script of most letters decides."""

import pytest

from callwright.speech.language import DEFAULT, voice_for


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        ("Привет", "ru"),
        ("Добрый день, это Callwright", "ru"),
        ("Hello", "en-us"),
        ("Your order from магазин is ready", "en-us"),
        ("да yes", "en-us"),
        ("да ok", "ru"),
        ("1234", "ru"),
        ("+7 (495) 123-45-67", "ru"),
        ("", "ru"),
        ("Привіт, як справи", "uk"),
        ("Київ это Киев, вы знаете", "ru"),
        ("Γειά σου", "el"),
        ("Բարեւ", "hy"),
        ("გამარჯობა", "ka"),
        ("שלום", "he"),
        ("مرحبا", "ar"),
        ("नमस्ते", "hi"),
        ("안녕", "ko"),
        ("日本語", DEFAULT),
    ],
)
def test_the_voice_of_a_text(text: str, voice: str) -> None:
    assert voice_for(text) == voice
