#!/usr/bin/env python
"""Bring the console's translations up to date: find its texts, and compile what there is of them.

``src/callwright/console/locale/ru/LC_MESSAGES/console.po`` is what people write in; a text that is
new stands there without a translation, one that is gone is dropped. ``--check`` writes nothing and
fails where a text has no translation, or the files are not what would be written.
"""

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parents[1] / "src" / "callwright"
FOLDER = SOURCE / "console" / "locale" / "ru" / "LC_MESSAGES"
PO, MO = FOLDER / "console.po", FOLDER / "console.mo"

SEARCHED = ("console", "drawing")
"Folders with texts that people see."
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**.html", "jinja2")]
UNDATED = datetime(2026, 1, 1, tzinfo=UTC)
"When it was compiled says nothing, and would make every file another."
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "count": (1, 2),
}


def texts() -> Catalog:
    """Every text there is, in the order of files."""
    found = Catalog(
        "ru",
        "console",
        project="Callwright",
        version="",
        creation_date=UNDATED,
        revision_date=UNDATED,
        fuzzy=False,
    )
    for folder in SEARCHED:
        for file, _line, message, comments, context in extract_from_dir(
            SOURCE / folder, METHODS, keywords=KEYWORDS
        ):
            place = f"{folder}/{file}"
            found.add(message, None, [(place, 0)], auto_comments=comments, context=context)
    return found


def updated() -> Catalog:
    """The catalogue as it is to be: our texts, with the translations there are."""
    catalogue = texts()
    written = read_po(io.BytesIO(PO.read_bytes()), locale="ru") if PO.exists() else Catalog("ru")
    for message in catalogue:
        known = written.get(message.id, message.context) if message.id else None
        if known is not None:
            message.string = known.string
    return catalogue


def missing(catalogue: Catalog) -> list[str]:
    """The texts without a translation, or with a plural form too few."""
    return [
        str(message.id)
        for message in catalogue
        if message.id
        and not (all(message.string) if isinstance(message.string, tuple) else message.string)
    ]


def files(catalogue: Catalog) -> dict[Path, bytes]:
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, catalogue, width=100, omit_header=True, include_lineno=False)
    write_mo(mo, catalogue)
    head = (
        '# Made by scripts/translations.py, but for what follows each "msgstr".\n'
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )
    return {PO: head.encode() + po.getvalue(), MO: mo.getvalue()}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="fail where a file is stale")
    check = arguments.parse_args().check
    catalogue = updated()
    wanted = files(catalogue)
    stale = [file.name for file, content in wanted.items() if not _is(file, content)]
    if not check:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for file, content in wanted.items():
            file.write_bytes(content)
    elif stale:
        print(f"{', '.join(stale)} is stale. Run: scripts/translations.py", file=sys.stderr)
    untranslated = missing(catalogue)
    for text in untranslated:
        print(f"not translated: {text}", file=sys.stderr)
    return 1 if untranslated or (check and stale) else 0


def _is(file: Path, content: bytes) -> bool:
    return file.exists() and file.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main())
