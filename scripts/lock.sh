#!/usr/bin/env bash
# Renew requirements.lock and requirements-dev.lock from pyproject.toml, for every platform.
#
# uv is taken into a temporary environment; it is needed for nothing else here.
# `make lock` keeps what is pinned where it can; `make lock UPGRADE=1` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.venv/bin/python -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check uv

compile() {
    # No index address in the files: which index is used is the user's own affair.
    "$folder/bin/uv" --quiet pip compile --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links ${UPGRADE:+--upgrade} "$@" >/dev/null
}
compile pyproject.toml --output-file requirements.lock
compile pyproject.toml --group dev --output-file requirements-dev.lock

if grep -nE '://|--(extra-)?index-url|--find-links' requirements.lock requirements-dev.lock; then
    printf 'lock: an address has found its way into a lock file (above)\n' >&2
    exit 1
fi
