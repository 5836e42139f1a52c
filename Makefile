# Everything a developer types. Each target sets up what it needs; nothing is installed system-wide
# but, as root on Debian or Ubuntu, the programs the tests call (SIPp, baresip, tshark; for `make test`
# Chromium and iproute2, too). `make test` also puts Asterisk and PJSIP's user agent into .peers (24 MB)
# and, where npm is, runs `npm ci` in two folders.

.DEFAULT_GOAL := help
.PHONY: help demo test check docs serve bench lock vendor setup peers
.NOTPARALLEL:

python := .venv/bin/python

# The settings file of `make serve`.
CONFIG ?= callwright.toml
# More words for pytest: make test ARGS="-k dtmf -x"
ARGS ?=

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: setup peers ## Make a real call between two phones on this machine and show it
	@$(python) -m demo

test: check ## Run every check, then the whole test suite; loads Asterisk and PJSIP into .peers (24 MB)
	@scripts/setup_peers.sh tests
	@scripts/test.sh $(ARGS)

check: setup ## Format, lint, types, and whether the generated docs are up to date
	@$(python) -m ruff format --check --quiet . || { echo "Run: $(python) -m ruff format"; exit 1; }
	@$(python) -m ruff check --quiet .
	@$(python) -m mypy
	@$(python) scripts/generate_docs.py --check
	@$(python) scripts/generate_settings_docs.py --check
	@$(python) scripts/translations.py --check

docs: setup ## Generate the docs that come from the code
	@$(python) scripts/generate_docs.py
	@$(python) scripts/generate_settings_docs.py
	@$(python) scripts/translations.py

serve: setup ## Run the service; CONFIG=callwright.toml
	@.venv/bin/callwright serve --config $(CONFIG)

bench: setup ## Measure load, jitter and cut-through on this machine
	@$(python) -m bench $(ARGS)

lock: setup ## Renew the lock files; UPGRADE=1 takes the newest versions
	@scripts/lock.sh

vendor: setup ## Renew what others have written for browsers, by npm, in the console
	@$(python) scripts/vendor.py

setup: ## Make .venv with everything that is needed
	@scripts/setup.sh

peers:
	@scripts/setup_peers.sh
