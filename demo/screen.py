"""What the person at the terminal sees while the call goes on."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from callwright.drawing.call import Call
from callwright.drawing.steps import steps
from demo.ladder import WIDTH, heading, line, plainly, state_line


class Screen:
    """A ladder that grows, over a line that says what each phone does; plain lines in a log."""

    def __init__(self, console: Console) -> None:
        self.drawn = console.is_terminal and console.width >= WIDTH
        self._console = console
        self._live = Live(Text(), console=console, transient=True, auto_refresh=False)
        self._shown = 0

    def __enter__(self) -> Self:
        if self.drawn:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.drawn:
            self._live.stop()

    def say(self, words: str, style: str = "") -> None:
        self._console.print(Text(words, style=style), soft_wrap=True)

    def show(self, call: Call, elapsed: float) -> None:
        """Draw the steps that are new since the last time, ``elapsed`` seconds into the call."""
        rungs = steps(call)
        for step in rungs[self._shown :]:
            if not self.drawn:
                self.say(plainly(step))
                continue
            if step is rungs[0]:
                self._print(Text(), *heading(call))
            self._print(line(call, step))
        self._shown = len(rungs)
        if self.drawn:
            doing = f"{elapsed:6.1f} s   {state_line(call)}"
            self._live.update(Text(f"\n{doing}", style="bold"), refresh=True)

    def _print(self, *lines: Text) -> None:
        for text in lines:
            self._console.print(text, no_wrap=True, crop=True, highlight=False)
