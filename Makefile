# `make help` is the table of contents. Every target sets up what it needs.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/quantum-runtime
UV := $(or $(shell command -v uv),$(CACHE)/uv/bin/uv)
export PATH := $(dir $(UV)):$(PATH)

CLUSTER := tests/cluster/cluster
# The cluster's tools, its kubeconfig and its Docker daemon, for one recipe line.
IN_CLUSTER = eval "$$($(CLUSTER) env)"
NAMESPACE := quantum-runtime-system
OPERATOR_IMAGE := quantum-runtime/operator:dev
RUNNER_IMAGE := quantum-runtime/runner:dev
SCIENCE_IMAGE := quantum-runtime/runner-science:dev
VALUES ?=

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: install ## From nothing to a result: cluster, images, chart, sample-program, one job
	@$(IN_CLUSTER); uv run --frozen python tools/demo.py

.PHONY: test
test: lint type unit e2e ## Everything: lint, types, unit, contract, chart and end-to-end tests

.PHONY: init
init: .venv/.synced ## Install the Python environment from the lock file
.venv/.synced: $(UV) pyproject.toml uv.lock client/pyproject.toml operator/pyproject.toml runner-image/pyproject.toml
	@uv sync --frozen --quiet && touch $@
$(CACHE)/uv/bin/uv:
	@echo "installing uv into $(CACHE)/uv"
	@python3 -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null; } \
	  || { echo "install uv or Python's venv module, then try again" >&2; exit 1; }
	@python3 -m venv $(CACHE)/uv && $(CACHE)/uv/bin/pip install --quiet uv

.PHONY: fmt
fmt: init ## Format the code
	@uv run ruff check --fix --quiet && uv run ruff format --quiet

.PHONY: lint
lint: init ## Style, layering, spelling, YAML; generated files are up to date
	@uv run ruff check --quiet
	@uv run ruff format --check --quiet
	@uv run lint-imports --no-logo >build/lint-imports.log 2>&1 || { cat build/lint-imports.log; exit 1; }
	@uv run codespell
	@uv run yamllint --strict .
	@uv lock --check --quiet
	@uv run python charts/sync.py --check
	@uv run python docs/generate_api.py --check
	@uv run python docs/generate_compatibility.py --check
	@uv run python docs/generate_cli.py --check
	@uv run quantum-runtime render programs --check
	@PYTHONPATH=tests uv run python -m bench --check
lint: | build
build:
	@mkdir -p build

.PHONY: type
type: init ## Check the types
	@uv run mypy

.PHONY: unit
unit: init tools ## Unit, contract and chart tests: no cluster needed
	@$(IN_CLUSTER); OMP_WAIT_POLICY=PASSIVE uv run pytest -q -n 2 --dist loadgroup -m "not e2e"

.PHONY: e2e
e2e: VALUES := tests/e2e/values.yaml
e2e: install ## End-to-end tests on the kind cluster
	@$(IN_CLUSTER); uv run pytest -q -n 4 --dist loadgroup -m e2e programs tests/e2e/client
	@$(IN_CLUSTER); uv run pytest -m e2e tests --ignore=tests/e2e/client   # these take operator and API server away

.PHONY: bench
bench: VALUES := tests/bench/values.yaml
bench: install ## Measure on the kind cluster what a job costs, beside the plain alternatives; write docs/benchmarks.md
	@$(IN_CLUSTER); PYTHONPATH=tests uv run python -m bench warm cold client runner

.PHONY: scale
scale: init cluster ## Measure the operator with 10,000 jobs on played nodes; write docs/benchmarks.md
	@PYTHONPATH=tests uv run python -m bench scale

.PHONY: headline
headline: VALUES := tests/bench/values.yaml
headline: install ## Simulate lithium hydride in one job and in 501; write docs/benchmarks.md and its picture
	@$(IN_CLUSTER); PYTHONPATH=tests uv run python -m bench headline

.PHONY: notebook
notebook: install ## Execute the notebooks of docs/ on the cluster, and write their outputs
	@$(IN_CLUSTER); uv run --frozen python docs/notebooks/execute.py

.PHONY: cluster
cluster: ## Make the test cluster, or leave it alone if it answers
	@$(CLUSTER) up
.PHONY: kubeconfig
kubeconfig: ## Print the path of the test cluster's kubeconfig
	@$(CLUSTER) kubeconfig
.PHONY: cluster-down
cluster-down: ## Remove the test cluster
	@$(CLUSTER) down
.PHONY: tools
tools:
	@$(CLUSTER) tools

.PHONY: images
images: init ## Build the operator image and those of the runner
	@$(CLUSTER) docker
	@$(IN_CLUSTER); tools/images $(OPERATOR_IMAGE) $(RUNNER_IMAGE) $(SCIENCE_IMAGE)

.PHONY: install
install: cluster images ## Install the chart on the test cluster, with the images built here
	@$(IN_CLUSTER); tools/install $(NAMESPACE) $(OPERATOR_IMAGE) $(RUNNER_IMAGE) $(SCIENCE_IMAGE) $(VALUES)

.PHONY: crds
crds: docs ## Bring what is made of crds/ up to date: the chart's CRDs and schema, and the pages
	@uv run python charts/sync.py

.PHONY: docs
docs: init ## Write the pages that are generated: docs/api.md, docs/cli.md, docs/compatibility-names.md
	@uv run python docs/generate_api.py
	@uv run python docs/generate_cli.py
	@uv run python docs/generate_compatibility.py

.PHONY: programs
programs: init ## Render the public programs to the manifests that clusters follow
	@uv run quantum-runtime render programs

# COMPAT="--qiskit 2.2 --qiskit newest --markdown summary.md": see tools/compat.py
.PHONY: compat
compat: init ## Every program's test against the newest Qiskit, in a throw-away environment
	@UV=$(UV) uv run --frozen python tools/compat.py $(COMPAT)
