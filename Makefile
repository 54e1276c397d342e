# Everything that one does with a clone. `make up` and `make test` need Python 3.11, 3.12 or 3.13 and make, nothing else:
# each first sets up .venv from constraints.txt (pinned, checked by hash), and again whenever that file changes.
# With EXTRA=torch it is .venv-torch, with what constraints-torch.txt adds: the engines on torch, and training (6 GB).

EXTRA  ?=
VENV   := .venv$(addprefix -,$(EXTRA))
READY  := $(VENV)/.ready
BIN    := $(VENV)/bin
PYTEST := $(BIN)/pytest
ARGS   ?=
MINUTES ?= 60
MANIFEST ?= tests/data/speech/manifest.json

.DEFAULT_GOAL := help
.PHONY: help up test test-torch lint format unit fault soak hostile screens lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' Makefile | while IFS='|' read -r name does; do printf '%-16s %s\n' "$$name" "$$does"; done

up: $(READY) ## start all of it on this machine: make up, make up ARGS="--demo --port 8001"
	@exec $(BIN)/undertone up $(ARGS)

# The files stay in their order: those with the fewest tests, which xdist puts last by itself, take longest.
test: lint ## every check and every test, two at a time: make test, make test ARGS="tests/unit -k codec"
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-torch: .venv-torch/.ready ## the tests of the engines on torch, in an environment of their own (6 GB)
	.venv-torch/bin/pytest -m torch $(ARGS)

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

fault: $(READY) ## kill, cut, fill and delay: make fault is the short selection, make fault COUNT=200 SEED=7 as much as one likes
	$(if $(COUNT),$(BIN)/python -m tests.fault --count $(COUNT) --seed $(or $(SEED),1) $(ARGS),$(PYTEST) tests/fault $(ARGS))

soak: $(READY) ## an hour of the whole platform: what grows? make soak MINUTES=60 ARGS="--speakers 6"
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) $(ARGS)

hostile: $(READY) ## attackers beside honest speakers and viewers: who is harmed? make hostile, make hostile ARGS="--only gaps --minutes 1"
	$(BIN)/python -m benchmarks.hostile $(MANIFEST) $(ARGS)

screens: $(READY) ## take the screenshots in docs/screenshots anew: make screens, make screens ARGS="live session"
	$(BIN)/python -m tests.browser.screenshots docs/screenshots $(ARGS)

lock: $(READY) ## pin what pyproject.toml asks for in constraints*.txt; make lock ARGS=--upgrade takes newer versions
	$(BIN)/pip install --quiet "uv>=0.9"
	$(LOCK) --only-binary :all: --output-file constraints.txt
	$(LOCK) --only-binary :all: --no-binary openai-whisper --extra torch --extra training --constraints constraints.txt \
	  $$(sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package \1/p' constraints.txt) --output-file constraints-torch.txt

LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest --extra dev --extra mic \
  --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet $(ARGS)

# The set-up. The first Python that is 3.11 to 3.13 and can make environments wins; PYTHON=… chooses another.
# An interrupted or failed set-up leaves no stamp, so the next make begins it again.
# openai-whisper comes as source: it is built with the pinned setuptools, hence two steps and no isolation.
.venv/.ready .venv-torch/.ready: pyproject.toml constraints.txt
.venv-torch/.ready: constraints-torch.txt
.venv/.ready .venv-torch/.ready:
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
	if ! $(@D)/bin/python -c "$$fits" 2>/dev/null; then rm -rf $(@D); "$$found" -m venv $(@D); fi; \
	echo "Setting up $(@D) with $$($(@D)/bin/python --version): some 100 packages, a minute or two the first time, more with an extra."; \
	pip="$(@D)/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation"; \
	quiet=--quiet; if [ -t 1 ]; then quiet=; fi; \
	for lock in $(filter constraints%,$^); do $$pip $$quiet --require-hashes -r $$lock; done; \
	$$pip --quiet --editable .; \
	touch $@
