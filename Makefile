# One command for each chore, the same here and in CI. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# 3.11 first: the pinned torch has its small build, without graphics card libraries, for that one.
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3.14 python3; do \
  $$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
  command -v $$each && break; done)
VENV := .venv
BIN := $(VENV)/bin
PAGE := src/sw2/ide/static/index.html
WEB := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

.PHONY: help setup demo test test-all check lint types web-check web api bench docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.installed  ## .venv with everything pinned

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: no Python 3.11 or newer with its venv module was found"; \
	    echo "hint: on Debian: apt-get install python3-venv; or: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "== setup: $(VENV) with $$($(PYTHON) --version); 1.8 GB, some minutes the first time"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

web: $(PAGE)  ## the web application, into src/sw2/ide/static

$(PAGE): $(WEB) hatch_build.py | setup
	@echo "== web: building the page (Node comes from the environment)"
	@$(BIN)/python hatch_build.py

demo: setup web  ## the IDE on 5,000 pictures, 250 labels of which are wrong on purpose
	@echo "== demo: everything lies in demo/; delete that folder to start afresh"
	@$(BIN)/sw2 demo demo $(DEMO)

test: setup web  ## the tests, without the slow ones
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-all: setup web  ## all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

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
	rm -rf $(VENV) web/node_modules web/dist src/sw2/ide/static dist artifacts \
	  .mypy_cache .ruff_cache .pytest_cache .hypothesis
