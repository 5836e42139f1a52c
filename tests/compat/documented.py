"""What the published Data API documents of each method, field by field: data_api_fields.tsv.

A row: method, part (request or answer), of (the array or object a field stands in, dotted), field,
type, required, filter, sort, in_default_answer (yes, or ? where nothing is said), values.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("data_api_fields.tsv")

INTEGERS = {"number", "numeric", "duration", "id"}
MONEY = {
    "bonuses_charge",
    "cost_per_minute",
    "cost_ratio",
    "costs",
    "min_charge",
    "monthly_charge",
    "onetime_payment",
    "sale_cost",
    "total_charge",
    "transaction_value",
}
"Fields of the documented type `number` that have a fraction; all others are whole."
TEXTS = {"string", "enum"}


@dataclass(frozen=True, slots=True)
class Documented:
    method: str
    part: str
    of: str
    field: str
    type: str
    required: bool
    filter: bool
    sort: bool
    default: bool
    "In the default answer; where nothing is said, everything is."
    values: str

    @property
    def path(self) -> str:
        return f"{self.of}.{self.field}" if self.of else self.field


def _rows() -> Iterator[Documented]:
    with TABLE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            yield Documented(
                row["method"],
                row["part"],
                row["of"],
                row["field"],
                "money" if row["field"] in MONEY else row["type"],
                row["required"] == "yes",
                row["filter"] == "yes",
                row["sort"] == "yes",
                row["in_default_answer"] in ("yes", "?"),
                row["values"],
            )


DOCUMENTED = tuple(_rows())
METHODS = tuple(dict.fromkeys(one.method for one in DOCUMENTED))


def documented(method: str, part: str, of: str | None = "") -> list[Documented]:
    """The rows of a part of a method; ``of`` None: however deep they stand."""
    return [
        one
        for one in DOCUMENTED
        if (one.method, one.part) == (method, part) and of in (None, one.of)
    ]


class WrongType(AssertionError):
    """A typed client loses its whole answer by this."""


def decode(method: str, value: Any, of: str = "", *, every: bool = True) -> None:
    """Read an answer, or a row of one, as a strict typed client does. Raises `WrongType`.

    No fraction for an integer, no number for a string, no null where the table says that there is a
    value. ``every``: each documented key has to be there, else those of the default answer.
    """
    if not isinstance(value, dict):
        raise WrongType(f"{method} {of or 'row'}: {value!r} is no object")
    for one in documented(method, "answer", of):
        if one.field in value:
            _check(method, one, value[one.field])
        elif every or one.default:
            raise WrongType(f"{method}: no key {one.path}")


def _check(method: str, one: Documented, value: Any) -> None:
    match one.type:
        case "array":
            good = isinstance(value, list)
            if good and documented(method, "answer", one.path):
                for part in value:
                    decode(method, part, one.path)
        case "object":
            good = isinstance(value, dict)
            if value and documented(method, "answer", one.path):
                decode(method, value, one.path)
        case _ if value is None:
            good = not one.required
        case "boolean":
            good = isinstance(value, bool)
        case "money":
            good = type(value) in (int, float)
        case kind if kind in INTEGERS:
            good = type(value) is int
        case _:
            good = isinstance(value, str)
    if not good:
        raise WrongType(f"{method}: {one.path} is {value!r}, no {one.type}")
