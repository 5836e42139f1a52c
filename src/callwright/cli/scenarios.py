"""Scenarios on the terminal: which there are, and what each does."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from callwright.cli.terminal import CommandFault, Config, in_database, open_settings, out, show

if TYPE_CHECKING:
    from rich.tree import Tree

    from callwright.directory.scenario import Scenario

scenario_app = typer.Typer(help="Scenarios; the directory file says them.")


class DiagramFormat(StrEnum):
    TEXT = "text"
    MERMAID = "mermaid"


@scenario_app.command(name="list")
def list_scenarios(config: Config = None) -> None:
    """List all scenarios, and the virtual numbers that run them."""
    from callwright.provisioning import administration

    show(
        ("Id", "Name", "Numbers"),
        [
            (str(scenario.id), scenario.name, ", ".join(numbers))
            for scenario, numbers in in_database(
                open_settings(config), administration.list_scenarios
            )
        ],
    )


@scenario_app.command(name="show")
def show_scenario(
    scenario: Annotated[str, typer.Argument(help="Its id, or its name.", metavar="ID|NAME")],
    form: Annotated[
        DiagramFormat,
        typer.Option("--format", help="A tree, or a Mermaid flowchart for documents."),
    ] = DiagramFormat.TEXT,
    config: Config = None,
) -> None:
    """Draw a scenario."""
    from callwright.directory.diagram import mermaid
    from callwright.provisioning import administration

    known = [one for one, _ in in_database(open_settings(config), administration.list_scenarios)]
    found = [one for one in known if str(one.id) == scenario] or [
        one for one in known if one.name == scenario
    ]
    if not found:
        raise CommandFault(f"there is no scenario {scenario}; see `callwright scenario list`")
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise CommandFault(f"several scenarios are called {scenario}: {ids}")
    if form is DiagramFormat.MERMAID:
        out.print(mermaid(found[0]), soft_wrap=True)
    else:
        out.print(tree(found[0]), soft_wrap=True)


def tree(scenario: "Scenario") -> "Tree":
    """Draw a scenario as a tree: each list of operations, and where they lead."""
    from rich.text import Text
    from rich.tree import Tree

    from callwright.directory.diagram import in_words
    from callwright.directory.scenario import START, goes_on, ways

    drawn = Tree(Text(f"{scenario.name} ({scenario.id})", style="bold"))
    for label, operations in scenario.branches.items():
        title = "begins" if label == START else f"branch {label}"
        branch = drawn.add(Text(title, style="cyan"))
        for number, operation in enumerate(operations, start=1):
            leaf = branch.add(Text(f"{number} {in_words(operation)}"))
            for _, when, leads_to in ways(operation):
                leaf.add(Text(f"{when} → {leads_to}"))
        if goes_on(operations[-1]):
            branch.add(Text("the call ends"))
    return drawn
