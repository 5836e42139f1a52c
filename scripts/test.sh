#!/usr/bin/env bash
# Run the tests: in parallel what waits for events, then, alone, what measures real time.
#
# Words are pytest's own and go to both runs: scripts/test.sh -k dtmf -x
set -uo pipefail
cd "$(dirname "$0")/.."

pytest=(.venv/bin/python -m pytest)
nothing=5 # pytest's status where no test was selected

"${pytest[@]}" -n 3 --dist loadfile --no-loadscope-reorder -m "not realtime" "$@"
parallel=$?
# Stopped by -x or by hand, or told a word it does not know: what follows would be no better.
((parallel == 0 || parallel == 1 || parallel == nothing)) || exit "$parallel"

"${pytest[@]}" -m realtime "$@" -n 0
alone=$?

((parallel == nothing)) && exit "$alone"
((parallel == 0 && alone == nothing)) && exit 0
exit "$((parallel ? parallel : alone))"
