"""The report of a call: one page of HTML that needs nothing but itself."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from callwright.drawing import STYLE as DRAWN
from callwright.drawing.call import PHONES, Call, Who
from callwright.drawing.ladder import ladder
from callwright.drawing.steps import steps
from callwright.drawing.tracks import Track, tracks
from demo.ladder import plainly
from demo.verdict import Check, Phone

STYLE = Path(__file__).with_name("report.css")


@dataclass(frozen=True, slots=True)
class Report:
    call: Call
    phones: Mapping[Who, Phone]
    checks: Sequence[Check]
    request: str
    "The request as it was sent."
    accepted_in: float
    "Seconds from the request to its answer."

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def write(report: Report, file: Path) -> None:
    file.write_text("".join(_page(report)), "utf-8")


def _page(report: Report) -> Iterator[str]:
    failed = [check for check in report.checks if not check.passed]
    verdict = (
        "The call went as it must."
        if report.passed
        else f"The call did not go as it must: {len(failed)} of {len(report.checks)} checks failed."
    )
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Callwright: call {report.call.call_session_id}</title>\n"
        f"<style>\n{DRAWN.read_text('utf-8')}{STYLE.read_text('utf-8')}</style>\n</head>\n<body>\n<main>\n"
        "<header>\n<h1>One request, two phones, one call</h1>\n"
        f'<p class="verdict{"" if report.passed else " bad"}">{verdict}</p>\n'
        f"{_figures(report)}</header>\n"
    )
    yield _section(
        "What each phone heard",
        "The sound as it came out of each phone, on one time axis. Bands name what callwright says "
        "was heard; the waveform is what was recorded at the far end.",
        f'<div class="wide">{tracks(report.call, _tracks(report.phones))}</div>\n'
        f"{_players(report.phones)}",
    )
    yield _section(
        "Who told whom what",
        "The ladder of the call, from callwright's timeline. Time runs downwards; steps are evenly "
        "spaced, their times stand at the left.",
        f'<div class="wide">{ladder(report.call)}</div>',
    )
    yield _section(
        "What was checked",
        "Each sentence is what the choreography asks for; beside it stands what was measured.",
        _checks(report.checks),
    )
    yield _section("The phones", "", _phones(report))
    yield (
        f"<section>\n<details><summary>The request</summary><pre>{escape(report.request)}</pre>"
        f"</details>\n</section>\n<section>\n<details><summary>The timeline in words</summary>"
        f"<pre>{escape(_words(report.call))}</pre></details>\n</section>\n</main>\n</body>\n</html>\n"
    )


def _section(title: str, text: str, body: str) -> str:
    words = f'<p class="soft">{text}</p>\n' if text else ""
    return f"<section>\n<h2>{title}</h2>\n{words}{body}\n</section>\n"


def _figures(report: Report) -> str:
    call = report.call
    verdict, answered = call.verdict, call.first("leg_answered", Who.EMPLOYEE)
    figures = [("accepted within", f"{report.accepted_in * 1000:.0f} <small>ms</small>")]
    if answered:
        figures.append(("employee answered at", f"{answered.offset:.1f} <small>s</small>"))
    if verdict:
        figures += [
            ("talk began at", f"{verdict.wait_duration:.1f} <small>s</small>"),
            ("they talked", f"{verdict.talk_duration:.1f} <small>s</small>"),
            ("whole call", f"{verdict.total_duration:.1f} <small>s</small>"),
            ("finish reason", f"{escape(verdict.finish_reason)}"),
        ]
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures)
    return f'<dl class="figures">{cells}</dl>\n'


def _tracks(phones: Mapping[Who, Phone]) -> Sequence[Track]:
    return [
        Track(
            who,
            f"{phones[who].number}, {phones[who].program}",
            [heard] if (heard := phones[who].heard) else [],
        )
        for who in PHONES
    ]


def _players(phones: Mapping[Who, Phone]) -> str:
    players = [
        f"<label>Listen at the {who}'s phone"
        f'<audio controls preload="metadata" src="data:audio/wav;base64,'
        f'{base64.b64encode(heard.as_wav()).decode()}"></audio></label>'
        for who in PHONES
        if (heard := phones[who].heard)
    ]
    return f'<div class="players">{"".join(players)}</div>' if players else ""


def _checks(checks: Sequence[Check]) -> str:
    rows = "".join(
        f'<tr><td class="{"ok" if c.passed else "no"}">{"✓ yes" if c.passed else "✗ no"}</td>'
        f"<td>{escape(c.sentence)}</td><td>{escape(c.seen)}</td></tr>\n"
        for c in checks
    )
    return (
        '<table><thead><tr><th scope="col">So?</th><th scope="col">What must be</th>'
        f'<th scope="col">What was</th></tr></thead>\n<tbody>\n{rows}</tbody></table>'
    )


def _phones(report: Report) -> str:
    rows = "".join(
        f'<tr><td>{who}</td><td class="number">{escape(phone.number)}</td>'
        f"<td>{escape(phone.program)}</td><td>{escape(phone.says)}</td>"
        f'<td class="number">{escape(phone.shown) or "–"}</td>'
        "</tr>\n"
        for who, phone in ((who, report.phones[who]) for who in PHONES)
    )
    heads = "".join(
        f'<th scope="col">{head}</th>'
        for head in ("Whose", "Number", "Program", "Says", "Was shown")
    )
    return f"<table><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table>"


def _words(call: Call) -> str:
    return "\n".join(plainly(step) for step in steps(call))
