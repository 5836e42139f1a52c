"""Translations: the texts of the console in the reader's language, and numbers and times in it."""

import gettext
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from callwright.calls.durations import whole_seconds
from callwright.texts import N_

LOCALES = Path(__file__).with_name("locale")
DOMAIN = "console"

LANGUAGES: Final = {"en": "English", "ru": "Русский"}
"Code and own name of each; texts in the code are those of the first."

MONTHS = (
    N_("Jan"),
    N_("Feb"),
    N_("Mar"),
    N_("Apr"),
    N_("May"),
    N_("Jun"),
    N_("Jul"),
    N_("Aug"),
    N_("Sep"),
    N_("Oct"),
    N_("Nov"),
    N_("Dec"),
)


@dataclass(frozen=True, slots=True)
class Language:
    """What a reader's texts, numbers and times are made by."""

    code: str
    texts: gettext.NullTranslations

    def say(self, text: str) -> str:
        """Translate a text of ours; what is not ours stays as it is."""
        return self.texts.gettext(text) if text else ""

    def count(self, one: str, several: str, number: int) -> str:
        """Choose by number (plural forms), and put it where ``{n}`` is."""
        return self.texts.ngettext(one, several, number).format(n=self.number(number))

    def number(self, value: float, digits: int = 0) -> str:
        """``1,234.5``, or ``1 234,5`` with spaces that do not break."""
        text = f"{value:,.{digits}f}"
        if self.code == "ru":
            return text.replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
        return text

    def time(self, moment: datetime, zone: ZoneInfo) -> str:
        """``1 Dec 2026, 14:05:33``."""
        there = moment.astimezone(zone)
        return f"{there.day} {self.say(MONTHS[there.month - 1])} {there.year}, {there:%H:%M:%S}"

    def seconds(self, value: float) -> str:
        """A length of time as a clock shows it: ``0:07``, ``1:02:03``."""
        minutes, seconds = divmod(int(value), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    def lasted(self, value: float) -> str:
        """What is over, in whole seconds as reports show it: what lasted 4.98 s, ``0:05``."""
        return self.seconds(whole_seconds(value))


@cache
def language(code: str) -> Language:
    """``code``: one of `LANGUAGES`."""
    first = next(iter(LANGUAGES))
    texts = (
        gettext.NullTranslations()
        if code == first
        else gettext.translation(DOMAIN, LOCALES, [code])
    )
    return Language(code, texts)


def preferred(accepted: str) -> str:
    """The language a browser asks for (Accept-Language, RFC 9110 section 12.5.4), or the first."""
    wanted: list[tuple[float, str]] = []
    for part in accepted[:200].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((float(weight or 1), tag.lower().partition("-")[0]))
        except ValueError:
            continue
    known = [(weight, code) for weight, code in wanted if code in LANGUAGES and weight > 0]
    return max(known, key=lambda one: one[0])[1] if known else next(iter(LANGUAGES))
