# The CDP Book: `make help` lists what can be made. GNU make 4, a POSIX shell, Python 3.11 or 3.12.
# Every target makes the environment it needs, in .venv/, and reuses what is there.

PRESET ?= read
ONLY ?=
PROBLEMS ?= 20000
SEED ?= 2026
SHELL := /bin/sh
.SHELLFLAGS := -euc
.ONESHELL:
.SILENT:
.DEFAULT_GOAL := help
.PHONY: help setup data book student check test lint golden results torture proofs bench tuning clean clean-env browser

BIN := .venv/bin
# One thread a process: numbers repeat, and processes share the cores.
export OMP_NUM_THREADS ?= 1

help: ## List the targets
	printf 'usage: make TARGET [PRESET=name of a file in params/]\n\n'
	sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target text; do
	  printf '  %-10s %s\n' "$$target" "$$text"
	done

setup: ## Make the environment in .venv/ (once, about 7 GB)
	./.ci/setup

data: setup ## Fetch the data sets into the user's cache and check them
	$(BIN)/cdp data

book: data ## Execute every chapter and render the site (PRESET=read)
	$(BIN)/cdp book --preset $(PRESET) $(foreach chapter,$(ONLY),--only $(chapter))

student: data ## The site without the solutions of the exercises
	$(BIN)/cdp book --preset $(PRESET) --student

browser: setup
	./.ci/browser

test: data browser ## Run the tests: library, driver on real data, golden outputs, pages in a browser
	start=$$(date +%s)
	status=0
	$(BIN)/python -m pytest -n auto --dist loadfile -rs --durations=5 || status=$$?
	echo "make test: $$(( $$(date +%s) - start )) s"
	exit $$status

lint: setup ## Check style and types (ruff, mypy)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint ## Style, types and the quick half of the tests: no training, no page, no data
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not data and not browser" --ignore tests/golden

golden: setup ## Write tests/golden/ again from the chapters (then look at the difference)
	$(BIN)/python -m cdpbook.notebooks.golden

results: data ## Train and publish what is missing of every sweep (many hours; stop it at any time)
	experiments=$$($(BIN)/python -c 'from cdplib.experiments.table import EXPERIMENTS as e; print(*e)')
	for name in $$experiments; do
	  $(BIN)/cdp sweep $$name --preset quick -p 'seeds=[0,1,2]' --publish
	done
	$(BIN)/cdp sweep exp2 --preset quick --dataset fashion-mnist --publish
	$(BIN)/python -m cdpbook.references
	$(BIN)/python -m cdpbook.attainable
	$(BIN)/python -m cdpbook.floors
	for name in ensemble noise_input less_noise more_noise select equal_cost critic_steps scratch released_critic; do
	  $(BIN)/cdp sweep exp2 --ablation $$name -p 'seeds=[0,1,2]' --publish
	done
	for name in $$experiments; do
	  $(BIN)/cdp sweep $$name --preset full --publish
	done
	$(BIN)/cdp sweep exp2 --preset full --ablation longer --publish
	for number in 2 5; do
	  $(BIN)/cdp sweep exp$$number --preset full -p restorer=fast-large --publish
	done

torture: setup ## Random problems against the exact solver, judged in 60 digits (PROBLEMS=20000 SEED=2026; hours)
	mkdir -p _build
	$(BIN)/python -m tests.theory.fuzz --problems $(PROBLEMS) --seed $(SEED) --log _build/torture.log

proofs: ## Have Coq check the formal proof in proofs/ (skipped where there is no Coq)
	./.ci/proofs

bench: setup ## Measure the solvers and the training against the alternatives
	for file in bench/theory.py bench/experiments.py; do
	  echo "== $$file"
	  $(BIN)/python "$$file"
	done

tuning: data ## Train what is missing of the table that chose the schedules (hours)
	$(BIN)/python bench/tuning.py

clean: ## Remove what was built; data and trained points stay in the cache
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	echo "removed _build and the tools' caches"

clean-env: ## Remove the environment too
	rm -rf .venv
	echo "removed .venv"
