#!/usr/bin/env bash
# Install the independent programs that tests and the demo call: other people's SIP, not ours.
#
# As root through apt-get, else one line says what to install. Nothing here fails a run: tests that
# need a missing program are left out by name, and the demo takes baresip's library from PyPI.
# With the word "tests" also what only they need: Asterisk, unpacked by setup_asterisk.sh, PJSIP's user
# agent by setup_pjsua.sh, Chromium, what makes network namespaces, and, where npm is, the tools that
# make a TypeScript client and find faults of accessibility.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

# The tools that make a TypeScript client, and what finds faults of accessibility in pages, in locked
# versions, where there is an npm to bring them: Debian's would be some hundred packages. Not again
# unless the lock file is newer.
bring() {
    local folder=$1 without=$2
    [[ $folder/package-lock.json -nt $folder/node_modules ]] || return 0
    if npm ci --prefix "$folder" --silent --no-audit --no-fund </dev/null >/dev/null; then
        touch "$folder/node_modules"
    else
        say "npm ci failed in $folder; $without"
    fi
}
if [[ ${1:-} == tests ]] && command -v npm >/dev/null; then
    bring examples/typescript "the test of the TypeScript client is left out"
    bring scripts/vendor "the tests of accessibility are left out"
fi

# Program and the Debian package that brings it; baresip-core also brings baresip's modules.
peers=(sipp:sip-tester baresip:baresip-core tshark:tshark)
[[ ${1:-} == tests ]] && peers+=(chromium:chromium ip:iproute2)

missing() {
    local peer
    for peer in "${peers[@]}"; do
        command -v "${peer%%:*}" >/dev/null || printf '%s\n' "$peer"
    done
}

if [[ ${1:-} == tests ]] && ! command -v asterisk >/dev/null && ! scripts/setup_asterisk.sh; then
    say "Asterisk could not be unpacked; tests that need it are left out"
fi
if [[ ${1:-} == tests ]] && ! scripts/setup_pjsua.sh; then
    say "PJSIP's user agent could not be had; tests that need it are left out"
fi

mapfile -t wanted < <(missing)
((${#wanted[@]})) || exit 0

if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    say "installing ${wanted[*]#*:} with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt=(apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=120)
    "${apt[@]}" update </dev/null >/dev/null || say "apt-get update failed; trying with the lists there are"
    # One by one: a package this release does not have must not keep the others away.
    for peer in "${wanted[@]}"; do
        "${apt[@]}" install -y --no-install-recommends "${peer#*:}" </dev/null >/dev/null \
            || say "apt-get could not install ${peer#*:}"
    done
    mapfile -t wanted < <(missing)
    ((${#wanted[@]})) || exit 0
fi

say "not installed: ${wanted[*]%%:*}; tests that need them are left out." \
    "To run them: apt-get install ${wanted[*]#*:}"
