"""docs/compatibility.md: every documented method of the published Data API, and what is here of it.

Made from the declarations and the table that the tests hold them against.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.data.registry import DATA_CATALOGUE
from callwright.methods.method import Declaration

NOTE = "<!-- Made by scripts/generate_docs.py; edit the lists in src/callwright/methods/data. -->"
TABLE = Path(__file__).parents[1] / "tests" / "compat" / "data_api_fields.tsv"

HEAD = """\
What is here is as documented: the tests hold names, types, presence of keys, filters and orders
against a table of all documented fields (`tests/compat`), and a strict typed client reads every
list. What is documented and not known here is null, an empty array or an
empty object; `= null` finds it. "empty": the list is always empty, and asked as documented.

| Method | Here | Documented fields | Of them always null or empty |
| --- | --- | --- | --- |"""

DIFFERS: Mapping[str, str] = {
    "create.employees": "An employee's limits and chat are refused.",
    "update.employees": "As `create.employees`.",
    "get.statuses": "The seven documented ones; none can be added, changed or deleted.",
    "get.employee_stat": "`status_stats` has the seconds in each status by its mnemonic.",
    "set.tag_communications": "Communications are calls: other types are refused.",
    "unset.tag_communications": "As `set.tag_communications`.",
    "set.communications_tags": "As `set.tag_communications`.",
    "update.tags_communication": "As `set.tag_communications`; tags have no colour.",
    "set.tag_sales": "As `set.tag_communications`; a later sale takes the place of one before.",
    "get.communications_report": "Finished calls.",
    "get.financial_call_legs_report": "Every leg; without a price it costs nothing.",
    "get.call_details": "Finished sessions; `entity_ids` and `report_id` need not be sent."
    " `call_type` is always `external`, between colleagues too.",
    "get.api_requests": "Requests are kept without their bodies; `report_id` need not be sent.",
    "get.notifications": "Attempts, each of them; `report_id` need not be sent.",
    "create.schedules": "Days are `days_of_week` or `days_of_month`; the cycle and"
    " the calendar of working days are refused.",
    "update.schedules": "`name` is not required, and `schedules` may be sent.",
    "update.contacts": "`last_name` and `phone_numbers` are not required: what is left out stays.",
    "get.virtual_numbers": "Every number is of the type `va`, and active or locked.",
    "enable.virtual_numbers": "Numbers are enabled by themselves: there are no capacities of them.",
    "disable.virtual_numbers": "As `enable.virtual_numbers`.",
    "logout.user": "A permanent token stays valid.",
}
"What is otherwise than documented, and why."


def compatibility() -> Iterator[str]:
    """docs/compatibility.md."""
    here: Mapping[str, Declaration[Any]] = {one.name: one for one in DATA_CATALOGUE}
    answers = _answers()
    yield from (NOTE, "", "# Compatibility with the published Data API", "", HEAD)
    for name, fields in answers.items():
        yield _row(name, here.get(name), fields)
    yield from ("", "Otherwise than documented:", "")
    yield from (f"- `{name}`: {said}" for name, said in DIFFERS.items())
    own = ", ".join(f"`{name}`" for name in here if name not in answers)
    yield from ("", f"Methods of our own: {own}.")


def _answers() -> dict[str, list[str]]:
    """The fields of each method's rows, in the order of the table."""
    found: dict[str, list[str]] = {}
    with TABLE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            fields = found.setdefault(row["method"], [])
            if row["part"] == "answer" and not row["of"]:
                fields.append(row["field"])
    return found


def _row(name: str, declared: Declaration[Any] | None, fields: list[str]) -> str:
    if declared is None:
        return f"| `{name}` |  | {len(fields)} |  |"
    link = name.replace(".", "")
    null: list[str] = []
    here = "●"
    if isinstance(declared, ListDeclaration) and declared.table is None:
        here = "empty"
    elif isinstance(declared, ListDeclaration):
        listed = declared.listing.fields
        null = [f"`{field}`" for field in fields if not listed[field].known]
    return f"| [`{name}`](data-api.md#{link}) | {here} | {len(fields)} | {', '.join(null)} |"
