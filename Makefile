# One verb a line: `make help` lists them. Needed: git, make, bash, Python 3.11 to 3.13, and a package index.
# Each target sets up what it needs, once, and again after uv.lock or pyproject.toml has changed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Where a shell forbids bytecode, each of the thousands of processes that tests start would compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=
.PHONY: help demo demo-registry test check slow test-long test-versions connector coverage bench format docs lock clean

UV_VERSION := 0.13.8
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
STORE := .cache/demo.duckdb
WAREHOUSE := .cache/warehouse.duckdb
# Upstream connectors have environments of their own; source-bigdata, derivations and materializations are in ours.
CONNECTORS := $(filter-out source-bigdata,$(patsubst %/uv.lock,%,$(wildcard source-*/uv.lock)))
READY := $(CONNECTORS:%=.venv/.ready-%)
DEMO := $(patsubst %,.venv/.ready-%,demo source-bigdata source-faker derive-sales materialize-duckdb)
SCRIPTS = $(wildcard *.sh python/*.sh .ci/*)
DOCKERFILES = $(wildcard python/Dockerfile *-*/Dockerfile)
WORKERS := 2 # CI has two cores; more of them here gain little, as many tests wait for processes
# In the order of the tree, so that the small ones of connectors come last and no worker waits for the other.
BY_FILE := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# --inexact: uv itself stays, and what another target has installed.
SYNC := $(BIN)/uv sync --quiet --frozen --inexact

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(DEMO) ## capture 100,000 documents of a real upstream source, derive from them, and store both in a DuckDB file
	@mkdir -p $(dir $(STORE)) && rm -f $(STORE) $(STORE).wal $(WAREHOUSE) $(WAREHOUSE).wal
	@$(RUN) headwater run --source demo.flow.yaml --store $(STORE)
	@printf "\n$$ headwater sql --store %s '%s'\n" $(WAREHOUSE) '$(QUERY)'
	@$(RUN) headwater sql --store $(WAREHOUSE) '$(QUERY)'
QUERY := select make, purchases, revenue::bigint as revenue from sales order by revenue desc limit 5

demo-registry: .venv/.ready-registry ## a registry of this repository's connectors in a folder, and web pages to search it with
	@$(RUN) .ci/demo-registry .cache/registry

test: .venv/.ready-dev $(READY) ## set up everything, then run every check and every test
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory slow

check: .venv/.ready-dev ## format, lint, types, imports, generated pages, fast tests with the examples of README and docstrings
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy
	@$(RUN) lint-imports --no-cache
	@$(RUN) python docs/generate.py --check
	@$(RUN) shellcheck $(SCRIPTS)
	@$(RUN) hadolint $(DOCKERFILES)
	@$(RUN) actionlint
	@$(RUN) zizmor --offline --quiet --no-progress .github
	@$(RUN) pytest -q -n $(WORKERS) -m "not slow and not versions"

slow: .venv/.ready-dev .venv/.ready-tools $(READY) ## the tests that start many processes, connectors in their own environments, and the newest upstream versions
	@$(RUN) pytest -q -m "slow and not long" $(BY_FILE)

test-long: .venv/.ready-dev .venv/.ready-tools $(READY) ## the longest of the slow tests: more kills, more images, more connectors begun and moved
	@$(RUN) pytest -q -m "slow and long" $(BY_FILE)

test-versions: .venv/.ready-dev ## both shims on every version of airbyte-cdk and singer-sdk that they promise, each in its own environment
	@$(RUN) pytest -q -m versions

connector: .venv/.ready-dev .venv/.ready-$(NAME) ## one connector's tests, in its own environment: make connector NAME=source-faker
	@$(RUN) pytest -q $(NAME)

coverage: .venv/.ready-dev ## every branch of the spine, reached from the spine's own tests
	@$(RUN) coverage run -m pytest -q tests/protocol
	@$(RUN) coverage report

bench: .venv/.ready-dev $(READY) ## measure; results are written to benchmarks/results by hand, with date and machine
	@for benchmark in benchmarks/bench_*.py; do echo "== $$benchmark"; $(RUN) python "$$benchmark"; done

format: .venv/.ready-dev ## format the code, and mend what the linter can mend
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

docs: .venv/.ready-dev ## write the pages that are made from code
	@$(RUN) python docs/generate.py

lock: .venv/.ready-uv ## resolve all dependencies anew
	@$(BIN)/uv lock --upgrade

clean: ## remove what the other verbs have made
	@rm -rf .venv .cache *-*/.venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage dist

# Set-up. Each stamp stands for a finished step.

.venv/.ready-uv: Makefile .ci/find-python
	@python=$$(.ci/find-python) && "$$python" -m venv --prompt headwater .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@touch $@

.venv/.ready-demo: .venv/.ready-uv uv.lock pyproject.toml
	@$(SYNC) --no-default-groups --extra runner
	@touch $@

.venv/.ready-registry: .venv/.ready-uv uv.lock pyproject.toml
	@$(SYNC) --no-default-groups --extra registry
	@touch $@

.venv/.ready-tools: .venv/.ready-uv .ci/install-tools
	@.ci/install-tools
	@touch $@

# Taps are tested in environments of their own, so singer-sdk is in none of ours.
.venv/.ready-dev: .venv/.ready-uv uv.lock pyproject.toml
	@$(SYNC) --extra airbyte --extra builder --extra generate --extra orchestrator --extra registry --extra runner --group dev
	@touch $@

$(sort $(READY) $(filter-out .venv/.ready-demo,$(DEMO))): .venv/.ready-%: .venv/.ready-uv %/uv.lock %/pyproject.toml pyproject.toml
	@python/activate.sh $*
	@touch $@
