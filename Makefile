# The front door. Every target bootstraps what it needs into .venv; nothing else on the machine is touched.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help demo run test check bench evaluate format schema docs lock clean

help: ## Show these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.run ## Watch a complaint travel from a feed to a chat message and an e-mail (loopback only)
	@$(BIN)/listener demo $(DEMO_ARGS)

run: $(VENV)/.run ## Start the daemon in the foreground with ./rules.yaml and ./.env
	@$(BIN)/listener run

test: $(VENV)/.dev ## Run all tests with coverage
	@$(BIN)/python tests/run.py

check: $(VENV)/.dev ## Format, lint, types, import directions, generated files
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && echo "ruff: clean"
	@$(BIN)/mypy --no-error-summary && echo "mypy: strict, clean"
	@$(BIN)/lint-imports --no-cache | tail -1
	@$(BIN)/listener rules schema --check rules.schema.json
	@$(BIN)/listener rules check --file rules.yaml

bench: $(VENV)/.dev ## Print speed and memory as ratios against a peer or a limit in the same run
	@$(BIN)/python -m benchmarks

evaluate: $(VENV)/.dev ## Measure the judging on labelled posts, where they are: make evaluate LISTENER_DATA=FOLDER
	@LISTENER_DATA="$(LISTENER_DATA)" $(BIN)/python -m tools.measure.triage

format: $(VENV)/.dev ## Put the code in order
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

schema: $(VENV)/.dev ## Write rules.schema.json anew
	@$(BIN)/listener rules schema > rules.schema.json

docs: $(VENV)/.dev ## Write docs/sources.md and the picture of the demo anew
	@$(BIN)/listener sources > docs/sources.md
	@$(BIN)/listener demo --svg docs/demo.svg

lock: ## Resolve the dependencies anew (maintainers; needs uv)
	uv export --no-emit-project --no-default-groups --group build --extra demo --no-header -q -o requirements.lock
	uv export --no-emit-project --no-default-groups --group build --group dev --extra postgres --extra demo --no-header -q -o requirements-dev.lock

clean: ## Remove what make made
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .coverage*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "listener: needs python3 >= 3.11; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "listener: this python3 cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "making $(VENV) (once, about half a minute)"
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@test -e $(VENV)/.dev || $(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run
