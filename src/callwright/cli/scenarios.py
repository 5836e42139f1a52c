"""Scenarios on the terminal: which there are, and what each does."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from callwright.cli.terminal import CommandFault, Config, at_database, open_settings, out, show

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
    from callwright.provisioning import lists

    show(
        ("Id", "Name", "Numbers"),
        [
            (str(one.id), one.name, ", ".join(one.numbers))
            for one in at_database(open_settings(config), lists.list_scenarios)
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
    from callwright.directory.scenario import BRANCHES, Scenario, ScenarioId
    from callwright.provisioning import lists

    known = at_database(open_settings(config), lists.list_scenarios)
    found = [one for one in known if str(one.id) == scenario] or [
        one for one in known if one.name == scenario
    ]
    if not found:
        raise CommandFault(f"there is no scenario {scenario}; see `callwright scenario list`")
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise CommandFault(f"several scenarios are called {scenario}: {ids}")
    chosen = Scenario(
        ScenarioId(found[0].id), found[0].name, BRANCHES.validate_json(found[0].branches)
    )
    if form is DiagramFormat.MERMAID:
        out.print(mermaid(chosen), soft_wrap=True)
    else:
        out.print(tree(chosen), soft_wrap=True)


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
