#!/usr/bin/env bash
# Make .venv with everything the project needs, exactly as locked; at once if it is there already.
#
# Nothing is installed outside the checkout, except, as root, python3 and python3-venv where they
# are missing. Safe to run several times at once: the second waits for the first.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Settings of the surroundings that would lead pip or Python elsewhere than into .venv.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX VIRTUAL_ENV
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

# Only one at a time; the lock is this script itself, so no file is left behind.
exec 9<"scripts/setup.sh"
flock 9

python=.venv/bin/python
stamp=.venv/.callwright-stamp

# What .venv must match. The place belongs to it: a virtual environment cannot be moved.
wanted() { { pwd -P; cat requirements-dev.lock requirements-wrapper.lock pyproject.toml scripts/setup.sh; } | sha256sum; }

recent_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [[ -f $stamp && "$(cat "$stamp")" == "$(wanted)" ]] && recent_enough "$python"; then
    exit 0
fi

find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$name" >/dev/null && recent_enough "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    return 1
}

# Debian keeps the parts that make virtual environments in a package of their own.
can_make_venv() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

apt_install() {
    [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null || return 1
    say "installing $* with apt-get"
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@"; } \
        </dev/null >/dev/null
}
export DEBIAN_FRONTEND=noninteractive

if ! base=$(find_python); then
    apt_install python3 python3-venv || true
    base=$(find_python) || fail "Python 3.11 or later is needed (tried python3, python3.11 to" \
        "python3.14). On Debian or Ubuntu: apt-get install python3 python3-venv"
fi

# A virtual environment that was moved with its checkout still names its old place inside.
whole() { recent_enough "$python" && grep -qsF "$(pwd -P)/.venv" .venv/bin/pip; }

if ! whole; then
    version=$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if ! can_make_venv "$base"; then
        apt_install "python$version-venv" || true
        can_make_venv "$base" || fail "$base has no venv module." \
            "On Debian or Ubuntu: apt-get install python$version-venv"
    fi
    say "making .venv with Python $version"
    "$base" -m venv --clear .venv
fi

rm -f "$stamp"
say "installing the locked packages (once, a minute or so)"
"$python" -m pip install --quiet --require-hashes -r requirements-dev.lock
"$python" -m pip install --quiet --no-deps --no-build-isolation -e .
# Another package of the name of one in requirements-dev.lock: not where that is.
rm -rf .venv/comagic-wrapper
"$python" -m pip install --quiet --require-hashes --no-deps --target .venv/comagic-wrapper \
    -r requirements-wrapper.lock
wanted >"$stamp"
say "done"
