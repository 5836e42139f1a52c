#!/usr/bin/env bash
# Run the tests: in parallel what waits for events, then what measures real time, two at once.
#
# Two calls in real time leave two cores idle for the most part; three processes that compute do not.
# Words are pytest's own and go to both runs: scripts/test.sh -k dtmf -x
set -uo pipefail
cd "$(dirname "$0")/.."

# The suite starts the service a hundred times; no start is to compile it anew, wherever Python has been
# told to write nothing beside the source.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=$PWD/.venv/pycache

pytest=(.venv/bin/python -m pytest)
nothing=5 # pytest's status where no test was selected

"${pytest[@]}" -n 3 --dist loadfile --no-loadscope-reorder -m "not realtime" "$@"
parallel=$?
# Stopped by -x or by hand, or told a word it does not know: what follows would be no better.
((parallel == 0 || parallel == 1 || parallel == nothing)) || exit "$parallel"

"${pytest[@]}" -n 2 --dist worksteal -m realtime "$@"
timed=$?

((parallel == nothing)) && exit "$timed"
((parallel == 0 && timed == nothing)) && exit 0
exit "$((parallel ? parallel : timed))"
