"""What is printed while a call goes on: each step once, in order."""

import io
from collections.abc import Callable

from rich.console import Console

from callwright.drawing.call import Call
from callwright.drawing.steps import steps
from demo.ladder import plainly
from demo.screen import Screen

Recorded = Callable[[str], Call]


def growing(call: Call) -> list[Call]:
    """The call as it is seen at every event."""
    return [
        call.model_copy(update={"timeline": call.timeline[: n + 1]})
        for n in range(len(call.timeline))
    ]


def test_a_log_gets_each_step_once(recorded: Recorded) -> None:
    call, out = recorded("seed"), io.StringIO()
    with Screen(Console(file=out, width=60)) as screen:
        assert not screen.drawn
        for seen in growing(call):
            screen.show(seen, seen.duration)
            screen.show(seen, seen.duration)
    assert out.getvalue().splitlines() == [plainly(step) for step in steps(call)]


def test_a_terminal_gets_the_ladder_under_its_heading(recorded: Recorded) -> None:
    call, out = recorded("seed"), io.StringIO()
    with Screen(Console(file=out, width=100, force_terminal=True, no_color=True)) as screen:
        assert screen.drawn
        for seen in growing(call):
            screen.show(seen, seen.duration)
    text = out.getvalue()
    assert text.index("79260000000") < text.index("request accepted")
    for once in ("request accepted", "message: media 2561", "key 2", "hangs up"):
        assert text.count(once) == 1
    assert "employee: talks   contact: talks" in text


def test_a_narrow_terminal_gets_plain_lines() -> None:
    assert not Screen(Console(file=io.StringIO(), width=60, force_terminal=True)).drawn
