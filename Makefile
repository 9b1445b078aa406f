# One command for each chore, the same here and in CI. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PAGE := src/sw2/ide/static/index.html
WEB := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

.PHONY: help setup demo test test-all check lint types web-check web api bench docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.installed  ## .venv with everything pinned

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "== setup: $(VENV), with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: sw2 needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

web: $(PAGE)  ## the web application, into src/sw2/ide/static

$(PAGE): $(WEB) hatch_build.py | setup
	@echo "== web: building the page (Node comes from the environment)"
	@$(BIN)/python hatch_build.py

demo: setup web  ## the IDE on 5,000 pictures, 250 labels of which are wrong on purpose
	@$(BIN)/sw2 demo demo $(DEMO)

test: setup web  ## the tests, without the slow ones
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: setup web  ## all tests
	$(BIN)/python -m pytest -n 2

check: lint types web-check test  ## what CI runs

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

web-check: setup web
	$(BIN)/python hatch_build.py test

api: setup  ## web/openapi.json and the page's typed client, from the server
	$(BIN)/python hatch_build.py api

bench: setup  ## every benchmark, quickly and without peers (BENCH= for all of it)
	@for each in bench/[a-z]*.py; do echo "== $$each"; $(BIN)/python $$each $(or $(BENCH),--quick) || exit 1; done

docs: setup  ## the generated pages of docs/
	$(BIN)/python tools/cli_docs.py

clean:  ## what can be made again; the demo stays
	rm -rf $(VENV) web/node_modules src/sw2/ide/static artifacts .mypy_cache .ruff_cache .pytest_cache
