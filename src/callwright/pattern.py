"""Regular expressions of clients, which cannot be made to run for ever (ReDoS).

RE2 matches in time linear in the text, whatever the pattern (it has neither back references nor
look-around), and refuses patterns that would need more than a little memory. Classes of POSIX
(``[[:digit:]]``) and those of Perl (``\\d``) are known.
"""

from functools import lru_cache
from typing import Protocol

_MEMORY = 256 << 10
"Bytes one compiled pattern may take."
_KEPT = 64
"Compiled patterns that are kept."


class _Compiled(Protocol):
    def search(self, text: bytes) -> object | None: ...


def is_sound(pattern: str) -> bool:
    """Whether ``pattern`` is a regular expression that can be searched for."""
    import re2  # only where somebody asks by pattern

    try:
        _compiled(pattern)
    except re2.error:
        return False
    return True


def is_found(pattern: str, text: str | None) -> bool:
    """Whether ``pattern``, a sound one, is found anywhere in ``text``; never in None."""
    return text is not None and _compiled(pattern).search(text.encode()) is not None


@lru_cache(_KEPT)
def _compiled(pattern: str) -> _Compiled:
    import re2

    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    # In bytes, for which the library need not count characters: less than half the time.
    compiled: _Compiled = re2.compile(pattern.encode(), options)
    return compiled
