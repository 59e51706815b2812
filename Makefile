# `make` alone lists the targets.
UV := .venv/bin/uv
MESH := .venv/bin/mesh
export UV_PROJECT_ENVIRONMENT := .venv
# Dagster's history lies with the mesh's state, where `mesh` looks for it too.
HISTORY := $(abspath $(or $(DAGSTER_HOME),$(or $(MESH_STATE),$(CURDIR))/.dagster))

.DEFAULT_GOAL := help
.PHONY: help install demo marketplace five-minutes dev test lint types check golden benchmarks snowflake account screenshots clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

install: .venv/.installed ## Make .venv and install everything from the lock

.venv/.installed: pyproject.toml uv.lock
	@test -x .venv/bin/python || python3 -m venv .venv
	@test -x $(UV) || .venv/bin/python -m pip install --quiet uv
	@$(UV) sync --frozen --inexact --quiet --compile-bytecode
	@touch $@

demo: install ## Refresh all sample products and show how they are
	@$(MESH) refresh --all; done=$$?; echo; echo "See it in a browser: make marketplace"; exit $$done

marketplace: install ## The marketplace on http://127.0.0.1:8080: find products, see why to trust them
	@$(MESH) serve

five-minutes: install ## After `make demo`: how long a person takes from the first page to data they had no access to
	@.venv/bin/python benchmarks/five_minutes.py

dev: install ## Dagster's UI on http://localhost:3000 with all domains, schedules and sensors; the marketplace beside it
	@mkdir -p $(HISTORY) && cp $(firstword $(wildcard dagster.yaml) platform_resources/orchestration/dagster.yaml) $(HISTORY)/dagster.yaml
	@echo "Dagster: http://localhost:3000"
	@$(MESH) serve & market=$$!; trap "kill $$market 2>/dev/null" EXIT INT TERM; DAGSTER_HOME=$(HISTORY) .venv/bin/dagster dev -w workspace.yaml

deployment: install ## Start all parts of a deployment as processes, kill each under readers and refreshes, and say what is lost
	@.venv/bin/python deploy/processes.py

test: install ## Run all tests
	@.venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: install ## Style and layers
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports

types: install ## Types, strictly
	@.venv/bin/mypy

check: lint types test ## All that CI runs

golden: install ## Rewrite the golden files; review the difference
	@MESH_REWRITE_GOLDEN=1 .venv/bin/pytest -q -k golden

benchmarks: install ## Measure; the tables go into docs/performance.md
	@.venv/bin/python benchmarks/refresh.py
	@.venv/bin/python benchmarks/latency.py
	@.venv/bin/python benchmarks/load.py
	@.venv/bin/python benchmarks/ledger.py
	@.venv/bin/python benchmarks/detectors.py
	@.venv/bin/python benchmarks/distributions.py
	@.venv/bin/python benchmarks/profiles.py
	@.venv/bin/python benchmarks/access.py
	@.venv/bin/python benchmarks/marketplace.py --products 100 --readings 100000
	@.venv/bin/python benchmarks/downloads.py
	@.venv/bin/python benchmarks/lab.py

snowflake: install ## Refresh the sample mesh on Snowflake (or a stand-in) and on DuckDB, and compare
	@.venv/bin/python -m tests.snowflake_mesh

account: install ## The same on an account of Snowflake, with all tests that are about one: see deploy/snowflake
	@.venv/bin/python deploy/snowflake/trial.py plan
	@MESH_TRIAL=yes .venv/bin/pytest -n 0 -m account
	@.venv/bin/python -m tests.snowflake_mesh

screenshots: install ## Take the pictures of Dagster's pages and of the marketplace, after `make demo`
	-@$(MESH) evaluate # its messages have nowhere to go on most machines
	@PYTHONPATH=. .venv/bin/python docs/screenshots.py

clean: ## Remove what refreshes made: databases, versions, history
	@rm -rf warehouse ports lineage .dagster .mesh .postgres dbt_project/target
