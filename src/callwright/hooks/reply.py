"""Replies of a customer's routing URL: phones and messages, or codes of branches.

Names are those of the published service, so that scripts written for it go on working.
"""

import re
from dataclasses import dataclass

from callwright.hooks.answer import NoAnswer
from callwright.spoken_text import says_something

PHONES_AT_MOST = 20
CODES_AT_MOST = 10
TEXT_AT_MOST = 500
"Characters."


@dataclass(frozen=True, slots=True)
class Reply:
    codes: tuple[str, ...] = ()
    "Branches to be followed, one after another."
    phones: tuple[str, ...] = ()
    "Digits."
    message_name: str | None = None
    "A media file by its name, for the contact."
    text: str | None = None
    "Spoken to the contact; a media file goes before it, as below."
    operator_media: str | None = None
    operator_text: str | None = None


def read_reply(answer: object) -> Reply:
    """Read the JSON of an answer; what it holds beside is passed over. Raises `NoAnswer`."""
    if not isinstance(answer, dict):
        raise NoAnswer("its answer is no JSON object")
    reply = Reply(
        codes=_codes(answer.get("returned_code")),
        phones=_phones(answer.get("phones")),
        message_name=_text(answer, "message_name"),
        text=_said(answer, "text"),
        operator_media=_text(answer, "operator_media"),
        operator_text=_said(answer, "operator_text") or _said(answer, "operator_message"),
    )
    if reply == Reply():
        raise NoAnswer("its answer names neither phones nor a message nor a returned_code")
    return reply


def _codes(value: object) -> tuple[str, ...]:
    codes = value if isinstance(value, list) else [] if value is None else [value]
    if len(codes) > CODES_AT_MOST:
        raise NoAnswer(f"its answer has more than {CODES_AT_MOST} codes")
    return tuple(_code(code) for code in codes)


def _code(value: object) -> str:
    match value:
        case bool():
            pass
        case int() | str() if 0 < len(str(value)) <= 32 and str(value).isprintable():
            return str(value)
        case _:
            pass
    raise NoAnswer("returned_code is a short text or a number")


def _phones(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > PHONES_AT_MOST:
        raise NoAnswer(f"phones is a list of at most {PHONES_AT_MOST} numbers")
    phones = tuple(str(phone).removeprefix("+") for phone in value)
    if not all(re.fullmatch(r"[0-9]{1,20}", phone) for phone in phones):
        raise NoAnswer("phones are digits")
    return phones


def _text(answer: dict[object, object], name: str) -> str | None:
    value = answer.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > TEXT_AT_MOST:
        raise NoAnswer(f"{name} is a text of at most {TEXT_AT_MOST} characters")
    return value


def _said(answer: dict[object, object], name: str) -> str | None:
    text = _text(answer, name)
    # " " and "..." are ways of saying nothing, too.
    return text if text and says_something(text) else None
