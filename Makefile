# Needs Python 3.11 or later and make; everything else is installed into .venv on the first call.
# Where packages come from is pip's own business (PIP_* variables, pip.conf); PIP_ARGS adds to it.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
PIP_ARGS ?=
JOBS ?= 2

BIN := .venv/bin
INSTALLED := .venv/.installed
EVERYTHING := .venv/.everything
DEMO := build/demo

.PHONY: help demo test test-all slow lint types certificates bench clean

help:
	@echo "make demo       the claims about the two-head XOR, decided and proved"
	@echo "make test       re-proves the committed certificates, then runs the tests"
	@echo "make slow       the tests that take minutes"
	@echo "make test-all   every test: slow ones, those for an accelerator, for TransformerLens, for Ray"
	@echo "make lint       ruff and the floors of the house"
	@echo "make types      mypy, strict"
	@echo "make bench      what is timed"
	@echo "make clean      removes what builds and tests leave behind"

# Touched last, so that an interrupted installation is taken up again; newer than both files, nothing to do.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "expressivity needs Python 3.11 or later, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Install python3.11, or name one that is there: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { \
		echo "$(PYTHON) could not make a virtual environment (on Debian: apt install python3.11-venv)." >&2; exit 1; }
	@echo "Installing into .venv, once: some minutes, most of them for torch."
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt \
		--build-constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(INSTALLED)
	@rm -rf $(DEMO)
	$(BIN)/expressivity check examples/xor.task --save $(DEMO)
	$(BIN)/expressivity build two_head_xor
	$(BIN)/expressivity verify $$(find $(DEMO) -name '*.json' | LC_ALL=C sort)

certificates: $(INSTALLED)
	$(BIN)/expressivity verify $$(find proofs -name '*.json' | LC_ALL=C sort)

test: certificates
	$(BIN)/pytest -n $(JOBS)

slow: $(INSTALLED)
	HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -n $(JOBS) -m slow

# TransformerLens brings some 500 MB of packages with it, and Ray 200 MB, so only this target installs them.
$(EVERYTHING): $(INSTALLED)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt \
		--build-constraint constraints.txt --editable '.[dev,lens,ray]'
	@touch $@

test-all: $(EVERYTHING) certificates
	HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -n $(JOBS) -m ''

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(INSTALLED)
	$(BIN)/mypy

bench: $(INSTALLED)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/separability.py
	$(BIN)/python benchmarks/vectorizer.py
	$(BIN)/python benchmarks/exhaustive.py
	$(BIN)/python benchmarks/head_search.py
	$(BIN)/python benchmarks/peers.py

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find expressivity constructions tests benchmarks -name __pycache__ -type d -exec rm -rf {} +
