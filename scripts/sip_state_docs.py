"""docs/sip-states.md: the state machines of SIP, drawn from the tables that the code runs on."""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import TypeVar

from callwright.engines.sip.dialog.offer_answer import (
    CELLS,
    STARTS,
    OfferDo,
    OfferInput,
    OfferState,
)
from callwright.engines.sip.transaction import tables

NOTE = "<!-- Made by scripts/generate_docs.py; edit the tables in src/callwright/engines/sip. -->"

M = TypeVar("M", bound=Enum)


def sip_states() -> Iterator[str]:
    """docs/sip-states.md: the state machines of SIP, as their tables have them."""
    yield from (NOTE, "", "# State machines of SIP", "")
    yield "Drawn from the tables that the code runs on. What is in no table changes nothing in that"
    yield "state, and does nothing."
    yield from ("", "## Offer and answer", "")
    yield "Who may offer SDP in a dialog (RFC 3264, RFC 3311, RFC 6337):"
    yield "[`offer_answer.py`](../src/callwright/engines/sip/dialog/offer_answer.py)."
    cells = ((state, given, after) for (state, given), (after, _) in CELLS.items())
    arrows = ((state, given, after) for state, given, after in cells if after is not state)
    yield from ("", *_diagram(STARTS, arrows, end=None), "")
    yield from (f"- **{one.name}**: {meaning}" for one, meaning in _meanings(OfferState))
    yield from ("", "What a request of the far end is answered:", "")
    asked = [one for one in OfferInput if one.name.startswith(("INVITE", "UPDATE"))]
    yield _row("State", *(_words(one) for one in asked))
    yield _row("---", *("---" for _ in asked))
    for state in OfferState:
        answers = (CELLS[state, one][1] for one in asked)
        yield _row(state.name, *(one.name if one else "" for one in answers))
    yield ""
    yield from (f"- **{one.name}**: {meaning}" for one, meaning in _meanings(OfferDo))
    yield from ("", "## Transactions", "")
    yield "RFC 3261 section 17 with RFC 6026:"
    yield "[`tables.py`](../src/callwright/engines/sip/transaction/tables.py). Behind the stroke is"
    yield "what an input has done."
    for title, table in {
        "INVITE client": tables.INVITE_CLIENT,
        "Client of other requests": tables.CLIENT,
        "INVITE server": tables.INVITE_SERVER,
        "Server of other requests": tables.SERVER,
    }.items():
        yield from ("", f"### {title}", "")
        moves = (
            (state, f"{_words(given)}{_doing(actions)}", after)
            for (state, given), (after, actions) in table.cells.items()
        )
        yield from _diagram([table.start], moves, end=tables.TransactionState.TERMINATED)


def _diagram(
    starts: Iterable[Enum], arrows: Iterable[tuple[Enum, Enum | str, Enum]], *, end: Enum | None
) -> Iterator[str]:
    """A Mermaid diagram of states: one arrow for all inputs that lead the same way."""
    yield from ("```mermaid", "stateDiagram-v2")
    for start in starts:
        yield f"    [*] --> {start.name}"
    merged: dict[tuple[str, str], list[str]] = {}
    for state, given, after in arrows:
        label = _words(given) if isinstance(given, Enum) else given
        merged.setdefault((state.name, after.name), []).append(label)
    for (state_name, after_name), labels in merged.items():
        yield f"    {state_name} --> {after_name} : {', '.join(labels)}"
    if end is not None:
        yield f"    {end.name} --> [*]"
    yield "```"


def _doing(actions: Sequence[Enum]) -> str:
    return f" / {' + '.join(_words(one) for one in actions)}" if actions else ""


def _words(one: Enum) -> str:
    """A member's name as a reader says it: methods of SIP and letters of timers stay capital."""
    words = one.name.split("_")
    capital = (word in ("INVITE", "UPDATE", "ACK") or len(word) == 1 for word in words)
    return " ".join(word if big else word.lower() for word, big in zip(words, capital, strict=True))


def _meanings(members: type[M]) -> Iterator[tuple[M, str]]:
    """Each member of an enumeration with the string below it."""
    source = inspect.getsource(members)
    for one in members:
        below = source.split(f"    {one.name} = ", 1)[1].splitlines()[1]
        yield one, below.strip().strip('"')


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
