# Everything works from a fresh clone on a machine that has Python 3.10 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo docs test test-all lint format bench clean

# Sets up what the other targets use.
$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group dev --editable .
	touch $@

# Builds the release of a web service, starts it, asks it, and stops it.
demo: $(VENV)/.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" sh fixtures/webapp/demo.sh

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist loadscope -m "not long" --cov --cov-report=term:skip-covered

test-all: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist loadscope --cov --cov-report=term:skip-covered

# Builds the site into dist/site; it can be read from there, or served from any place.
docs: $(VENV)/.ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.ready
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .coverage
