"""``python -m bench``: every benchmark, one table."""

import anyio
from rich.console import Console
from rich.table import Table

from bench.employee_calls import at_once, idle, one_by_one


def main() -> None:
    console = Console()
    table = Table("measured", "reached", "target", title="Callwright on this machine")
    for benchmark in (one_by_one, at_once, idle):
        with console.status(f"{benchmark.__name__} …"):
            figures = anyio.run(benchmark)
        for row in figures:
            style = "" if row.is_met else "red"
            table.add_row(row.what, row.reached, row.target, style=style)
    console.print(table)


if __name__ == "__main__":
    main()
