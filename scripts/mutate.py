#!/usr/bin/env python
"""Put small faults into the source, one at a time, and see which of them no test finds.

The same seed makes the same mutants of the same source. Nothing is changed in the working tree: all
is done in a copy. Which tests come to which functions is recorded once, in `.mutation`, and again
for files of tests that have changed since; that takes as long as the tests do.
"""

import argparse
import difflib
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from mutation.calls import Calls, Recorded, digest, file_for
from mutation.choice import Choice
from mutation.mutants import Mutant, mutants
from mutation.trial import Copy, Fate, Verdict

ROOT = Path(__file__).parents[1]
RECORD = ROOT / ".mutation"
FOLDERS = ("calls", "methods", "engines", "storage", "notify")
LEFT_OUT = ("migrations",)
"Steps of the past: what comes of all of them together is tested against the tables."
WITHIN = 45.0


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=60, help="how many mutants (60)")
    arguments.add_argument(
        "--only", type=int, nargs="+", metavar="N", help="mutants N of this seed"
    )
    arguments.add_argument("--folder", action="append", help=f"of {', '.join(FOLDERS)} (all)")
    arguments.add_argument("--tests", nargs="+", default=["tests"], help="that may be asked (all)")
    arguments.add_argument("--list", action="store_true", help="show the mutants and try none")
    arguments.add_argument(
        "--within", type=float, default=WITHIN, help=f"seconds of tests for a mutant ({WITHIN:g})"
    )
    given = arguments.parse_args()
    [package] = (one.parent for one in (ROOT / "src").glob("*/__init__.py"))
    drawn = list(draw(package, given.folder or FOLDERS, given.seed, given.count))
    wanted = [one for one in enumerate(drawn, 1) if not given.only or one[0] in given.only]
    if given.list:
        for number, mutant in wanted:
            print(f"{number}. {_told(mutant)}\n{diff(package, mutant)}")
        return 0
    with (
        TemporaryDirectory(prefix="mutation-") as folder,
        closing(Copy(ROOT, Path(folder))) as copy,
    ):
        choice = Choice(ROOT, package.name, recorded(copy, given.tests))
        verdicts: dict[int, tuple[Mutant, Verdict]] = {}
        while wanted:
            for number, mutant in wanted:
                verdict = copy.try_out(mutant, choice.of(mutant, given.within))
                verdicts[number] = (mutant, verdict)
                by = f" by {verdict.by}" if verdict.by else f", {verdict.tests} tests"
                told = f"{number}/{len(drawn)} {verdict.fate.value}: {_told(mutant)}{by}"
                print(f"{told}, {verdict.seconds:.0f} s", flush=True)
            by_tests = sorted({verdict.by for _, verdict in verdicts.values() if verdict.by})
            doubtful = copy.doubtful([choice.whole(name) for name in by_tests])
            wanted = [
                (number, mutant)
                for number, (mutant, verdict) in verdicts.items()
                if verdict.by in doubtful
            ]
    print(f"\nSeed {given.seed}, {len(verdicts)} mutants\n")
    print("\n".join(report(package, verdicts)))
    for test in sorted(copy.unreliable):
        print(f"not asked, as it fails without a mutant: {test}")
    return 0


def draw(package: Path, folders: Sequence[str], seed: int, count: int) -> Iterator[Mutant]:
    """Mutants from each folder in turn; more of them begin with the same ones.

    First a kind is drawn, then one of it: else most would be changed constants.
    """
    turns = zip_longest(*(_of_folder(package, folder, seed) for folder in folders))
    found = (mutant for turn in turns for mutant in turn if mutant)
    yield from (mutant for _, mutant in zip(range(count), found, strict=False))


def _of_folder(package: Path, folder: str, seed: int) -> Iterator[Mutant]:
    chance = random.Random(f"{seed} {folder}")
    kinds: dict[str, list[Mutant]] = {}
    for file in sorted((package / folder).rglob("*.py")):
        if not any(part in LEFT_OUT for part in file.parts):
            for mutant in mutants(file.read_bytes(), file.relative_to(package).as_posix()):
                kinds.setdefault(mutant.kind, []).append(mutant)
    while kinds:
        kind = chance.choice(sorted(kinds))
        mutant = kinds[kind].pop(chance.randrange(len(kinds[kind])))
        if not kinds[kind]:
            del kinds[kind]
        if mutant.is_sound((package / mutant.file).read_bytes()):
            yield mutant


def recorded(copy: Copy, parts: Sequence[str]) -> dict[str, Calls]:
    """What each test calls, of the files of tests in these parts of the tree."""
    files = [ROOT / part for part in parts if (ROOT / part).is_file()]
    files += [file for part in parts for file in sorted((ROOT / part).rglob("test_*.py"))]
    names = [file.relative_to(ROOT).as_posix() for file in files]
    if stale := [name for name in names if _read(name) is None]:
        print(f"recording which functions {len(stale)} files of tests come to", flush=True)
        copy.record(stale, RECORD)
    found = filter(None, map(_read, names))
    return {test: calls for one in found for test, calls in one.tests.items()}


def _read(name: str) -> Recorded | None:
    file = file_for(RECORD, name)
    if not file.exists():
        return None
    read = Recorded.read(file)
    return read if read.digest == digest(ROOT / name) else None


def report(package: Path, verdicts: Mapping[int, tuple[Mutant, Verdict]]) -> Iterator[str]:
    """A table by folder, then all that were not killed by a test that failed."""
    counts: dict[str, Counter[Fate]] = {}
    for mutant, verdict in verdicts.values():
        counts.setdefault(mutant.file.partition("/")[0], Counter())[verdict.fate] += 1
    counts["all"] = sum(counts.values(), Counter())
    yield f"{'':10}{'mutants':>8}{'killed':>8}{'(hung)':>8}{'left':>8}"
    for folder, fates in counts.items():
        killed = fates[Fate.KILLED] + fates[Fate.HUNG]
        share = killed / max(1, fates.total())
        yield (
            f"{folder:10}{fates.total():8}{killed:8}{fates[Fate.HUNG]:8}"
            f"{fates.total() - killed:8}{share:8.1%}"
        )
    for number, (mutant, verdict) in verdicts.items():
        if verdict.fate is not Fate.KILLED:
            yield f"\n{number}. {verdict.fate.value}: {_told(mutant)}"
            yield f"{verdict.tests} tests {verdict.by}".rstrip()
            yield diff(package, mutant)


def _told(mutant: Mutant) -> str:
    return f"{mutant.file}:{mutant.line} {mutant.function.rpartition('.')[2]} ({mutant.kind})"


def diff(package: Path, mutant: Mutant) -> str:
    source = (package / mutant.file).read_bytes()
    before, after = (text.decode().splitlines() for text in (source, mutant.applied(source)))
    lines = difflib.unified_diff(before, after, mutant.file, mutant.file, n=2, lineterm="")
    return "\n".join(list(lines)[2:])


if __name__ == "__main__":
    sys.exit(main())
