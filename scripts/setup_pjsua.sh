#!/usr/bin/env bash
# Unpack PJSIP's user agent into .peers, for the tests that it calls: 5 MB to load, no root.
#
# A wheel of its Python bindings, which has the whole of it. It is put beside .venv, not into it:
# nothing of ours may come to use it, whose licence is another.
set -euo pipefail
cd "$(dirname "$0")/.."

place=$PWD/.peers
[[ -x $place/bin/pjsua2 ]] && exit 0

mkdir -p "$place/bin"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --only-binary :all: --upgrade --target "$place/pjsua2" -r scripts/pjsua.lock </dev/null
cat >"$place/pjsua2.sh" <<END
#!/bin/sh
PYTHONPATH="$place/pjsua2" exec "$PWD/.venv/bin/python" "\$@"
END
chmod +x "$place/pjsua2.sh"
"$place/pjsua2.sh" -c 'import pjsua2'
# Only now: what is not whole is not found.
mv "$place/pjsua2.sh" "$place/bin/pjsua2"
