# Vangnet: `make` lists what there is. Everything runs from a virtual environment of its own, .venv.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# PyTorch's own index has a CPU build of 200 MB; the package registry gives one with CUDA (3 GB).
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types floors check system clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(STAMP) ## Make .venv and install Vangnet into it

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Vangnet needs Python 3.11 or newer, this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || { echo "[1/3] making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -c 'import torch' 2>/dev/null || { \
	  echo "[2/3] installing torch (the CPU build, where PyTorch's index answers)"; \
	  if $(BIN)/python -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/torch/", timeout=5)' $(TORCH_CPU_INDEX) 2>/dev/null; \
	  then $(BIN)/pip install --quiet --disable-pip-version-check --index-url $(TORCH_CPU_INDEX) 'torch>=2.6'; \
	  else echo "      PyTorch's index does not answer; taking the package registry's build, which is large (3 GB)"; fi; }
	@echo "[3/3] installing Vangnet and what it needs (a few minutes the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: install ## Run the demo school on http://127.0.0.1:8080
	@exec $(BIN)/vangnet demo

test: install system lint types floors ## Lint, types, architecture and all tests
	@$(BIN)/python -m pytest

system: install ## Install the system packages that tests need (Debian as root), else name them
	@$(BIN)/python tests/system_packages.py

lint: install
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: install
	@$(BIN)/mypy

floors: install
	@$(BIN)/lint-imports --no-cache

clean: ## Remove the virtual environment and caches (not var/ and keys/)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache *.egg-info
