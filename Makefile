# One verb a line. A machine with git, make and Python 3.11 or newer needs nothing else: the first target that wants it
# makes .venv, puts the pinned uv into it, and installs what is locked. Nothing is installed twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

UV_VERSION := 0.13.8
VENV := .venv
BIN := $(VENV)/bin
STORE := .cache/demo.duckdb
# The first Python that starts, is new enough, and can make environments. A name on PATH alone proves nothing.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& command -v $$python && break; done)

.PHONY: help demo test check bench fast slow format lint types imports docs lock clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(BIN)/.tools source-faker/.venv/.synced ## set up, then capture a real upstream source into DuckDB
	rm -f $(STORE) $(STORE).wal
	$(BIN)/headwater run --source source-faker/test.flow.yaml --store $(STORE)
	$(BIN)/headwater sql --store $(STORE) 'select gender, count(*) as users, round(avg(age), 1) as age from "acmeCo/users" group by all order by all'

test: check slow ## set up, then run every check and every test

check: $(BIN)/.dev lint types imports docs fast ## set up, then format, lint, types, layers, documents and the fast tests

bench: $(BIN)/.dev source-faker/.venv/.synced ## set up, then measure; results go to benchmarks/results
	$(BIN)/python benchmarks/run.py

lint: $(BIN)/.dev ## formatting and lint
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(BIN)/.dev ## strict types
	$(BIN)/mypy

imports: $(BIN)/.dev ## the layers of the house
	$(BIN)/lint-imports --no-cache

docs: $(BIN)/.dev ## generated documents are up to date
	$(BIN)/python docs/generate.py --check

fast: $(BIN)/.dev source-faker/.venv/.synced ## the fast tests, with the examples in docstrings
	$(BIN)/pytest -q -m 'not slow'

slow: $(BIN)/.dev source-faker/.venv/.synced ## the tests that start many processes
	$(BIN)/pytest -q -m slow

format: $(BIN)/.dev ## format and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(BIN)/.uv ## lock anew what pyproject.toml asks for
	$(BIN)/uv lock
	$(BIN)/uv lock --project source-bigdata
	$(BIN)/uv lock --project source-faker

clean: ## remove what make has made
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis source-*/.venv

$(BIN)/.uv:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 to 3.13 with venv and ensurepip was found; install python3.11 (Debian: also python3-venv)" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	touch $@

# `uv sync` removes what its set does not name, uv and each other's packages included: so both sets keep all extras.
$(BIN)/.tools: $(BIN)/.uv pyproject.toml uv.lock
	$(BIN)/uv sync --quiet --frozen --inexact --no-dev --extra runner
	touch $@

$(BIN)/.dev: $(BIN)/.uv pyproject.toml uv.lock source-bigdata/pyproject.toml
	$(BIN)/uv sync --quiet --frozen --inexact --all-extras
	touch $@

source-%/.venv/.synced: $(BIN)/.uv source-%/pyproject.toml source-%/uv.lock
	python/activate.sh source-$*
	touch $@
