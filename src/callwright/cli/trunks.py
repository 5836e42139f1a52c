"""Trunks on the terminal: which there are, and how it stands with them."""

from typing import TYPE_CHECKING

import typer

from callwright.cli.terminal import Config, at_database, open_settings, show

if TYPE_CHECKING:
    from callwright.engines.network import TrunkState

trunk_app = typer.Typer(help="Ways to carriers and PBXs; the directory file says them.")


@trunk_app.command(name="list")
def list_trunks(config: Config = None) -> None:
    """List all trunks; the first active one is the default.

    While the service runs, also how it stands with each: whether we are registered there, whether
    it answers, and whether it takes our calls for ours.
    """
    from callwright.provisioning.lists import list_trunks as listed
    from callwright.storage.trunk_state_reads import read_trunk_states

    trunks, states = at_database(
        open_settings(config),
        lambda ask: (listed(ask), read_trunk_states(ask)),
    )
    show(
        ("Name", "Host", "Port", "Transport", "User", "State", "Answers", "Calls"),
        [
            (
                trunk.name,
                trunk.host,
                str(trunk.port or "SRV"),
                trunk.transport,
                trunk.user or "",
                *_line_state(states.get(trunk.name), active=trunk.active),
            )
            for trunk in trunks
        ],
    )


def _line_state(state: "TrunkState | None", *, active: bool) -> tuple[str, str, str]:
    """Tell how it stands with a trunk: whether it has us registered, answers, takes our calls."""
    from callwright.engines.network import TrunkRegistration

    if not active:
        return "off", "", ""
    if state is None:
        return "active", "", ""
    held = "active" if state.registration is TrunkRegistration.OFF else state.registration.value
    if state.registered_for is not None:
        held += f", {max(0.0, state.registered_for):.0f} s"
    if state.detail and state.reachable is not False:
        held += f" ({state.detail})"
    match state.reachable:
        case None:
            answers = ""
        case True:
            answers = f"in {(state.round_trip or 0) * 1000:.0f} ms"
            if state.ping_refusal:
                answers += f" ({state.ping_refusal})"
        case False:
            answers = f"no ({state.detail})" if state.detail else "no"
    return held, answers, f"refused ({state.call_refusal})" if state.call_refusal else ""
