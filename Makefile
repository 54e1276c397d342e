# Everything that one does with a clone. `make up` and `make test` need Python 3.11, 3.12 or 3.13 and make, nothing else:
# each first sets up .venv from constraints.txt (pinned, checked by hash), and again whenever that file changes.

VENV   := .venv
READY  := $(VENV)/.ready
BIN    := $(VENV)/bin
PYTEST := $(BIN)/pytest
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help up test lint format unit fault screens lock

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1|/p' Makefile | while IFS='|' read -r name does; do printf '%-14s %s\n' "$$name" "$$does"; done

up: $(READY) ## start all of it on this machine: make up, make up ARGS="--demo --port 8001"
	@exec $(BIN)/undertone up $(ARGS)

test: lint ## every check and every test: make test, make test ARGS="tests/unit -k codec"
	$(PYTEST) $(ARGS)

lint: $(READY) ## formatting, rules and types, without changing a file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if command -v npm > /dev/null; then \
	  [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund; \
	  echo npm run types; npm run --silent types; \
	else echo "npm is not installed: the types of the pages are not checked" >&2; fi

format: $(READY) ## let ruff rewrite what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: $(READY) ## the tests that need no Kafka, PostgreSQL or browser
	$(PYTEST) tests/unit tests/contract tests/docs $(ARGS)

fault: $(READY) ## the tests that kill workers
	$(PYTEST) tests/fault $(ARGS)

screens: $(READY) ## take the screenshots in docs/screenshots anew
	$(BIN)/python -m tests.browser.screenshots docs/screenshots

lock: $(READY) ## pin what pyproject.toml asks for in constraints.txt; make lock ARGS=--upgrade takes newer versions
	$(BIN)/pip install --quiet "uv>=0.9"
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest --no-build \
	  --extra dev --extra mic --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet $(ARGS) \
	  --output-file constraints.txt

# The set-up. The first Python that is 3.11 to 3.13 and can make environments wins; PYTHON=… chooses another.
# An interrupted or failed set-up leaves no stamp, so the next make begins it again.
$(READY): pyproject.toml constraints.txt
	@set -e; \
	fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	found=; for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if "$$python" -c "$$fits" 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Undertone needs Python 3.11, 3.12 or 3.13 (3.14 is too new for its Kafka client), and none is on the PATH." >&2; \
	  echo "Install one (Debian: apt-get install python3 python3-venv; macOS: brew install python@3.13), or name it: make PYTHON=/path/to/python3.13 …" >&2; \
	  exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$found cannot make virtual environments: its venv package is missing." >&2; \
	  echo "Install it (Debian and Ubuntu: apt-get install python3-venv), then run make again." >&2; \
	  exit 1; \
	fi; \
	if ! $(BIN)/python -c "$$fits" 2>/dev/null; then rm -rf $(VENV); "$$found" -m venv $(VENV); fi; \
	echo "Setting up $(VENV) with $$($(BIN)/python --version): some 100 packages, a minute or two the first time."; \
	quiet=--quiet; if [ -t 1 ]; then quiet=; fi; \
	$(BIN)/python -m pip install --disable-pip-version-check $$quiet --require-hashes -r constraints.txt; \
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .; \
	touch $(READY)
