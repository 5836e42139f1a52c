"""Regular expressions of clients, which are RE2's, in PostgreSQL's words (POSIX ARE).

What is said in both in other words is put into PostgreSQL's; what it cannot say is refused. Texts
are collated "C", so classes such as ``\\w`` mean ASCII in both.
"""

import re

from callwright.query import PatternRefused

_FLAGS = re.compile(r"\(\?([imsU]+)\)")
_GROUP = re.compile(r"\(\?(?:P?<\w+>|:)")
_HEX = re.compile(r"\\x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)
_BRACKET = re.compile(r"\[\^?\]?(?:\[:\^?[a-z]+:\]|\\x\{[0-9A-Fa-f]+\}|\\.|[^]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
_MEMBER = re.compile(r"\\x\{[0-9A-Fa-f]+\}|\\.|.", re.DOTALL)
_REPEATED_AT_MOST = 255
_OTHERWISE = {"b": r"\y", "B": r"\Y", "z": r"\Z"}
"Escapes that PostgreSQL calls something else."
_SAME = frozenset("AdDsSwWtnrfva")


def posix_pattern(pattern: str) -> str:
    """Return a pattern that finds the same. Raises `PatternRefused`."""
    return _Translation(pattern).done()


class _Translation:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._dot = r"[^\n]"

    def done(self) -> str:
        options = self._options()
        parts = [options]
        while self._at < len(self._pattern):
            parts.append(self._next())
        return "".join(parts)

    def _options(self) -> str:
        """What stands in front of it all; of whether much or little is taken, nothing depends."""
        flags = self._taken(_FLAGS)
        if flags is None:
            return ""
        if "s" in flags[1]:
            self._dot = "."
        options = ("i" if "i" in flags[1] else "") + ("w" if "m" in flags[1] else "")
        return f"(?{options})" if options else ""

    def _next(self) -> str:
        match self._pattern[self._at]:
            case "\\":
                return self._escape()
            case "[":
                if found := self._taken(_BRACKET):
                    return self._bracket(found[0])
            case "(" if self._pattern.startswith("(?", self._at):
                if group := self._taken(_GROUP):
                    return "(?:" if group[0] == "(?:" else "("
            case "{":
                if found := self._taken(_REPEAT):
                    if any(int(said) > _REPEATED_AT_MOST for said in found.groups() if said):
                        raise PatternRefused(self._pattern)
                    return found[0]
                self._at += 1
                return r"\{"
            case other:
                self._at += 1
                return self._dot if other == "." else other
        raise PatternRefused(self._pattern)

    def _escape(self) -> str:
        if found := self._taken(_QUOTED):
            return re.sub(r"([^\w])", r"\\\1", found[1], flags=re.ASCII)
        if found := self._taken(_HEX):
            return _character(found[1] or found[2])
        escaped = self._pattern[self._at + 1]
        self._at += 2
        if escaped in _OTHERWISE:
            return _OTHERWISE[escaped]
        if escaped in _SAME or not escaped.isalnum():
            return f"\\{escaped}"
        raise PatternRefused(self._pattern)

    def _bracket(self, bracket: str) -> str:
        inside = bracket[1:-1]
        if "[:^" in inside or "[." in inside or "[=" in inside:
            raise PatternRefused(self._pattern)
        return f"[{_MEMBER.sub(self._member, inside)}]"

    def _member(self, found: "re.Match[str]") -> str:
        said = found[0]
        if hexadecimal := re.fullmatch(r"\\x\{([0-9A-Fa-f]+)\}", said):
            return _character(hexadecimal[1])
        if said.startswith("\\") and said[1].isalnum() and said[1] not in _SAME - {"A"}:
            raise PatternRefused(self._pattern)
        return said

    def _taken(self, expected: "re.Pattern[str]") -> "re.Match[str] | None":
        found = expected.match(self._pattern, self._at)
        if found is not None:
            self._at = found.end()
        return found


def _character(hexadecimal: str) -> str:
    return rf"\U{int(hexadecimal, 16):08x}"
