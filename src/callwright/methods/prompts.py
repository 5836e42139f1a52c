"""Prompts: what the service itself says, and in which language."""

from collections.abc import Mapping, Sequence

from callwright.calls.plan import Confirmation, Message
from callwright.config import PromptSettings
from callwright.methods.messages import SpeechSynthesis

CONFIRM_WITHIN = 15.0
"Seconds from the answer in which an operator must take the call (choreography 4)."

KEYS = frozenset("0123456789*#")
ANY = "any"

_WITH_KEY: Mapping[str, str] = {
    "ru": "Чтобы принять звонок, нажмите {key}.",
    "en": "To take the call, press {key}.",
}
_WITH_ANY: Mapping[str, str] = {
    "ru": "Чтобы принять звонок, нажмите любую клавишу.",
    "en": "To take the call, press any key.",
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "ru": {"*": "звёздочку", "#": "решётку"},
    "en": {"*": "star", "#": "hash"},
}


class Prompts:
    def __init__(self, speech: SpeechSynthesis, settings: PromptSettings) -> None:
        self._speech = speech
        self._settings = settings

    def confirmation(
        self, key: str | None, messages: Sequence[Message] = ()
    ) -> Confirmation | None:
        """What an operator must press to take the call; None for ``key`` None without messages.

        ``messages``: what the operator hears in place of the prompt of ours, which begins to be
        spoken with this call; the same text is spoken once only.
        """
        if key is None:
            return Confirmation(frozenset(), None, CONFIRM_WITHIN, messages) if messages else None
        return Confirmation(
            keys=KEYS if key == ANY else frozenset(key),
            prompt=None if messages else self._speech.prepare(self._confirmation_text(key)),
            within=CONFIRM_WITHIN,
            messages=messages,
        )

    def _confirmation_text(self, key: str) -> str:
        language = self._settings.language
        if key == ANY:
            return self._settings.confirm_by_any_key or _WITH_ANY[language]
        text = self._settings.confirm_by_key or _WITH_KEY[language]
        return text.replace("{key}", _NAMES[language].get(key, key))
