"""What the service says to an operator who must take the call."""

import pytest

from callwright.calls.plan import Message, RecordedMessage
from callwright.config import PromptSettings
from callwright.engines.port import Media
from callwright.methods.prompts import Prompts


class Speaker:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def prepare(self, text: str) -> Message:
        self.texts.append(text)
        return RecordedMessage(Media.__new__(Media), "tts", is_tts=True)


@pytest.mark.parametrize(
    ("settings", "key", "text"),
    [
        (PromptSettings(), "5", "Чтобы принять звонок, нажмите 5."),
        (PromptSettings(), "#", "Чтобы принять звонок, нажмите решётку."),
        (PromptSettings(), "any", "Чтобы принять звонок, нажмите любую клавишу."),
        (PromptSettings(language="en"), "*", "To take the call, press star."),
        (PromptSettings(language="en"), "any", "To take the call, press any key."),
        (PromptSettings(confirm_by_key="Ключ {key}!"), "0", "Ключ 0!"),
        (PromptSettings(confirm_by_any_key="Берите {"), "any", "Берите {"),
    ],
)
def test_the_text(settings: PromptSettings, key: str, text: str) -> None:
    speaker = Speaker()
    confirmation = Prompts(speaker, settings).confirmation(key)
    assert confirmation
    assert speaker.texts == [text]
    assert confirmation.keys == (frozenset("0123456789*#") if key == "any" else {key})
    assert confirmation.within == 15


def test_nothing_is_said_where_nothing_is_to_be_pressed() -> None:
    speaker = Speaker()
    assert Prompts(speaker, PromptSettings()).confirmation(None) is None
    assert speaker.texts == []
