# The CDP Book: `make help` lists what can be made. GNU make 3.81 or later (macOS has that one), a
# POSIX shell, Python 3.11 to 3.14. Each line of a recipe is a command of its own, or a script of
# .ci/: make 3.81 has no .ONESHELL, and a step that fails must end with a status that is not 0.
# Every target makes the environment it needs, in .venv/, and reuses what is there.

PRESET ?= read
ONLY ?=
MINUTES ?= 15
SEED ?= 2026
SHELL := /bin/sh
.SILENT:
.DEFAULT_GOAL := help
.PHONY: help setup data book pdf student class lab check test lint golden results torture proofs licences lock bench tuning clean clean-env browser

BIN := .venv/bin
# One thread a process: numbers repeat, and processes share the cores.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS
TORCH ?= auto
export TORCH

help: ## List the targets
	./.ci/help

setup: ## Make the environment in .venv/ (once; TORCH=cpu or cuda chooses the build of torch)
	./.ci/setup

data: setup ## Fetch the data sets into the user's cache and check them
	$(BIN)/cdp data

book: data ## Execute every chapter and render the site (PRESET=read)
	$(BIN)/cdp book --preset $(PRESET) $(foreach chapter,$(ONLY),--only $(chapter))

pdf: book browser ## The whole book as one PDF: _build/cdp-book.pdf (needs Chromium)
	$(BIN)/python -m cdpbook.notebooks.printed _build/$(PRESET)/_build/html _build/cdp-book.pdf

student: data ## The site without the solutions of the exercises
	$(BIN)/cdp book --preset $(PRESET) --student

class: setup ## What a class is given (no solution in it), and its instructor: _build/class/
	$(BIN)/cdp class

lab: setup ## JupyterLab on the chapters, which open as notebooks (installs it the first time)
	./.ci/lab

browser: setup
	./.ci/browser

test: data browser ## Run the tests: library, driver on real data, golden outputs, pages in a browser
	./.ci/test

lint: setup ## Check style and types (ruff, mypy)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint ## Style, types and the quick half of the tests: no training, no page, no data
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not data and not browser" --ignore tests/golden

golden: setup ## Write tests/golden/ again from the chapters (then look at the difference)
	$(BIN)/python -m cdpbook.notebooks.golden

results: data ## Train and publish what is missing of every sweep (many hours; stop it at any time)
	./.ci/results

torture: data ## Kills, full disks, many writers, bad input: a table of what survives (MINUTES=15)
	$(BIN)/python -m tests.torture.run --minutes $(MINUTES) --seed $(SEED)

proofs: ## Have Coq check the formal proof in proofs/ (skipped where there is no Coq)
	./.ci/proofs

licences: setup ## List every pin with its licence and what needs it
	$(BIN)/python .ci/licences

lock: setup ## Write requirements.lock: the pins and all that they bring, with hashes
	./.ci/lock

bench: setup ## Measure the solvers and the training against the alternatives
	./.ci/bench

tuning: data ## Train what is missing of the table that chose the schedules (hours)
	$(BIN)/python bench/tuning.py

clean: ## Remove what was built; data and trained points stay in the cache
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	echo "removed _build and the tools' caches"

clean-env: ## Remove the environment too
	rm -rf .venv
	echo "removed .venv"
