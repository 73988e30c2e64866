# Two commands need nothing but Python 3.11+: `make demo` and `make test`. Every target makes what it needs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STORE  ?= store

.PHONY: demo test check bench bench-guard format clean

demo: $(VENV)/.run
	$(BIN)/engine data demo --store $(STORE)
	$(BIN)/engine sweep --grid configs/pair.toml --store $(STORE)

test: $(VENV)/.dev
	$(BIN)/pytest -n auto --dist worksteal

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/pytest benchmarks --benchmark-only

# Ratios against other libraries, measured here and now, must not have fallen by more than a quarter below the committed.
bench-guard: $(VENV)/.dev
	$(BIN)/python -m benchmarks.kernels.guard

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11."; exit 2; }
	$(PYTHON) -m venv $(VENV)

# Each stamp is rebuilt only when what it was made from changes, so a second call costs nothing. Modules are compiled to
# byte code when they are first imported: doing it here for all that is installed would double the time this takes.
$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/dev.txt
	touch $@
