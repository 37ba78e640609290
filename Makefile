# The commands of the README, of CONTRIBUTING and of continuous integration, in one place.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCKED := --no-deps --require-hashes --no-compile
LOCKS := $(addprefix requirements,.lock -torch.lock -cuda.lock -backbone.lock)

STUDY ?= demo

.PHONY: setup demo verify reference bundle pictures test test-gpu test-slurm test-faults check format site clean
.PHONY: lock audit licences test-packaging
.DEFAULT_GOAL := demo

setup: $(VENV)/.installed

# The locked environment, every file by its hash; nothing but what is locked is looked for. pip takes
# torch's CPU build where one is visible to it, and else the registry's, which may be for CUDA.
$(VENV)/.installed: $(LOCKS) pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install $(LOCKED) -r requirements.lock
	$(PIP) download --no-deps --dest $(VENV)/torch "$$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements-torch.lock)"
	$(PIP) install $(LOCKED) --no-index --find-links $(VENV)/torch -r requirements-torch.lock
	@rm -r $(VENV)/torch
	@if ! $(BIN)/python -m pip freeze | grep -q '^torch==.*+cpu'; then \
	  $(PIP) install $(LOCKED) -r requirements-cuda.lock; fi
	$(PIP) install $(LOCKED) -r requirements-backbone.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
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

# The pictures of README and docs, from the committed predictions of the demo (needs chromium).
pictures: setup
	$(BIN)/python docs/pictures.py

test: setup check site
	$(BIN)/python -m pytest -n auto --dist worksteal

# What only a GPU can show; says why where it skips.
test-gpu: setup
	$(BIN)/python -m pytest -m gpu -rsP tests/gpu

# Studies on a real Slurm that is started on this machine, through faults; says why where it skips.
test-slurm: setup
	@command -v slurmctld >/dev/null || tests/cluster/install_slurm.sh
	$(BIN)/python -m pytest -m "" -rs tests/cluster/test_slurm.py

# All faults, counted: kills, full disks, damaged files and more; then the table of docs/faults.md.
# What needs to mount a file system skips, and says so, where that is not allowed.
test-faults: setup
	AMB_FAULTS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -rs tests/faults tests/workflow/test_workflow.py
	$(BIN)/python tests/faults/outcomes.py

# The wheel and the sdist, installed into environments of their own; needs a package registry.
test-packaging: setup
	$(BIN)/python -m pytest -m packaging -rs tests/packaging

# Known holes in locked packages. AUDIT=required: an error, too, where no advisories can be reached.
audit: licences $(VENV)-audit/.installed
	$(BIN)/python .ci/audit.py $(VENV)-audit/bin/pip-audit $(if $(filter required,$(AUDIT)),--required)

$(VENV)-audit/.installed: requirements-audit.lock
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip --quiet --disable-pip-version-check install $(LOCKED) -r $<
	@touch $@

# Every installed package has a licence of the list in pyproject.toml. Apart from it: packages whose
# metadata say nothing (their licence files say MIT), and NVIDIA's libraries, free to use as they are.
UNSTATED := axe-playwright-python conda-inject sysrsync \
  $(addprefix snakemake-interface-,common logger-plugins report-plugins scheduler-plugins storage-plugins)
licences: setup
	@$(BIN)/pip-licenses --ignore-packages $(UNSTATED) \
	  $$(sed -n 's/^\([a-z0-9-]*\)==.*/\1/p' requirements-cuda.lock) >$(VENV)/licences.txt

# The lock files anew; needs uv and a package registry.
lock:
	$(PYTHON) .ci/lock.py

# Format and lint: Python, types, docstrings, Snakemake, dependencies and their licences.
check: setup licences
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --num-workers auto
	$(BIN)/pydoclint --quiet amb baselines
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/deptry .

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow

# The documentation as a site, in site/: warnings are errors, links and anchors among them.
site: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf site results/demo .snakemake
