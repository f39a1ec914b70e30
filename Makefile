# Needs Python 3.11 or 3.12, pip, make and git; everything else is pinned, by hash, in the lock files.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
READY := .venv/ready
UV := $(BIN)/uv --quiet
# The machine's own certificates, as pip uses them: there may be a proxy in between. Tests call uv too.
export UV_SYSTEM_CERTS := true
# Where it is set, each of the tests' processes would compile 1,600 modules anew.
unexport PYTHONDONTWRITEBYTECODE
# One more than there are cores: a quarter of the time tests wait for locks, processes and what is served to them.
WORKERS = $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
COMPILE := $(UV) pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header

.PHONY: help install demo test lint types check lock sbom bench bench-build bench-limits kill hostile clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## the locked environment in .venv

# uv itself comes from the same lock, so that nothing unpinned ever runs.
$(BIN)/uv: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit("salespulse needs Python 3.11 or 3.12; set PYTHON=…") if not (3, 11) <= sys.version_info[:2] <= (3, 12) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	sed -n '/^uv==/,/^    # via/p' requirements-dev.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.lock
	@touch $@

$(READY): $(BIN)/uv requirements-dev.lock pyproject.toml
	$(UV) pip sync --require-hashes --python $(BIN)/python requirements-dev.lock
	$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## a make-believe company, one nightly run, yesterday's numbers
	@$(BIN)/salespulse demo

test: $(READY) ## all tests
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=25

lint: $(READY) ## style of Python and SQL, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint --processes 2 sql
	$(BIN)/lint-imports

types: $(READY) ## strict types
	$(BIN)/pyright

check: lint types test ## what .ci/run runs

lock: $(BIN)/uv ## make all lock files anew from pyproject.toml, keeping versions that still fit
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) --constraint requirements.lock pyproject.toml --all-extras --output-file requirements-cluster.lock
	$(COMPILE) --constraint requirements-cluster.lock pyproject.toml --all-extras --group dev --output-file requirements-dev.lock
	$(COMPILE) --constraint requirements.lock --group bench --output-file requirements-bench.lock
	$(COMPILE) requirements-readers.in --output-file requirements-readers.lock
	$(COMPILE) requirements-sbom.in --output-file requirements-sbom.lock

sbom: $(BIN)/uv ## sbom.json, CycloneDX: what a user installs, with hashes; for the release notes (its packages go to .venv-sbom)
	test -x .venv-sbom/bin/python || $(PYTHON) -m venv .venv-sbom
	$(UV) pip sync --require-hashes --python .venv-sbom/bin/python requirements-sbom.lock
	.venv-sbom/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.json

bench: $(READY) ## extract and land beside dlt, on the same server (its packages go to .venv-bench)
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	$(UV) pip sync --require-hashes --python .venv-bench/bin/python requirements-bench.lock
	$(BIN)/python -m benchmarks

bench-build: $(READY) ## the build of a large warehouse: whole, a normal day, no change, beside the floor
	$(BIN)/python -m benchmarks.increment --reps 100 --days 180

bench-limits: $(READY) ## how much of each vendor's limit is used, and how often it refuses (half an hour of real time)
	$(BIN)/python -m benchmarks.limits

kill: $(READY) ## hundreds of runs killed at random, each run again to its end and compared (an hour or more)
	$(BIN)/python -m pytest -q -rP -m slow -n $(WORKERS) tests

hostile: $(READY) ## every fault of the network on every stream (minutes); `make test` tries one
	$(BIN)/python -m pytest -q -m "hostile or not hostile" -n $(WORKERS) tests/hostile

clean: ## remove what was built here; data stays
	rm -rf .venv .venv-bench build demo *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
