# `make demo`: see it work. `make test`: the whole suite. `make check`: everything that CI checks.
# Each makes the virtual environment that it needs; only Python 3.11 or newer and make have to be there.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Half of the suite waits for browsers, cameras and viewers: two files at a time.
TESTS = $(BIN)/python -m pytest --numprocesses 2 --dist loadfile
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check benchmark clean

demo: $(VENV)/.installed
	$(BIN)/mirilla demo

test: $(VENV)/.installed-test
	$(TESTS)

check: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(TESTS)

benchmark: $(VENV)/.installed-test
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[test]'
	touch $@
