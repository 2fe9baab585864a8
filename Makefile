# Every target makes .venv and installs what it needs when that is missing or older than pyproject.toml.
PYTHON ?= python3
BIN := .venv/bin
SAYSO_DATA ?= $(wildcard ../shared/data)
ifneq ($(SAYSO_DATA),)
export SAYSO_DATA := $(abspath $(SAYSO_DATA))
endif

.PHONY: demo web test test-slow check types rules format bench docs results clean

.venv/.ready-demo: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[train,voices]"
	@touch $@

.venv/.ready-dev: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@ .venv/.ready-demo

.venv/.ready-docs: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	@touch $@ .venv/.ready-demo

demo: .venv/.ready-demo
	$(BIN)/sayso demo

# onnxruntime-web from npm's registry, for `sayso export --web` and the tests of pages; wheels have it inside.
web: .venv/.ready-demo
	$(BIN)/python -m sayso.web

# The types take as long as all the rest, and go beside it.
check: .venv/.ready-dev
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target types rules

# With room for what it throws away soon, node collects garbage more seldom.
types: export NODE_OPTIONS := --max-semi-space-size=64
types: .venv/.ready-dev
	$(BIN)/pyright

rules: .venv/.ready-dev
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/lint-imports --no-cache
	$(BIN)/interrogate --quiet src
	$(BIN)/codespell src tests docs benchmarks recipes *.md Makefile
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/results.py --check
	$(BIN)/python docs/interval_coverage.py --check

# One thread each, or the workers' threads would only wait for one another; whole files, since theirs share trainings. One
# worker more than there are cores, as some wait for pages and processes. Hundreds of those start: compiled once is enough.
test test-slow: export OMP_NUM_THREADS := 1
test test-slow: export PYTHONDONTWRITEBYTECODE :=
WORKERS := $(shell $(PYTHON) -c 'import os; print(min(4, 1 + len(os.sched_getaffinity(0))))' 2>/dev/null || echo 2)
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# Where npm's registry cannot be reached, the tests of pages that run a model are skipped, and say so.
test: check
	-@$(BIN)/python -m sayso.web
	$(PYTEST)

test-slow: .venv/.ready-dev
	-@$(BIN)/python -m sayso.web
	$(PYTEST) -m "slow or not slow"

format: .venv/.ready-dev
	$(BIN)/ruff format src tests benchmarks docs
	$(BIN)/ruff check --fix src tests benchmarks docs

# The peers need older versions than Sayso, so they live apart.
.venv-peers/.ready: benchmarks/peers/requirements.txt
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

bench: .venv/.ready-dev .venv-peers/.ready
	$(BIN)/python -m benchmarks $(CONTESTS)

# Runs every page of the tour and the how-tos; real voices where SAYSO_DATA has them, else synthetic ones.
docs: .venv/.ready-docs
	@echo "running every page of the tour and the how-tos: several minutes"
	$(BIN)/python docs/generate.py
	$(BIN)/python -m doctest docs/api_reference.py
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs build/docs
	@echo "open build/docs/index.html"

# RUNS: finished runs, or folders of them; BENCH: what `make bench` wrote; COMPARISON: a folder of `sayso compare`. All are kept in docs/measured.json.
results: .venv/.ready-dev
	$(BIN)/python docs/results.py $(RUNS) $(if $(BENCH),--bench $(BENCH)) $(if $(COMPARISON),--comparison $(COMPARISON))

clean:
	rm -rf .venv .venv-peers build dist .pytest_cache .ruff_cache
