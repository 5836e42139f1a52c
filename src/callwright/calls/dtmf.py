"""Timed DTMF: what a ``dtmf_string`` means (choreography 3)."""

import re
from collections.abc import Sequence

from callwright.calls.plan import TimedKey

KEY_SPACING = 0.160
"Seconds from the start of a key to the start of the next: 100 ms long, 60 ms apart."

DTMF_STRING = re.compile(r"[0-9*#.]{1,100}")


def timed_keys(dtmf_string: str) -> Sequence[TimedKey]:
    """Read a string of keys and dots; a dot waits one second.

    ``n`` dots put the next key ``n`` seconds after the start of the key before it (the first: after
    the answer); keys without a dot between them follow each other as closely as they can be told
    apart. So ``.1.2.3`` is 1, 2, 3 at 1.0, 2.0, 3.0 s, and ``.12.1..4`` is 1.0, 1.16, 2.16, 4.16 s.
    Raises ValueError if the string has anything else in it, or is longer than 100 characters.
    """
    if not DTMF_STRING.fullmatch(dtmf_string):
        raise ValueError("a DTMF string has 1 to 100 characters of 0-9 * # and .")
    keys: list[TimedKey] = []
    dots = 0
    for character in dtmf_string:
        if character == ".":
            dots += 1
            continue
        before = keys[-1].after if keys else 0.0
        gap = KEY_SPACING if keys and not dots else float(dots)
        keys.append(TimedKey(character, before + gap))
        dots = 0
    return keys


def pending(dtmf_string: str, sent: int) -> str:
    """What is left of ``dtmf_string`` once its first ``sent`` keys are out, dots included."""
    seen = 0
    for position, character in enumerate(dtmf_string):
        if seen == sent:
            return dtmf_string[position:].rstrip(".")
        seen += character != "."
    return ""
