"""Positions in TOML: where in a file a value stands, for messages that lead there.

`tomllib` keeps no positions. This reads a text that `tomllib` has already taken, so it looks only
for what names a place: headers of tables, keys, and what may not be mistaken for either.
"""

import re
from collections.abc import Iterator

Place = tuple[str | int, ...]
"Keys and, in arrays, indices from 0: ``employees[0].phones[1].number`` in pieces."

_KEY = r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'"""
_DOTTED = rf"(?:{_KEY})(?:[ \t]*\.[ \t]*(?:{_KEY}))*"
_GAP = re.compile(r"(?:\s+|#[^\n]*)+")
_HEADER = re.compile(rf"(\[\[?)[ \t]*({_DOTTED})[ \t]*\]\]?")
_ASSIGNMENT = re.compile(rf"({_DOTTED})[ \t]*=")
_TOKEN = re.compile(
    r'"{3}(?:[^\\]|\\.)*?"{3,5}'
    r"|'{3}.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[{\]}\n]"
    r"|[^\[{\]}\n\"'#]+",
    re.DOTALL,
)


class TomlLines:
    """The lines of a TOML text's tables and keys, counted from 1."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Place, int] = {(): 1}
        line, counted = 1, 0
        for path, place in _places(text):
            line += text.count("\n", counted, place)
            counted = place
            self._lines.setdefault(path, line)

    def of(self, path: Place) -> int:
        """Return the line of what ``path`` names, or of the nearest thing around it."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]


def _places(text: str) -> Iterator[tuple[Place, int]]:
    table: Place = ()
    tables: dict[Place, int] = {}
    "How many tables each array has so far."
    place = 0
    while place < len(text):
        if gap := _GAP.match(text, place):
            place = gap.end()
        elif header := _HEADER.match(text, place):
            table = _within(tables, _keys(header[2]))
            if header[1] == "[[":
                tables[table] = tables.get(table, -1) + 1
                yield table, place
                table = (*table, tables[table])
            yield table, place
            place = header.end()
        elif assignment := _ASSIGNMENT.match(text, place):
            yield (*table, *_keys(assignment[1])), place
            place = _end_of_value(text, assignment.end())
        else:
            # Not TOML, then; `tomllib` has something to say about it.
            return


def _within(tables: dict[Place, int], keys: list[str]) -> Place:
    """Return the path of a header: in an array of tables it goes on in the last table."""
    path: Place = ()
    for key in keys:
        if path in tables:
            path = (*path, tables[path])
        path = (*path, key)
    return path


def _end_of_value(text: str, place: int) -> int:
    depth = 0
    while token := _TOKEN.match(text, place):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and depth == 0:
            break
        place = token.end()
    return place


def _keys(dotted: str) -> list[str]:
    return [key.strip("\"'") for key in re.findall(_KEY, dotted)]


NOT_UTF_8 = "not UTF-8: let the editor save it as that"

# What tomllib complains of, by how it begins in any version of Python, and what to do about it.
_WORDS = (
    ("Expected ']", "a ] is missing at the end of the table's name"),
    ("Expected '='", "a line is a name, =, and a value"),
    ("Expected newline", "there is more in the line than one value"),
    ("Invalid statement", "a line is a name, =, and a value, or a table's name in [ ]"),
    ("Invalid initial character", "a name is letters, digits, _ and -, or stands in quotes"),
    ("Invalid value", "a value is missing: a text in quotes, a number, true, false or a list"),
    ("Invalid date", "there is no such date or time"),
    ("Cannot overwrite", "this stands in the file twice"),
    ("Cannot declare", "this table stands in the file twice; several are written [[ … ]]"),
    ("Cannot redefine", "this table stands in the file twice, in two forms"),
    ("Cannot mutate", "this table stands in the file twice, in two forms"),
    ("Duplicate inline", "a name stands twice between { and }"),
    ("Unterminated string", "the quote that ends a text is missing"),
    ("Illegal character", "the quote that ends a text is missing, or a character cannot be shown"),
    ("Found invalid character", "a character cannot be shown"),
    ("Expected '", "the quote that ends a text is missing"),
    ('Expected "', "the quote that ends a text is missing"),
    ("Unescaped", "a \\ in a text is written \\\\, or the text goes in '…'"),
    ("Escaped character", "a \\ in a text is written \\\\, or the text goes in '…'"),
    ("Invalid hex", "a \\ in a text is written \\\\, or the text goes in '…'"),
    ("Unclosed array", "the ] that ends a list is missing"),
    ("Unclosed inline", "the } that ends a table is missing"),
)


def line_of_refusal(text: str, fault: ValueError) -> tuple[int, str]:
    """Return the line of what `tomllib` has refused in ``text``, and why it has.

    A fault without a place, such as a number with too many digits, is put at the end.
    """
    message = str(fault)
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    return line, next((words for sign, words in _WORDS if message.startswith(sign)), "unreadable")
